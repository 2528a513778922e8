#include "spacedns/doctor_verdict.h"

#include <string.h>

#include "support/suite.h"
#include "wire/types.h"

#define FIRST 0x0a000025
#define SECOND 0x0a001015
#define ROUTERS "routers up: 10.0.0.37 10.0.16.21 (zones/test-space.yaml:18)\n"

static const struct {
    const char *explanation;
    uint16_t rcode;
    uint32_t addresses[3];
    size_t count;
    bool agrees;
} stories[] = {
    {ROUTERS "verdict=NOERROR", RCODE_NOERROR, {FIRST, SECOND}, 2, true},
    {ROUTERS "verdict=NOERROR: Q40 no route to a router", RCODE_NOERROR, {FIRST, SECOND}, 2, true},
    {ROUTERS "verdict=NOERROR", RCODE_NOERROR, {FIRST}, 1, false},
    {ROUTERS "verdict=NOERROR", RCODE_NOERROR, {FIRST, 0x0a000001}, 2, false},
    {ROUTERS "verdict=NOERROR", RCODE_NOERROR, {FIRST, SECOND, 0x0a000001}, 3, false},
    {ROUTERS "verdict=NOERROR", RCODE_NOERROR, {0}, 0, false}, /* taken out on the way */
    {"routers up: 10.0.0.3\nverdict=NOERROR", RCODE_NOERROR, {FIRST}, 1, false},
    {"verdict=NOERROR", RCODE_NOERROR, {FIRST}, 1, true},
    {"verdict=NOERROR without data: Q10 crashed", RCODE_NOERROR, {0}, 0, true},
    {"verdict=NOERROR without data: Q10 crashed", RCODE_NOERROR, {FIRST}, 1, false},
    {"verdict=NOERROR: Q10 crashed", RCODE_NOERROR, {0}, 0, true}, /* a CNAME alone */
    {"verdict=REFUSED: Q18 outside", RCODE_REFUSED, {0}, 0, true},
    {"verdict=REFUSED: Q18 outside", RCODE_NXDOMAIN, {0}, 0, false},
    {"verdict=NXDOMAIN", RCODE_NOERROR, {FIRST}, 1, false},
    {"zone=.\nverdict=forward to 10.0.0.2", RCODE_SERVFAIL, {0}, 0, true},
    {"alias=a target=b (z:1)\nverdict=NOERROR", RCODE_NOERROR, {FIRST}, 1, true},
    {"alias=a target=b (z:1)\nverdict=NOERROR", RCODE_NOERROR, {0}, 0, false},
    {"verdict=NOERROR without data at b: Q20 no recursion", RCODE_NOERROR, {0}, 0, true},
    {"verdict=NOERROR without data at b: Q20 no recursion", RCODE_NOERROR, {FIRST}, 1, false},
    {"verdict=NXDOMAIN at b: Q25 no such app", RCODE_NXDOMAIN, {0}, 0, true},
    {"", RCODE_NOERROR, {FIRST}, 1, true},
};

TEST_OVER(an_answer_is_compared_with_the_decision, stories)
{
    struct doctor_answer answer = {
        .state = DOCTOR_ANSWERED, .rcode = stories[_i].rcode, .address_count = stories[_i].count};

    memcpy(answer.addresses, stories[_i].addresses, sizeof stories[_i].addresses);
    ck_assert_int_eq(doctor_agrees(stories[_i].explanation, &answer), stories[_i].agrees);
}

TEST(a_line_is_found_by_how_it_begins)
{
    static const char text[] = "name=a\nremedy=restart\nverdict=NOERROR";
    char line[8];

    ck_assert_str_eq(doctor_line(text, "name=", line, sizeof line), "a");
    ck_assert_str_eq(doctor_line(text, "verdict=", line, sizeof line), "NOERROR");
    ck_assert_str_eq(doctor_line("remedy=restart it", "remedy=", line, sizeof line), "restart");
    ck_assert_ptr_null(doctor_line(text, "medy=", line, sizeof line));
    ck_assert_ptr_null(doctor_line("", "name=", line, sizeof line));
}

static const struct {
    const char *explanation;
    bool has_reason;
    const char *cause;
} causes[] = {
    {"", false, ""},
    {"name=a\nverdict=NOERROR", false, ""},
    {"alias=a target=b", false, "; its aliases lead to b"},
    {"name=a\nalias=a target=b (z.yaml:1)\nalias=b target=c.example (z.yaml:2)\nverdict=NOERROR",
     true, "; its aliases lead to c.example"},
    {"remedy=restart it\nverdict=NOERROR without data: Q10 app crashed: a has 1 web dyno, none up",
     false, "; Q10 app crashed: a has 1 web dyno, none up; restart it"},
    {"remedy=restart it\nverdict=NOERROR without data: Q10 app crashed", true, "; restart it"},
    {"app=checkout space=acme internal_routing=false web_dynos=1 web_up=1 (z.yaml:8)\n"
     "internal routing is fixed at creation: the app must be recreated with it to become internal\n"
     "zone=.\nverdict=forward to 10.0.0.2",
     false,
     "; it belongs to an app without internal routing, checkout; internal routing is fixed at "
     "creation: the app must be recreated with it to become internal"},
    {"app=checkout space=acme internal_routing=false web_dynos=1 web_up=1 (z.yaml:8)\n"
     "internal routing is fixed at creation: the app must be recreated with it to become internal\n"
     "remedy=if it is an app: create it with internal routing\n"
     "verdict=REFUSED: Q20 checkout has no internal routing; to have it, recreate the app",
     true, ""},
    {"did you mean acme-web? no app of the client's spaces has this name\n"
     "verdict=forward to 10.0.0.2",
     false, "; did you mean acme-web? no app of the client's spaces has this name"},
};

TEST_OVER(a_cause_has_all_that_the_explanation_knows, causes)
{
    char cause[512], small[4];

    doctor_format_cause(causes[_i].explanation, causes[_i].has_reason, cause, sizeof cause);
    ck_assert_str_eq(cause, causes[_i].cause);
    doctor_format_cause(causes[_i].explanation, causes[_i].has_reason, small, sizeof small);
    ck_assert_uint_le(strlen(small), 3);
}

TEST(a_response_code_is_written_and_cut)
{
    char text[32], small[4];

    doctor_format_rcode(RCODE_REFUSED, text, sizeof text);
    ck_assert_str_eq(text, "REFUSED");
    doctor_format_rcode(RCODE_REFUSED, small, sizeof small);
    ck_assert_str_eq(small, "REF");
}
