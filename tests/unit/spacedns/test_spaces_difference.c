#include "spacedns/spaces_difference.h"

#include <string.h>

#include "support/suite.h"

static struct arena *arena;

static void open_arena(void)
{
    arena = arena_new();
    ck_assert_ptr_nonnull(arena);
}

static void close_arena(void)
{
    arena_free(arena);
}

FIXTURE(open_arena, close_arena)

static struct dyno dyno_one = {.number = 1, .ip = 0x0a008238};
static struct dyno dyno_moved = {.number = 1, .ip = 0x0a008239};
static struct dyno dyno_crashed = {.number = 1, .ip = 0x0a008238, .state = DYNO_CRASHED};
static struct dyno dyno_two = {.number = 2, .ip = 0x0a008238};
static struct domain plain = {.hostname = {.text = "a.example.com"}};
static struct domain star = {.hostname = {.text = "a.example.com"}, .is_wildcard = true};
static struct domain targeted = {.hostname = {.text = "a.example.com"},
                                 .cname = {.text = "x.herokuspace.com"}};

/* One app of each side, and what differs; NULL: nothing. */
static const struct {
    struct domain *domain, *old_domain;
    struct dyno *dyno, *old_dyno;
    const char *type, *old_type;
    const char *id, *old_id;
    const char *name;
    const char *text;
} pairs[] = {
    {.text = NULL},
    {.domain = &plain, .old_domain = &plain, .text = NULL},
    {.domain = &plain, .text = "abc: domain a.example.com is new"},
    {.old_domain = &star, .text = "abc: domain *.a.example.com is gone"},
    {.domain = &targeted,
     .old_domain = &plain,
     .text = "abc: domain a.example.com has another DNS target"},
    {.dyno = &dyno_one, .old_dyno = &dyno_one, .text = NULL},
    {.dyno = &dyno_one, .text = "abc: web.1 10.0.130.56 is new"},
    {.old_dyno = &dyno_one, .text = "abc: web.1 is gone"},
    {.dyno = &dyno_moved, .old_dyno = &dyno_one, .text = "abc: web.1 has the address 10.0.130.57"},
    {.dyno = &dyno_one, .old_dyno = &dyno_crashed, .text = "abc: web.1 is up"},
    {.dyno = &dyno_two, .old_dyno = &dyno_one, .text = "abc: web.2 10.0.130.56 is new"},
    {.type = "web", .text = "abc: process type web is new"},
    {.old_type = "web", .text = "abc: process type web is gone"},
    {.id = "i", .text = "abc: has the id i"},
    {.id = "i", .old_id = "i", .name = "was", .text = "abc: was renamed, from was"},
};

static struct app make(const char *name, const char *id, struct domain *domain,
                       struct formation *formation)
{
    return (struct app){.name = {.text = name},
                        .id = {.text = id},
                        .domains = domain,
                        .domain_count = domain != NULL,
                        .formations = formation,
                        .formation_count = formation->type.text != NULL};
}

TEST_OVER(each_fact_that_differs_is_put_in_words, pairs)
{
    bool has_dynos = pairs[_i].dyno != NULL || pairs[_i].old_dyno != NULL;
    struct formation web = {.type = {.text = has_dynos ? "web" : pairs[_i].type},
                            .dynos = pairs[_i].dyno,
                            .dyno_count = pairs[_i].dyno != NULL};
    struct formation old_web = {.type = {.text = has_dynos ? "web" : pairs[_i].old_type},
                                .dynos = pairs[_i].old_dyno,
                                .dyno_count = pairs[_i].old_dyno != NULL};
    struct app after = make("abc", pairs[_i].id, pairs[_i].domain, &web);
    struct app before = make(pairs[_i].name == NULL ? "abc" : pairs[_i].name, pairs[_i].old_id,
                             pairs[_i].old_domain, &old_web);
    const struct topology topology = {.apps = &after, .app_count = 1};
    const struct space space = {.apps = &before, .app_count = 1};
    struct difference difference;

    ck_assert(difference_find(arena, &topology, &space, &difference));
    ck_assert_int_eq(difference_is_none(&difference), pairs[_i].text == NULL);
    if (pairs[_i].text != NULL)
        ck_assert_str_eq(difference.texts[0], pairs[_i].text);
    else
        ck_assert_uint_eq(difference.text_count, 0);
}

enum { APPS_MOST = 300 };

/* `before` apps with a web dyno, of which the first `gone` vanish and the next `idle` lose theirs.
 */
static bool is_let_through(size_t before, size_t gone, size_t idle, bool internal, struct err *err)
{
    static struct app old[APPS_MOST], new[APPS_MOST];
    static struct dyno dyno = {.number = 1, .ip = 0x0a008238};
    static char names[APPS_MOST][8];
    static char web[] = "web";
    static struct formation up = {.type = {.text = web}, .dynos = &dyno, .dyno_count = 1};
    static struct formation down = {.type = {.text = web}};
    struct difference difference;

    for (size_t i = 0; i < before; i++) {
        snprintf(names[i], sizeof names[i], "app-%zu", i);
        old[i] = make(names[i], NULL, NULL, &up);
        old[i].internal_routing = internal;
        new[i] = make(names[i], NULL, NULL, i < gone + idle ? &down : &up);
    }
    const struct topology topology = {.apps = new + gone, .app_count = before - gone};
    const struct space space = {.apps = old, .app_count = before};
    ck_assert(difference_find(arena, &topology, &space, &difference));
    ck_assert_uint_le(difference.text_count, DIFFERENCE_TEXTS_MOST);
    return difference_judge(&difference, err);
}

static const struct {
    size_t before, gone, idle;
    bool internal, passes;
    const char *sentence; /* its beginning */
} losses[] = {
    {3, 0, 0, true, true, ""},
    {3, 1, 0, false, true, ""},
    {3, 1, 0, true, false, "the topology lacks 1 of the 3 internal apps, such as app-0; nothing"},
    {3, 3, 0, true, false, "the topology lacks 3 of the 3 internal apps, such as app-0; nothing"},
    {19, 0, 19, true, true, ""},
    {200, 0, 20, true, true, ""},
    {199, 0, 20, true, false,
     "in the topology 20 of the 199 apps with a running web dyno have none"},
    {300, 0, 300, true, false, "in the topology 300 of the 300 apps with a running web dyno have"},
    {100, 30, 0, false, false, "in the topology 30 of the 100 apps with a running web dyno have"},
};

TEST_OVER(what_is_probably_an_accident_is_refused, losses)
{
    struct err err = {.text = ""};

    ck_assert_int_eq(is_let_through(losses[_i].before, losses[_i].gone, losses[_i].idle,
                                    losses[_i].internal, &err),
                     losses[_i].passes);
    ck_assert_msg(strncmp(err.text, losses[_i].sentence, strlen(losses[_i].sentence)) == 0, "%s",
                  err.text);
}
