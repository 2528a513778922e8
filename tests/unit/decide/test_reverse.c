#include "decide/reverse.h"

#include <stdlib.h>
#include <string.h>

#include "support/deciding.h"
#include "support/snapshot_fixture.h"
#include "support/suite.h"
#include "support/zones.h"
#include "wire/types.h"

/* Every way to write a reverse name; asked by a dyno of 10.0.0.0/16. */
static const struct {
    const char *name;
    enum situation situation;
    enum answer_kind answer;
} names[] = {
    {"56.130.0.10.in-addr.arpa", SITUATION_RECORDS, ANSWER_DYNO_NAME},
    {"21.16.0.10.in-addr.arpa", SITUATION_RECORDS, ANSWER_ROUTER_NAME},
    {"57.130.0.10.in-addr.arpa", SITUATION_NOT_DECLARED, ANSWER_NONE},
    {"7.131.0.10.in-addr.arpa", SITUATION_NOT_DECLARED, ANSWER_NONE}, /* crashed */
    {"0.0.0.10.in-addr.arpa", SITUATION_NOT_DECLARED, ANSWER_NONE},
    {"255.255.0.10.in-addr.arpa", SITUATION_NOT_DECLARED, ANSWER_NONE},
    {"x.56.130.0.10.in-addr.arpa", SITUATION_NOT_DECLARED, ANSWER_NONE},
    {"130.0.10.in-addr.arpa", SITUATION_NO_DATA, ANSWER_NONE},
    {"0.10.in-addr.arpa", SITUATION_NO_DATA, ANSWER_NONE},
    {"10.in-addr.arpa", SITUATION_NOT_OURS, ANSWER_NONE},
    {"in-addr.arpa", SITUATION_NOT_OURS, ANSWER_NONE},
    {"4.130.1.10.in-addr.arpa", SITUATION_NOT_OURS, ANSWER_NONE},
    {"1.10.in-addr.arpa", SITUATION_NOT_OURS, ANSWER_NONE},
    {"4.3.20.10.in-addr.arpa", SITUATION_NOT_OURS, ANSWER_NONE},
    {"56.130.0.10.in-addr.arpa.example.com", SITUATION_NOT_OURS, ANSWER_NONE},
    {"56.130.0.10.ip6.arpa", SITUATION_NOT_OURS, ANSWER_NONE},
    {"56.130.0.10.xin-addr.arpa", SITUATION_NOT_OURS, ANSWER_NONE},
};

FIXTURE(snapshot_set_up, snapshot_tear_down)

TEST_OVER(a_reverse_name_inside_a_served_space_is_ours, names)
{
    struct deciding deciding;

    deciding_ask(&deciding, fixture.snapshot, "10.0.144.9", names[_i].name, TYPE_PTR);
    ck_assert_msg(deciding.verdict.situation == names[_i].situation, "%s: %d", names[_i].name,
                  (int)deciding.verdict.situation);
    ck_assert_int_eq(deciding.verdict.answer, names[_i].answer);
}

/* Every name below the zone's apex is inside the space's CIDR, so it is ours in any form. */
TEST(nothing_below_the_zones_apex_is_forwarded)
{
    static const char *const odd[] = {
        "x.0.10.in-addr.arpa",     "256.0.10.in-addr.arpa",     "056.130.0.10.in-addr.arpa",
        "x.130.0.10.in-addr.arpa", "300.130.0.10.in-addr.arpa", "_x._y.0.10.in-addr.arpa",
        "-1.0.10.in-addr.arpa",
    };

    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct deciding deciding;
        deciding_ask(&deciding, fixture.snapshot, "10.0.144.9", odd[i], TYPE_PTR);
        ck_assert_msg(deciding.verdict.situation == SITUATION_NOT_DECLARED, "%s: %d", odd[i],
                      (int)deciding.verdict.situation);
    }
}

TEST(a_peer_may_not_ask_who_has_an_address)
{
    struct deciding deciding;

    deciding_ask(&deciding, fixture.snapshot, "10.20.3.4", "56.130.0.10.in-addr.arpa", TYPE_PTR);
    ck_assert_int_eq(deciding.verdict.situation, SITUATION_CLASS_REFUSED);
    fixture.snapshot->policy.localspace_to |= 1U << CLIENT_PEERED;
    deciding_ask(&deciding, fixture.snapshot, "10.20.3.4", "56.130.0.10.in-addr.arpa", TYPE_PTR);
    ck_assert_int_eq(deciding.verdict.answer, ANSWER_DYNO_NAME);
}

/*
 * A space that is visible only at its own addresses is another space elsewhere; its names are not
 * forwarded.
 */
TEST(a_space_that_is_not_visible_here_keeps_its_reverse_names)
{
    static const char *const inside[] = {"1.9.10.in-addr.arpa", "9.10.in-addr.arpa",
                                         "4.3.9.10.in-addr.arpa"};
    char *texts[2] = {zone_text("zones/test-space.yaml"),
                      strdup("space: far-space\ncidr: 10.9.0.0/16\nlisten: [10.9.0.2]\n")};
    struct snapshot *two = snapshot_of_texts(&fixture.policy, (const char *const *)texts, 2);

    two->policy.routes = routes_usual();
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++) {
        struct deciding deciding;
        deciding_ask(&deciding, two, "10.0.144.9", inside[i], TYPE_PTR);
        ck_assert_msg(deciding.verdict.is_concealed, "%s", inside[i]);
        ck_assert(verdict_is_special(&deciding.verdict));
    }
    snapshot_free(two);
    free(texts[0]);
    free(texts[1]);
}
