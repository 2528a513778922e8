#include "decide/explain.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/deciding.h"
#include "support/suite.h"
#include "support/zones.h"

static struct snapshot *snapshot;
static struct policy policy;

static void set_up(void)
{
    char *texts[3] = {zone_text("zones/test-space.yaml"),
                      zone_text("tests/zones_good/other-space.yaml"),
                      zone_text("tests/zones_good/every-shape.yaml")};

    policy = policy_usual();
    snapshot = snapshot_of_texts(&policy, (const char *const *)texts, 3);
    for (int i = 0; i < 3; i++)
        free(texts[i]);
}

static void tear_down(void)
{
    snapshot_free(snapshot);
}

#define DYNO "10.0.130.56"
#define PEER "10.20.3.4"
#define OTHER "10.1.130.4"
#define SHAPE "10.2.130.1"

static const struct {
    const char *from, *name, *expected;
} reasons[] = {
    {DYNO, "sleepy-river-2739.herokuapp.com",
     "Q10 app crashed: sleepy-river-2739 has 1 web dyno, none up"},
    {"203.0.113.9", "api.example.com",
     "Q18 client is outside every space, peering and VPN served here"},
    {SHAPE, "shape-empty-4.herokuapp.com", "Q14 *shape-empty-4 has no web dyno*"},
    {OTHER, "api.example.com", "Q19 *"},
    {PEER, "web.frozen-oasis-70544.app.localspace", "Q19 *peered*"},
    {DYNO, "www.debian.org", "Q20 *"},
    {DYNO, "open-plain-1001-1234567890ab.herokuapp.com", "Q20 open-plain-1001 *"},
    {DYNO, "web.sleepy-river-2739.app.localspace", "Q24 *web*sleepy-river-2739*"},
    {DYNO, "1.web.sleepy-river-2739.app.localspace", "Q24 *web.1*crashed*"},
    {DYNO, "web.frozen-oasis-70545.app.localspace",
     "Q25 *frozen-oasis-70545*did you mean frozen-oasis-70544?"},
    {DYNO, "1.2.0.10.in-addr.arpa", "Q25 *"},
    {PEER, "api.example.com", "Q40 pcx-111aaa111 *10.0.0.0/16"},
    {DYNO, "api.example.com", ""},
};

static const char *explain_in_a_sentence(const char *from, const char *name, char *out, size_t size)
{
    struct text text = text_over(out, size - 1);
    struct deciding deciding;

    memset(out, 0, size);
    deciding_ask(&deciding, snapshot, from, name, 1);
    explain_reason(snapshot, &deciding.client, &deciding.query, &deciding.verdict, &text);
    return out;
}

START_TEST(a_reason_is_told_in_one_sentence)
{
    char sentence[EDE_TEXT_OCTETS + 1];

    explain_in_a_sentence(reasons[_i].from, reasons[_i].name, sentence, sizeof sentence);
    ck_assert_msg(fnmatch(reasons[_i].expected, sentence, FNM_NOESCAPE) == 0, "%s from %s: %s",
                  reasons[_i].name, reasons[_i].from, sentence);
}
END_TEST

/* With the longest names there are, 100 octets are enough for code and fact. */
START_TEST(the_sentence_is_never_longer_than_its_room)
{
    static const char *const labels[] = {
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "x", "_y"};
    char name[256], sentence[EDE_TEXT_OCTETS + 1];

    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            snprintf(name, sizeof name, "%s.%s.app.localspace", labels[i], labels[j]);
            explain_in_a_sentence(DYNO, name, sentence, sizeof sentence);
            ck_assert_int_eq(strncmp(sentence, "Q25 ", 4), 0);
        }
}
END_TEST

/* All steps of an explanation in one text, | between. */
static void tell(const char *from, const char *name, char *out)
{
    struct deciding deciding;
    struct explanation explanation;

    deciding_ask(&deciding, snapshot, from, name, 1);
    explain(snapshot, &deciding.client, &deciding.query, &deciding.verdict, &explanation);
    ck_assert_uint_gt(explanation.count, 1);
    ck_assert_uint_le(explanation.count, EXPLAIN_STEPS_MAX);
    for (unsigned i = 0; i < explanation.count; i++)
        out += sprintf(out, "%s%.*s", i > 0 ? "|" : "", explanation.steps[i].length,
                       explanation.steps[i].octets);
}

static const struct {
    const char *from, *name, *expected;
} stories[] = {
    {DYNO, "api.example.com",
     "name=api.example.com*|client=10.0.130.56 class=space space=test-space*10.0.0.0/16*"
     "|host=api.example.com*(*:34)|app=frozen-oasis-70544*(*:31)*10.0.0.37 10.0.16.21*"
     "|verdict=NOERROR*"},
    {PEER, "api.example.com", "*pcx-111aaa111*10.20.0.0/16*(*:20)*|verdict=NOERROR*Q40*"},
    {DYNO, "sleepy-river-2739.herokuapp.com", "*web_up=0*(*:45)*|remedy=*|verdict=NOERROR*Q10*"},
    {DYNO, "open-plain-1001-1234567890ab.herokuapp.com",
     "*internal_routing=false*recreated*|verdict=REFUSED*Q20*"},
    {DYNO, "1.web.frozen-oasis-70544.app.localspace", "*state=up*|verdict=NOERROR*"},
    {"203.0.113.9", "api.example.com", "*class=external*|verdict=REFUSED*Q18*"},
};

START_TEST(a_decision_is_told_step_by_step_with_its_places)
{
    char told[EXPLAIN_STEPS_MAX * (EXPLAIN_STEP_OCTETS + 1)];

    tell(stories[_i].from, stories[_i].name, told);
    ck_assert_msg(fnmatch(stories[_i].expected, told, FNM_NOESCAPE) == 0, "%s", told);
}
END_TEST

/* What a client may not know is not told to it. */
START_TEST(nothing_of_another_space_is_told)
{
    static const char *const secrets[] = {"frozen", "test-space", "10.0.0", "web_up",
                                          "pcx-",   "zones/",     "haiku"};
    static const char *const names[] = {"api.example.com", "x.apps.example.com", "example.net"};
    char told[EXPLAIN_STEPS_MAX * (EXPLAIN_STEP_OCTETS + 1)];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        tell(OTHER, names[i], told);
        for (size_t j = 0; j < sizeof secrets / sizeof secrets[0]; j++)
            ck_assert_msg(strstr(told, secrets[j]) == NULL, "%s: %s", names[i], told);
        tell("203.0.113.9", names[i], told);
        for (size_t j = 0; j < sizeof secrets / sizeof secrets[0]; j++)
            ck_assert_msg(strstr(told, secrets[j]) == NULL, "%s: %s", names[i], told);
    }
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])

int main(void)
{
    Suite *suite = suite_create("decide/explain");
    TCase *telling = tcase_create("telling");

    tcase_add_checked_fixture(telling, set_up, tear_down);
    tcase_add_loop_test(telling, a_reason_is_told_in_one_sentence, 0, COUNT(reasons));
    tcase_add_test(telling, the_sentence_is_never_longer_than_its_room);
    tcase_add_loop_test(telling, a_decision_is_told_step_by_step_with_its_places, 0,
                        COUNT(stories));
    tcase_add_test(telling, nothing_of_another_space_is_told);
    suite_add_tcase(suite, telling);
    return suite_run(suite);
}
