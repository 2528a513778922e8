#include "inspect/guard_space.h"

#include <stdio.h>
#include <string.h>

#include "support/suite.h"
#include "support/zones.h"

enum { TEXT_MOST = 16384 };

#define SPACE "space: small\ncidr: 10.4.0.0/16\nrouters: [10.4.0.37]\n"
#define UP "formation: {web: {dynos: [{number: 1, private_ip: 10.4.128.9}]}}"
#define DOWN "formation: {web: {dynos: []}}"
#define APP(name, internal, web) "  - {name: " name ", internal_routing: " internal ", " web "}\n"

/* What a change is, and why it may not be; NULL: it may. */
static const struct {
    const char *before;
    const char *after; /* NULL: the space vanishes */
    const char *why;
} changes[] = {
    {SPACE "apps:\n" APP("calm-sea", "true", UP), SPACE "apps:\n" APP("calm-sea", "true", UP),
     NULL},
    {SPACE "apps:\n" APP("calm-sea", "true", UP), NULL, "the space vanishes with its 1 app"},
    {SPACE, NULL, "the space vanishes with its 0 apps"},
    {SPACE, "space: small\ncidr: 10.4.0.0/16\n", "the space loses its last router that is up"},
    {SPACE "apps:\n" APP("calm-sea", "true", UP), SPACE, "app calm-sea vanishes"},
    {SPACE "apps:\n" APP("calm-sea", "true", UP), SPACE "apps:\n" APP("calm-seas", "true", UP),
     "app calm-sea vanishes"},
    {SPACE "apps:\n" APP("calm-sea", "true", UP), SPACE "apps:\n" APP("calm-sea", "false", UP),
     "app calm-sea has no internal routing any more"},
    {SPACE "apps:\n" APP("calm-sea", "true", UP), SPACE "apps:\n" APP("calm-sea", "true", DOWN),
     "app calm-sea loses all its addresses"},
    {SPACE "apps:\n" APP("calm-sea", "true", DOWN), SPACE "apps:\n" APP("calm-sea", "true", UP),
     NULL},
    {SPACE "apps:\n" APP("calm-sea", "true", DOWN), SPACE "apps:\n" APP("calm-sea", "true", DOWN),
     NULL},
    {SPACE "apps:\n" APP("calm-sea", "false", UP), SPACE, NULL},
    {SPACE, SPACE "apps:\n" APP("calm-sea", "true", UP), NULL},
};

static struct snapshot *load(const char *text)
{
    const struct policy policy = policy_usual();
    const char *const texts[] = {text};

    return snapshot_of_texts(&policy, texts, 1);
}

static bool judge(const char *before, const char *after, struct err *why)
{
    struct snapshot *old = load(before), *next = after == NULL ? NULL : load(after);
    bool may_change =
        guard_space(old->segments[0], next == NULL ? NULL : next->segments[0], 10, why);

    snapshot_free(old);
    snapshot_free(next);
    return may_change;
}

TEST_OVER(a_change_that_takes_addresses_is_refused, changes)
{
    struct err why = {.text = ""};

    ck_assert_msg(judge(changes[_i].before, changes[_i].after, &why) == (changes[_i].why == NULL),
                  "%s", why.text);
    if (changes[_i].why != NULL)
        ck_assert_str_eq(why.text, changes[_i].why);
}

/* External apps, each with a domain of its own if there are so many. */
static void write_space(unsigned apps, unsigned domains, char *text)
{
    int used = snprintf(text, TEXT_MOST, SPACE "apps:\n");

    for (unsigned i = 0; i < apps; i++) {
        used += snprintf(text + used, TEXT_MOST - (size_t)used, "  - {name: calm-sea-%u", i);
        if (i < domains)
            used += snprintf(text + used, TEXT_MOST - (size_t)used,
                             ", internal_routing: true, domains: [{hostname: www%u.example.com, "
                             "cname: t%u.herokuspace.com}]",
                             i, i);
        used += snprintf(text + used, TEXT_MOST - (size_t)used, "}\n");
    }
}

static const struct {
    unsigned apps_before, apps_after;
    const char *why;
} shares[] = {
    {60, 55, NULL},
    {50, 45, NULL}, /* a tenth is not more than a tenth */
    {49, 44, "5 of 49 apps vanish, more than 10 %"},
    {6, 2, NULL}, /* fewer than five */
    {6, 1, "5 of 6 apps vanish, more than 10 %"},
};

TEST_OVER(many_apps_do_not_vanish_at_once, shares)
{
    static char before[TEXT_MOST], after[TEXT_MOST];
    struct err why = {.text = ""};

    write_space(shares[_i].apps_before, 0, before);
    write_space(shares[_i].apps_after, 0, after);
    ck_assert_msg(judge(before, after, &why) == (shares[_i].why == NULL), "%s", why.text);
    if (shares[_i].why != NULL)
        ck_assert_str_eq(why.text, shares[_i].why);
}

/* The apps stay, without their domains. */
TEST(many_domains_do_not_vanish_at_once)
{
    static char before[TEXT_MOST], after[TEXT_MOST];
    struct err why = {.text = ""};

    write_space(20, 20, before);
    write_space(20, 20, after);
    for (char *name = after; (name = strstr(name, "www1")) != NULL; name++)
        memcpy(name, "xyz1", 4);
    ck_assert(!judge(before, after, &why));
    ck_assert_str_eq(why.text, "11 of 20 domains vanish, more than 10 %");
}

TEST(an_unready_space_may_become_anything)
{
    struct snapshot *old = load(SPACE "apps:\n" APP("calm-sea", "true", UP));
    struct segment unready = *old->segments[0];
    struct err why;

    unready.is_unready = true;
    ck_assert(guard_space(&unready, NULL, 10, &why));
    snapshot_free(old);
}
