#include "decide/suggestion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/deciding.h"
#include "support/snapshot_fixture.h"
#include "support/suite.h"
#include "support/zones.h"

#define DYNO "10.0.130.56"
#define OFFICE "172.16.9.9"
#define OTHER "10.1.130.4"
#define SHAPE "10.2.130.1"

static const struct {
    const char *from, *word;
    const char *expected; /* NULL: none is close */
} apps[] = {
    {DYNO, "frozen-oasis-70545", "frozen-oasis-70544"},
    {DYNO, "frozen-oasis-70544", NULL}, /* never the word itself */
    {DYNO, "frozen-oasis-7054", "frozen-oasis-70544"},
    {DYNO, "forzen-oasis-70544", "frozen-oasis-70544"},
    {DYNO, "open-plain-1010", "open-plain-1001"},
    {DYNO, "something-else", NULL},
    {DYNO, "quiet-lake-4411", NULL}, /* another space's */
    {OTHER, "quiet-lake-4411", "quiet-lake-4410"},
    {OTHER, "frozen-oasis-70545", NULL},
    {OFFICE, "quiet-lake-4411", "quiet-lake-4410"}, /* a member of both */
    {OFFICE, "frozen-oasis-70545", "frozen-oasis-70544"},
    {SHAPE, "shape-hidden-4", NULL}, /* dns_discovery: false */
    {"203.0.113.9", "frozen-oasis-70545", NULL},
};

static void make_label(const char *word, uint8_t label[64])
{
    label[0] = (uint8_t)strlen(word);
    memcpy(label + 1, word, strlen(word));
}

static void check(struct suggestion near, const char *expected, const char *word)
{
    ck_assert_msg((near.text == NULL) == (expected == NULL), "%s", word);
    if (expected == NULL)
        return;
    ck_assert_uint_eq(near.length, strlen(expected));
    ck_assert_mem_eq(near.text, expected, near.length);
}

FIXTURE(snapshot_set_up, snapshot_tear_down)

TEST_OVER(a_suggested_app_is_one_the_client_may_know, apps)
{
    struct deciding deciding;
    uint8_t label[64];

    make_label(apps[_i].word, label);
    deciding_ask(&deciding, fixture.snapshot, apps[_i].from, ".", 1);
    check(suggest_app(fixture.snapshot, &deciding.client, label), apps[_i].expected, apps[_i].word);
}

static const struct {
    const char *word, *expected;
} processes[] = {{"wbe", "web"},     {"weeb", "web"},
                 {"runn", "run"},    {"consul-server", "consul_server"},
                 {"database", NULL}, {"r", NULL}};

TEST_OVER(a_suggested_process_is_one_of_the_app, processes)
{
    const struct segment *segment = fixture.snapshot->segments[2];
    uint8_t label[64];

    make_label(processes[_i].word, label);
    check(suggest_process(segment, &segment->apps[0], label), processes[_i].expected,
          processes[_i].word);
}

/* The time of a query is bounded. */
TEST(only_so_many_apps_are_compared)
{
    enum { APPS = 2 * SUGGESTION_APPS_MAX };
    char *text = malloc(APPS * 40 + 100);
    size_t length =
        (size_t)sprintf(text, "space: many-apps\ngeneration: fir\ncidr: 10.9.0.0/16\napps:\n");
    struct deciding deciding;
    uint8_t label[64];

    for (int i = 0; i < APPS; i++)
        length += (size_t)sprintf(text + length, "  - {name: a%03d-bcdefghij}\n", i);
    struct snapshot *many = snapshot_of_texts(&fixture.policy, (const char *const *)&text, 1);
    free(text);
    deciding_ask(&deciding, many, "10.9.130.1", ".", 1);
    make_label("a007xbcdefghij", label);
    check(suggest_app(many, &deciding.client, label), "a007-bcdefghij", "among the first");
    make_label("zzz-bcdefghij", label);
    check(suggest_app(many, &deciding.client, label), NULL, "none");
    snapshot_free(many);
}
