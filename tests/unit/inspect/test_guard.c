#include "inspect/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/diff.h"
#include "support/suite.h"
#include "support/zones.h"

enum { TEXT_MOST = 16384 };

static struct {
    struct policy policy;
    struct snapshot *before;
    struct snapshot *after;
    struct diff *diff;
    char printed[1024]; /* of the first refusal */
} scene;

static void set_up(void)
{
    memset(&scene, 0, sizeof scene);
    scene.policy = policy_usual();
}

static void tear_down(void)
{
    diff_free(scene.diff);
    snapshot_free(scene.before);
    snapshot_free(scene.after);
}

static void judge(const char *const *before, size_t before_count, const char *const *after,
                  size_t after_count, unsigned share_percent)
{
    struct text text = text_over(scene.printed, sizeof scene.printed - 1);

    scene.before = snapshot_of_texts(&scene.policy, before, before_count);
    scene.after = snapshot_of_texts(&scene.policy, after, after_count);
    scene.diff = diff_new(scene.before, scene.after,
                          &(struct diff_options){.guard_share_percent = share_percent});
    ck_assert_ptr_nonnull(scene.diff);
    if (diff_is_refused(scene.diff))
        guard_format(&scene.diff->guard.refusals[0], share_percent, &text);
}

static const char other[] = "space: other\ncidr: 10.5.0.0/16\n";

/* A space with so many apps and domains, each app with one domain. */
static void write_space(unsigned apps, unsigned domains, char *text)
{
    int used = snprintf(text, TEXT_MOST,
                        "space: small\ncidr: 10.4.0.0/16\nrouters: [10.4.0.37]\n"
                        "apps:\n");

    for (unsigned i = 0; i < apps; i++) {
        used += snprintf(text + used, TEXT_MOST - (size_t)used,
                         "  - {name: calm-sea-%u, internal_routing: true, formation: {web: {dynos: "
                         "[{number: 1, private_ip: 10.4.128.%u}]}}",
                         i, 9 + i);
        if (i < domains)
            used += snprintf(text + used, TEXT_MOST - (size_t)used,
                             ", domains: [{hostname: www%u.example.com, cname: "
                             "t%u.herokuspace.com}]",
                             i, i);
        used += snprintf(text + used, TEXT_MOST - (size_t)used, "}\n");
    }
}

static const struct {
    unsigned apps_before, apps_after, domains_before, domains_after, share_percent;
    const char *printed; /* "" when it passes */
} shares[] = {
    {60, 55, 0, 0, 10, ""},
    {50, 45, 0, 0, 10, ""}, /* a tenth is not more than a tenth */
    {49, 44, 0, 0, 10,
     "space small loses 5 of its 49 apps, more than 10 %: calm-sea-44, calm-sea-45, calm-sea-46, "
     "calm-sea-47, calm-sea-48"},
    {6, 2, 0, 0, 10, ""}, /* fewer than five */
    {6, 1, 0, 0, 10,
     "space small loses 5 of its 6 apps, more than 10 %: calm-sea-1, calm-sea-2, calm-sea-3, "
     "calm-sea-4, calm-sea-5"},
    {20, 20, 20, 16, 10, ""},
    {20, 20, 20, 11, 10,
     "space small loses 9 of its 20 domains, more than 10 %: www11.example.com, "
     "www12.example.com, www13.example.com, www14.example.com, www15.example.com, "
     "www16.example.com, www17.example.com, www18.example.com, ..."},
    {20, 10, 0, 0, 50, ""},
    {20, 9, 0, 0, 50,
     "space small loses 11 of its 20 apps, more than 50 %: calm-sea-9, calm-sea-10, calm-sea-11, "
     "calm-sea-12, calm-sea-13, calm-sea-14, calm-sea-15, calm-sea-16, ..."},
};

FIXTURE(set_up, tear_down)

TEST_OVER(many_apps_or_domains_that_vanish_are_refused, shares)
{
    static char before[TEXT_MOST], after[TEXT_MOST];
    const char *texts[] = {before, after};

    write_space(shares[_i].apps_before, shares[_i].domains_before, before);
    write_space(shares[_i].apps_after, shares[_i].domains_after, after);
    judge(texts, 1, texts + 1, 1, shares[_i].share_percent);
    ck_assert_str_eq(scene.printed, shares[_i].printed);
}

TEST(a_space_that_vanishes_is_refused)
{
    static char small[TEXT_MOST];
    const char *texts[] = {other, small};

    write_space(2, 0, small);
    judge(texts, 2, texts, 1, 10);
    ck_assert_str_eq(scene.printed, "space small vanishes with its 2 apps: calm-sea-0, calm-sea-1");
}

TEST(a_space_with_an_id_may_be_renamed)
{
    static const char id[] = "id: 00000000-0000-0000-0000-00000000000a\ncidr: 10.5.0.0/16\n";
    char before[128], after[128];
    const char *texts[] = {before, after};

    snprintf(before, sizeof before, "space: old-name\n%s", id);
    snprintf(after, sizeof after, "space: new-name\n%s", id);
    judge(texts, 1, texts + 1, 1, 10);
    ck_assert(!diff_is_refused(scene.diff));
}

TEST(another_state_of_a_space_is_no_accident)
{
    const char *texts[] = {
        "space: other\ncidr: 10.5.0.0/16\nrouters: [10.5.0.7]\n",
        "space: other\ncidr: 10.5.0.0/16\nrouters: [10.5.0.7]\nstate: deleting\n"};

    judge(texts, 1, texts + 1, 1, 10);
    ck_assert(!diff_is_refused(scene.diff));
}

TEST(a_space_that_loses_its_last_router_is_refused)
{
    const char *texts[] = {"space: other\ncidr: 10.5.0.0/16\nrouters: [10.5.0.7, 10.5.0.8]\n",
                           "space: other\ncidr: 10.5.0.0/16\nrouters: [{ip: 10.5.0.7, state: "
                           "draining}]\n"};

    judge(texts, 1, texts + 1, 1, 100);
    ck_assert_str_eq(scene.printed, "space other loses its last router that is up");
}

TEST(a_space_that_keeps_a_router_passes)
{
    const char *texts[] = {"space: other\ncidr: 10.5.0.0/16\nrouters: [10.5.0.7, 10.5.0.8]\n",
                           "space: other\ncidr: 10.5.0.0/16\nrouters: [10.5.0.8]\n"};

    judge(texts, 1, texts + 1, 1, 10);
    ck_assert(!diff_is_refused(scene.diff));
}
