#include "spacedns/registry_groups.h"

#include <stdio.h>
#include <string.h>

#include "answer/load.h"
#include "spacedns/registry_view.h"
#include "support/suite.h"
#include "support/zones.h"

enum { SPACES = 40, TEXT_MOST = 512 };

static struct keys keys;
static struct policy policy;
static struct push_change changes[SPACES];
static char texts[SPACES][TEXT_MOST];
static char names[SPACES][16];

static void set_up(void)
{
    struct err err;

    policy = policy_usual();
    ck_assert(keys_init(&keys, "/spacedns", "eu", &err));
}

static void tear_down(void)
{
}

FIXTURE(set_up, tear_down)

/* Space i has the domain of its own number; space `taker` has that of `giver` instead, which has
 * none. */
static struct snapshot *load(size_t giver, size_t taker)
{
    struct registry_view view;
    struct load_outcome outcome = {.is_unchanged = false};
    struct report *report = report_new();
    struct err err = {.code = ERR_NONE};

    ck_assert(registry_view_init(&view, &keys, &err));
    for (size_t i = 0; i < SPACES; i++) {
        size_t domain = i == taker ? giver : i;
        snprintf(names[i], sizeof names[i], "space-%02zu", i);
        int length = snprintf(texts[i], TEXT_MOST,
                              "space: space-%02zu\ncidr: 10.%zu.0.0/16\nrouters: [10.%zu.0.37]\n"
                              "apps:\n  - {name: app-%02zu, internal_routing: true%s",
                              i, i, i, i, i == giver ? "}\n" : "");
        if (i != giver)
            length += snprintf(texts[i] + length, (size_t)(TEXT_MOST - length),
                               ", domains: [{hostname: d%zu.example.com, "
                               "cname: t%zu.b-1.herokuspace.com}]}\n",
                               domain, domain);
        ck_assert(
            registry_view_draft(&view, names[i], (struct line_text){texts[i], (size_t)length}));
        changes[i] = (struct push_change){
            .action = PUSH_PUT, .space = names[i], .text = texts[i], .length = (size_t)length};
    }
    const struct load_request request = {
        .source = &view.source, .policy = &policy, .threads = 1, .key = {1, 3}};
    struct snapshot *snapshot = snapshot_load(&request, report, &outcome, &err);
    if (snapshot == NULL && err.code == ERR_NONE)
        report_refusal(report, NULL, &err);
    ck_assert_msg(snapshot != NULL, "%s", err.text);
    report_free(report);
    load_outcome_close(&outcome);
    registry_view_close(&view);
    return snapshot;
}

static unsigned group_of(const char *space, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(changes[i].space, space) == 0)
            return changes[i].group;
    return 0;
}

TEST(what_fits_is_one_group)
{
    struct snapshot *before = load(SPACES, SPACES), *after = load(3, 31);

    registry_groups_set(changes, 10, before, after);
    for (size_t i = 0; i < 10; i++)
        ck_assert_uint_eq(changes[i].group, 1);
    snapshot_free(before);
    snapshot_free(after);
}

TEST(a_name_that_moves_keeps_two_spaces_together)
{
    struct snapshot *before = load(SPACES, SPACES), *after = load(3, 31);

    registry_groups_set(changes, SPACES, before, after);
    ck_assert_uint_eq(group_of("space-03", SPACES), group_of("space-31", SPACES));
    for (size_t i = 0; i < SPACES; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_msg(changes[i].group != 0 && (changes[i].group != changes[j].group ||
                                                    (strcmp(changes[j].space, "space-03") == 0 &&
                                                     strcmp(changes[i].space, "space-31") == 0)),
                          "%s and %s", changes[i].space, changes[j].space);
    snapshot_free(before);
    snapshot_free(after);
}
