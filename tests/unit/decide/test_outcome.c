#include "decide/outcome.h"

#include "support/deciding.h"
#include "support/snapshot_fixture.h"
#include "support/suite.h"
#include "wire/types.h"

#define DYNO "10.0.130.56"

FIXTURE(snapshot_set_up, snapshot_tear_down)

/* The verdict of a forwarded name, of a route that allows addresses of a space or does not. */
static struct verdict forwarded(bool allow_rebind)
{
    static struct route route;
    struct deciding deciding;

    route = (struct route){.upstreams = "10.0.0.2", .allow_rebind = allow_rebind};
    ck_assert(name_from_text(".", &route.zone));
    fixture.snapshot->policy.routes = (struct routes){.items = &route, .count = 1};
    deciding_ask(&deciding, fixture.snapshot, DYNO, "www.debian.org", TYPE_A);
    ck_assert_int_eq(deciding.verdict.situation, SITUATION_FORWARD);
    return deciding.verdict;
}

/* Each way in which upstreams answer or fail, and what a client gets. */
static const struct {
    struct upstream_outcome outcome;
    bool allow_rebind, is_relayed;
    enum situation situation;
    unsigned rcode;
    enum reason reason;
} rows[] = {
    {{.has_answer = true}, false, true, SITUATION_FORWARD, RCODE_NOERROR, REASON_NONE},
    {{.has_answer = true, .rcode = RCODE_NXDOMAIN},
     false,
     true,
     SITUATION_FORWARD,
     RCODE_NXDOMAIN,
     REASON_NONE},
    /* an error that a server sent is passed on, with a reason */
    {{.has_answer = true, .rcode = RCODE_SERVFAIL, .fault = UPSTREAM_FAULT_SERVER},
     false,
     true,
     SITUATION_FORWARD,
     RCODE_SERVFAIL,
     REASON_UPSTREAM},
    {{.has_answer = true, .fault = UPSTREAM_FAULT_NETWORK},
     false,
     true,
     SITUATION_FORWARD,
     RCODE_NOERROR,
     REASON_UPSTREAM_NETWORK},
    {{.has_answer = true, .rcode = 0x110}, false, true, SITUATION_FORWARD, 0x10, REASON_NONE},
    {{.has_answer = true, .is_stale = true, .fault = UPSTREAM_FAULT_SERVER},
     false,
     true,
     SITUATION_STALE,
     RCODE_NOERROR,
     REASON_STALE},
    {{.has_answer = true, .is_stale = true},
     false,
     true,
     SITUATION_STALE,
     RCODE_NOERROR,
     REASON_STALE},
    {{.has_answer = true,
      .is_stale = true,
      .rcode = RCODE_NXDOMAIN,
      .fault = UPSTREAM_FAULT_NETWORK},
     false,
     true,
     SITUATION_STALE,
     RCODE_NXDOMAIN,
     REASON_STALE_NXDOMAIN},
    {{.fault = UPSTREAM_FAULT_SERVER},
     false,
     false,
     SITUATION_UPSTREAM_FAILED,
     RCODE_SERVFAIL,
     REASON_UPSTREAM},
    {{.fault = UPSTREAM_FAULT_NETWORK},
     false,
     false,
     SITUATION_UPSTREAM_FAILED,
     RCODE_SERVFAIL,
     REASON_UPSTREAM_NETWORK},
    {{.fault = UPSTREAM_FAULT_NONE},
     false,
     false,
     SITUATION_UPSTREAM_FAILED,
     RCODE_SERVFAIL,
     REASON_UPSTREAM},
    {{.has_answer = true, .has_space_address = true},
     false,
     false,
     SITUATION_REBIND,
     RCODE_NOERROR,
     REASON_REBIND},
    {{.has_answer = true, .has_space_address = true, .rcode = RCODE_NXDOMAIN},
     false,
     false,
     SITUATION_REBIND,
     RCODE_NOERROR,
     REASON_REBIND},
    /* old answers are no way around it */
    {{.has_answer = true,
      .has_space_address = true,
      .is_stale = true,
      .fault = UPSTREAM_FAULT_SERVER},
     false,
     false,
     SITUATION_REBIND,
     RCODE_NOERROR,
     REASON_REBIND},
    {{.has_answer = true, .has_space_address = true},
     true,
     true,
     SITUATION_FORWARD,
     RCODE_NOERROR,
     REASON_NONE},
    {{.has_answer = true, .has_space_address = true, .is_stale = true},
     true,
     true,
     SITUATION_STALE,
     RCODE_NOERROR,
     REASON_STALE},
};

TEST_OVER(an_outcome_decides_what_the_client_gets, rows)
{
    struct upstream_outcome outcome = rows[_i].outcome;
    struct verdict verdict = forwarded(rows[_i].allow_rebind);

    outcome.fault_text = "no reply from";
    outcome.server = "10.0.0.2";
    ck_assert(outcome_decide(fixture.snapshot, &outcome, &verdict) == rows[_i].is_relayed);
    ck_assert_int_eq(verdict.situation, rows[_i].situation);
    ck_assert_uint_eq(verdict.rcode, rows[_i].rcode);
    ck_assert_int_eq(verdict.reason, rows[_i].reason);
    ck_assert_str_eq(verdict.upstream_fault, "no reply from");
    ck_assert_str_eq(verdict.upstream, "10.0.0.2");
}

/* Of every combination: bit 0 an answer, 1 stale, 2 an address of a space, 3 the route allows it.
 */
TEST_LOOP(no_outcome_leaves_the_answer_table, 0, 16)
{
    static const uint16_t rcodes[] = {RCODE_NOERROR, RCODE_SERVFAIL, RCODE_NXDOMAIN, RCODE_REFUSED,
                                      0xfff};
    bool has_answer = _i & 1, is_stale = _i & 2, has_space_address = _i & 4, is_allowed = _i & 8;

    for (int fault = UPSTREAM_FAULT_NONE; fault <= UPSTREAM_FAULT_NETWORK; fault++)
        for (size_t i = 0; i < sizeof rcodes / sizeof rcodes[0]; i++) {
            struct verdict verdict = forwarded(is_allowed);
            struct upstream_outcome outcome = {.has_answer = has_answer,
                                               .is_stale = is_stale,
                                               .has_space_address = has_space_address,
                                               .rcode = rcodes[i],
                                               .fault = (enum upstream_fault)fault};
            bool is_relayed = outcome_decide(fixture.snapshot, &outcome, &verdict);
            ck_assert(verdict_fits(&verdict));
            ck_assert(verdict_is_forwarded(&verdict));
            ck_assert(!verdict.is_authoritative);
            ck_assert(verdict.answer == ANSWER_NONE);
            ck_assert(is_relayed == (has_answer && (!has_space_address || is_allowed)));
            ck_assert(is_relayed || verdict.reason != REASON_NONE);
        }
}

TEST(only_a_route_that_forbids_addresses_of_a_space_needs_to_know_of_them)
{
    struct verdict verdict = forwarded(false);

    ck_assert(outcome_needs_addresses(fixture.snapshot, &verdict));
    verdict = forwarded(true);
    ck_assert(!outcome_needs_addresses(fixture.snapshot, &verdict));
}

TEST(a_stale_links_reason_is_kept_unless_the_last_name_has_its_own)
{
    struct verdict link = {.reason = REASON_STALE,
                           .route = 2,
                           .upstream_fault = "no reply from",
                           .upstream = "10.0.0.2"};
    struct verdict last = {.reason = REASON_NONE, .route = 1};

    outcome_keep_reason(&link, &last);
    ck_assert_int_eq(last.reason, REASON_STALE);
    ck_assert_uint_eq(last.route, 2);
    ck_assert_str_eq(last.upstream_fault, "no reply from");
    ck_assert_str_eq(last.upstream, "10.0.0.2");
    last = (struct verdict){.reason = REASON_NO_WEB, .route = 1};
    outcome_keep_reason(&link, &last);
    ck_assert_int_eq(last.reason, REASON_NO_WEB);
    ck_assert_uint_eq(last.route, 1);
    link.reason = REASON_NONE;
    last = (struct verdict){.reason = REASON_NONE, .route = 1};
    outcome_keep_reason(&link, &last);
    ck_assert_uint_eq(last.route, 1);
}
