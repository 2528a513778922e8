// timeout: 120
/*
 * Edits of zone files: the subject changes, and every other octet stays.
 */
#include "space/edit.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "space/parse.h"
#include "space/rules.h"
#include "support/edit_check.h"
#include "support/suite.h"

enum { STEPS = 1000, APPS_MOST = 24, TEXT_SIZE = 1 << 16 };

enum verb {
    ADD_APP,
    REMOVE_APP,
    ADD_DOMAIN,
    REMOVE_DOMAIN,
    ADD_DYNO,
    REMOVE_DYNO,
    SET_DOWN,
    RENAME_APP
};

static bool run(struct edit *edit, unsigned verb, struct err *err)
{
    const struct dyno_name dyno = {.app = "abc", .type = "web", .number = 7};
    const char *target = "haiku-1.space-1.herokuspace.com";

    switch (verb) {
    case ADD_APP:
        return edit_add_app(edit, "abc", true, err);
    case REMOVE_APP:
        return edit_remove_app(edit, "abc", err);
    case ADD_DOMAIN:
        return edit_add_domain(edit, "abc", "*.example.com", target, err);
    case REMOVE_DOMAIN:
        return edit_remove_domain(edit, "abc", "A.example.com.", err);
    case ADD_DYNO:
        return edit_add_dyno(edit, &dyno, 0x0a008007, err);
    case REMOVE_DYNO:
        return edit_remove_dyno(edit, &dyno, err);
    case RENAME_APP:
        return edit_rename_app(edit, "abc", "quite-another-name-12345", err);
    default:
        return edit_set_state(edit, &dyno, DYNO_DOWN, err);
    }
}

#define ABC "space: s\napps:\n  - name: abc\n"
#define DOMAIN "{hostname: \"*.example.com\", cname: haiku-1.space-1.herokuspace.com}"
#define DYNO "{number: 7, private_ip: 10.0.128.7, state: up}"

/* The text after the edit; NULL: refused, and unchanged. */
static const struct {
    enum verb verb;
    const char *before;
    const char *after;
} cases[] = {
    /* the list of apps in every form it can have */
    {ADD_APP, "space: s\n", "space: s\napps:\n  - name: abc\n    internal_routing: true\n"},
    {ADD_APP, "space: s", "space: s\napps:\n  - name: abc\n    internal_routing: true"},
    {ADD_APP, "space: s\napps:\n", ABC "    internal_routing: true\n"},
    {ADD_APP, "space: s\napps: # none\nshield: true\n",
     "space: s\napps: # none\n  - name: abc\n    internal_routing: true\nshield: true\n"},
    {ADD_APP, "space: s\napps: ~\n", ABC "    internal_routing: true\n"},
    {ADD_APP, "space: s\napps: []\n", ABC "    internal_routing: true\n"},
    {ADD_APP, "space: s\napps: []  # none\n",
     "space: s\napps:   # none\n  - name: abc\n    internal_routing: true\n"},
    {ADD_APP, "space: s\napps: [{name: x}]  # one\n",
     "space: s\napps: [{name: x}, {name: abc, internal_routing: true}]  # one\n"},
    {ADD_APP, "space: s\napps: [\n  {name: x}, # one\n]\n",
     "space: s\napps: [\n  {name: x}, {name: abc, internal_routing: true}, # one\n]\n"},
    {ADD_APP, "{space: s}\n", "{space: s, apps: [{name: abc, internal_routing: true}]}\n"},
    {ADD_APP, "{space: s, apps: }\n", "{space: s, apps: [{name: abc, internal_routing: true}]}\n"},
    {ADD_APP, "{space: s, apps: []}\n",
     "{space: s, apps: [{name: abc, internal_routing: true}]}\n"},
    {ADD_APP, "space: s\napps:\n- name: x\n# last\n",
     "space: s\napps:\n- name: x\n- name: abc\n  internal_routing: true\n# last\n"},
    {ADD_APP, "space: s\napps:\n    -   name: x # caf\xc3\xa9\n\n\nshield: true\n",
     "space: s\napps:\n    -   name: x # caf\xc3\xa9\n    - name: abc\n      internal_routing: "
     "true\n\n\nshield: true\n"},
    {ADD_APP, "space: s\r\napps:\r\n  - name: x\r\n",
     "space: s\r\napps:\r\n  - name: x\r\n  - name: abc\r\n    internal_routing: true\r\n"},
    {ADD_APP, "\xEF\xBB\xBFspace: s\n",
     "\xEF\xBB\xBFspace: s\napps:\n  - name: abc\n    internal_routing: true\n"},
    {ADD_APP, "---\nspace: s\n...\n",
     "---\nspace: s\napps:\n  - name: abc\n    internal_routing: true\n...\n"},
    {ADD_APP, ABC, NULL},
    {ADD_APP, "space: s\napps: {}x\n", NULL},
    {ADD_APP, "space: s\napps: many\n", NULL},
    {ADD_APP, "space: s\n---\nspace: t\n", NULL},
    /* and its end */
    {REMOVE_APP, ABC, "space: s\napps:\n"},
    {REMOVE_APP, "space: s\napps:\n  # x\n  - name: x\n  # abc\n  - name: abc # bye\n  # y\n",
     "space: s\napps:\n  # x\n  - name: x\n  # abc\n  # y\n"},
    {REMOVE_APP, "space: s\napps:\n  -\n    # why\n    name: abc\n  - name: x\n",
     "space: s\napps:\n  - name: x\n"},
    {REMOVE_APP, "space: s\napps: [{name: abc}]\n", "space: s\napps: []\n"},
    {REMOVE_APP, "space: s\napps: [{name: abc}, {name: x}]\n", "space: s\napps: [{name: x}]\n"},
    {REMOVE_APP, "space: s\napps: [{name: x}, {name: abc}]\n", "space: s\napps: [{name: x}]\n"},
    {REMOVE_APP, "space: s\napps: [{name: x}, {name: abc}, ]\n", "space: s\napps: [{name: x}, ]\n"},
    {REMOVE_APP, "space: s\napps: [\n  {name: abc}, # a\n  # x\n  {name: x} # b\n]\n",
     "space: s\napps: [\n  # x\n  {name: x} # b\n]\n"},
    {REMOVE_APP, "space: s\napps: [\n  {name: x}, # a\n  {name: abc} # b\n]\n",
     "space: s\napps: [\n  {name: x} # a\n]\n"},
    {REMOVE_APP, "space: s\napps: [{name: x}]\n", NULL},
    /* domains */
    {ADD_DOMAIN, ABC, ABC "    domains:\n      - " DOMAIN "\n"},
    {ADD_DOMAIN, ABC "    domains:\n    - {hostname: a.example.com}\n",
     ABC "    domains:\n    - {hostname: a.example.com}\n    - " DOMAIN "\n"},
    {ADD_DOMAIN, "{space: s, apps: [{name: abc}]}",
     "{space: s, apps: [{name: abc, domains: [" DOMAIN "]}]}"},
    {ADD_DOMAIN, ABC "    domains: [{hostname: '*.EXAMPLE.com'}]\n", NULL},
    {ADD_DOMAIN, "space: s\n", NULL},
    {REMOVE_DOMAIN, ABC "    domains:\n      - hostname: a.example.com # it\n        cname: x\n",
     ABC "    domains:\n"},
    {REMOVE_DOMAIN, ABC "    domains: [{hostname: a.example.com}]\n    acm: false\n",
     ABC "    domains: []\n    acm: false\n"},
    {REMOVE_DOMAIN, ABC, NULL},
    /* dynos, in existing and new process types */
    {ADD_DYNO, ABC, ABC "    formation:\n      web:\n        dynos:\n          - " DYNO "\n"},
    {ADD_DYNO, ABC "    formation: {}\n",
     ABC "    formation:\n      web:\n        dynos:\n          - " DYNO "\n"},
    {ADD_DYNO, ABC "    formation: {web: }\n", ABC "    formation: {web: {dynos: [" DYNO "]}}\n"},
    {ADD_DYNO, ABC "    formation: {worker: {dynos: []}}\n",
     ABC "    formation: {worker: {dynos: []}, web: {dynos: [" DYNO "]}}\n"},
    {ADD_DYNO, ABC "    formation:\n      web:\n        dynos: []\n      run:\n",
     ABC "    formation:\n      web:\n        dynos:\n          - " DYNO "\n      run:\n"},
    {ADD_DYNO, ABC "    formation:\n      web:\n        ports: {http: 80} # p\n",
     ABC
     "    formation:\n      web:\n        ports: {http: 80} # p\n        dynos:\n          - " DYNO
     "\n"},
    {ADD_DYNO, ABC "    formation:\n      web:\n      run:\n",
     ABC "    formation:\n      web:\n        dynos:\n          - " DYNO "\n      run:\n"},
    {ADD_DYNO, ABC "    formation: {web: {dynos: [{number: 7}]}}\n", NULL},
    {REMOVE_DYNO, ABC "    formation: {web: {dynos: [{number: 6}, {number: 7}]}}\n",
     ABC "    formation: {web: {dynos: [{number: 6}]}}\n"},
    {REMOVE_DYNO, ABC "    formation: {web: {dynos: [{number: 70}]}}\n", NULL},
    /* states */
    {SET_DOWN, ABC "    formation: {web: {dynos: [{number: 7, state: up}]}} # up\n",
     ABC "    formation: {web: {dynos: [{number: 7, state: down}]}} # up\n"},
    {SET_DOWN, ABC "    formation: {web: {dynos: [{state: \"up\", number: 7}]}}\n",
     ABC "    formation: {web: {dynos: [{state: down, number: 7}]}}\n"},
    {SET_DOWN, ABC "    formation: {web: {dynos: [{number: 7}]}}\n",
     ABC "    formation: {web: {dynos: [{number: 7, state: down}]}}\n"},
    {SET_DOWN, ABC "    formation:\n      web:\n        dynos:\n          - number: 7 # seven\n",
     ABC "    formation:\n      web:\n        dynos:\n          - number: 7 # seven\n            "
         "state: down\n"},
    {SET_DOWN, ABC "    formation: {web: {dynos: [{number: 6}]}}\n", NULL},
    /* names of apps */
    {RENAME_APP, ABC "    id: 1 # abc\n  - name: abcd\n",
     "space: s\napps:\n  - name: quite-another-name-12345\n    id: 1 # abc\n  - name: abcd\n"},
    {RENAME_APP, "apps: [{id: 1, name: \"abc\", default_domain: abc.herokuapp.com}]\n",
     "apps: [{id: 1, name: quite-another-name-12345, default_domain: abc.herokuapp.com}]\n"},
    {RENAME_APP, ABC "  - name: quite-another-name-12345\n", NULL},
    {RENAME_APP, "apps: [{name: abcd}]\n", NULL},
};

TEST_OVER(an_edit_changes_its_subject_and_nothing_else, cases)
{
    edit_check(run, cases[_i].verb, cases[_i].before, cases[_i].after);
}

TEST(a_state_that_is_so_already_is_not_written)
{
    const char *text = ABC "    formation: {web: {dynos: [{number: 7}]}}\n";
    const struct dyno_name dyno = {.app = "abc", .type = "web", .number = 7};
    struct edit edit;
    struct err err;

    ck_assert(edit_init(&edit, text, strlen(text)));
    ck_assert(edit_set_state(&edit, &dyno, DYNO_UP, &err));
    ck_assert_ptr_eq(edit.text, text);
    edit_close(&edit);
}

/* Both names are as long as names are, and differ in every octet. */
TEST(a_long_name_is_replaced_by_another)
{
    static const char text[] = "apps: [{name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}]\n";
    static const char expected[] = "apps: [{name: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb}]\n";
    struct edit edit;
    struct err err;

    ck_assert(edit_init(&edit, text, strlen(text)));
    ck_assert_msg(edit_rename_app(&edit, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", &err),
                  "%s", err.text);
    ck_assert_uint_eq(edit.length, strlen(expected));
    ck_assert_mem_eq(edit.text, expected, edit.length);
    edit_close(&edit);
}

TEST(a_name_that_could_break_out_of_its_quotes_is_refused)
{
    static const char *const names[] = {"a\"b.example.com", "a\\b.example.com", "a\nb.example.com"};
    struct edit edit;
    struct err err;

    ck_assert(edit_init(&edit, ABC, strlen(ABC)));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert(!edit_add_domain(&edit, "abc", names[i], NULL, &err));
    ck_assert(edit_add_domain(&edit, "abc", "a, b: [c] #.example.com", NULL, &err));
    edit_close(&edit);
}

/* ---- many edits of a file full of comments ---- */

static const char commented[] =
    "# -*- yaml -*-  caf\xc3\xa9\n"
    "space:   test-space   # the name\n"
    "routers: [ 10.0.0.37,   10.0.16.21 ] # two\n"
    "\n"
    "# apps, in three ways of writing\n"
    "apps:  # begin\n"
    "  # a block\n"
    "  - name:   kept-block     # kept\n"
    "    domains: # of kept-block\n"
    "      # a comment that stays\n"
    "      - hostname: 'kept.example.com'   # kept\n"
    "        cname: kept-1.space-1.herokuspace.com\n"
    "\n"
    "    formation:   # dynos\n"
    "      web:  # first\n"
    "        dynos:\n"
    "          - {number: 1,   private_ip: 10.0.130.1 }  # kept\n"
    "      # between\n"
    "      worker:   { dynos: [ {number: 1, private_ip: 10.0.130.2, state: idle} ] } # flow\n"
    "  # a flow\n"
    "  - { name: kept-flow,   acm: false }    # kept too\n"
    "  # the end of apps\n"
    "\n"
    "# after the apps\n"
    "trusted_ips: [ 192.0.2.0/26 ]   # last\n";

/* The part of the model that edits change. */
struct known {
    bool has_app[APPS_MOST];
    bool has_domain[APPS_MOST];
    int dyno[APPS_MOST]; /* 0 none, 1 up, 2 down */
};

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 16;
}

static bool step(struct edit *edit, struct known *known, uint32_t *random, struct err *err)
{
    unsigned i = next_random(random) % APPS_MOST;
    char app[32], host[64], target[64];
    const struct dyno_name dyno = {.app = app, .type = i % 3 == 0 ? "web" : "w_1", .number = 1 + i};

    snprintf(app, sizeof app, "app-%u", i);
    snprintf(host, sizeof host, "%sh%u.example.com", i % 2 == 0 ? "*." : "", i);
    snprintf(target, sizeof target, "t-%u.s-1.herokuspace.com", i);
    if (!known->has_app[i])
        return (known->has_app[i] = edit_add_app(edit, app, i % 4 == 0, err));
    switch (next_random(random) % 8) {
    case 0:
        known->has_app[i] = known->has_domain[i] = false;
        known->dyno[i] = 0;
        return edit_remove_app(edit, app, err);
    case 1:
    case 2:
    case 3:
        known->has_domain[i] = !known->has_domain[i];
        return known->has_domain[i] ? edit_add_domain(edit, app, host, target, err)
                                    : edit_remove_domain(edit, app, host, err);
    case 4:
        if (known->dyno[i] != 0) {
            known->dyno[i] = 0;
            return edit_remove_dyno(edit, &dyno, err);
        }
        /* fall through */
    default:
        if (known->dyno[i] == 0) {
            known->dyno[i] = 1;
            return edit_add_dyno(edit, &dyno, 0x0a009001 + i, err);
        }
        known->dyno[i] = 3 - known->dyno[i];
        return edit_set_state(edit, &dyno, known->dyno[i] == 1 ? DYNO_UP : DYNO_DOWN, err);
    }
}

/* Every line of the first text is still there, in its order; all others are additions. */
static void check_kept(const char *text, size_t length, const char *first)
{
    const char *end = text + length;

    for (const char *line = first; *line != '\0'; line = strchr(line, '\n') + 1) {
        size_t size = (size_t)(strchr(line, '\n') + 1 - line);
        while (text < end && strncmp(text, line, size) != 0)
            text = (const char *)memchr(text, '\n', (size_t)(end - text)) + 1;
        ck_assert_msg(text < end, "lost: %.*s", (int)size, line);
        text += size;
    }
}

static void check_model(const char *text, size_t length, const struct known *known)
{
    struct arena *arena = arena_new();
    struct report *report = report_new();
    struct suffixes suffixes = suffixes_default();
    const struct space *space = space_parse(arena, "test.yaml", text, length, report);
    size_t apps = 2, domains = 0;

    ck_assert_ptr_nonnull(space);
    space_check(space, &suffixes, report);
    if (!report_is_clean(report))
        report_print(report, stderr);
    ck_assert_msg(report_is_clean(report), "%.*s", (int)length, text);
    for (size_t i = 0; i < APPS_MOST; i++) {
        apps += known->has_app[i];
        domains += known->has_domain[i];
    }
    ck_assert_uint_eq(space->app_count, apps);
    for (size_t i = 0; i < space->app_count; i++) {
        const struct app *app = &space->apps[i];
        unsigned number = 0;
        if (sscanf(app->name.text, "app-%u", &number) != 1)
            continue;
        ck_assert_uint_eq(app->domain_count, known->has_domain[number]);
        int dyno = app->formation_count == 0 || app->formations[0].dyno_count == 0
                       ? 0
                       : 1 + (app->formations[0].dynos[0].state == DYNO_DOWN);
        ck_assert_int_eq(dyno, known->dyno[number]);
        domains -= app->domain_count;
    }
    ck_assert_uint_eq(domains, 0);
    report_free(report);
    arena_free(arena);
}

/* The test's number selects the line ends. */
static void write_first(char *first, bool has_returns)
{
    for (const char *next = commented; *next != '\0'; next++) {
        if (has_returns && *next == '\n')
            *first++ = '\r';
        *first++ = *next;
    }
    *first = '\0';
}

TEST_LOOP(a_thousand_edits_keep_every_other_octet, 0, 2)
{
    static char text[TEXT_SIZE], first[TEXT_SIZE];
    struct known known = {.has_app = {false}};
    uint32_t random = 70544 + (uint32_t)_i;

    write_first(first, _i == 1);
    strcpy(text, first);
    size_t length = strlen(text);
    for (unsigned i = 0; i < STEPS; i++) {
        struct edit edit;
        struct err err = {.code = ERR_NONE};
        ck_assert(edit_init(&edit, text, length));
        ck_assert_msg(step(&edit, &known, &random, &err), "step %u: %s", i, err.text);
        ck_assert_uint_lt(edit.length, sizeof text);
        length = edit.length;
        memcpy(text, edit.text, length);
        edit_close(&edit);
        check_kept(text, length, first);
        check_model(text, length, &known);
    }
}

TEST(an_addition_that_is_removed_leaves_no_trace)
{
    struct edit edit;
    struct err err;
    const struct dyno_name dyno = {.app = "kept-block", .type = "web", .number = 2};

    ck_assert(edit_init(&edit, commented, strlen(commented)));
    ck_assert(edit_add_app(&edit, "abc", true, &err));
    ck_assert(edit_add_domain(&edit, "abc", "a.example.com", NULL, &err));
    ck_assert(edit_add_domain(&edit, "kept-block", "b.example.com", NULL, &err));
    ck_assert(edit_add_dyno(&edit, &dyno, 0x0a008205, &err));
    ck_assert(edit_set_state(&edit, &dyno, DYNO_CRASHED, &err));
    ck_assert(edit_remove_dyno(&edit, &dyno, &err));
    ck_assert(edit_remove_domain(&edit, "kept-block", "b.example.com", &err));
    ck_assert(edit_remove_app(&edit, "abc", &err));
    ck_assert_uint_eq(edit.length, strlen(commented));
    ck_assert_mem_eq(edit.text, commented, edit.length);
    edit_close(&edit);
}

static const struct {
    const char *before, *after;
} endings[] = {
    {"space: s\n", "space: s\n...\n"},
    {"space: s", "space: s\n...\n"},
    {"space: s\r\napps: []\r\n", "space: s\r\napps: []\r\n...\r\n"},
    {"space: s\r\napps: []", "space: s\r\napps: []\r\n...\r\n"},
    {"space: s\n# the end\n\n", "space: s\n# the end\n\n...\n"},
    {"space: s\nregion: |\n  x\n\n", "space: s\nregion: |\n  x\n\n...\n"},
    {"{space: s}\n", "{space: s}\n...\n"},
    {"space: s\n...\n", "space: s\n...\n"},
    {"space: s\n...", "space: s\n..."},
    {"space: s\n...\n# more\n", "space: s\n...\n# more\n...\n"},
    {"space: s\n... # the end\n", "space: s\n... # the end\n"},
    {"---\nspace: s\n", "---\nspace: s\n...\n"},
    {"%YAML 1.1\n---\nspace: s", "%YAML 1.1\n---\nspace: s\n...\n"},
    {"\xef\xbb\xbfspace: s\n", "\xef\xbb\xbfspace: s\n...\n"},
    {"space: s\nregion: |+\n  x\n\n", "space: s\nregion: |+\n  x\n\n...\n"},
    {"space: s\n  ...\n", "space: s\n  ...\n...\n"},
    {"space: |\n ...\n", "space: |\n ...\n...\n"},
    {"space: s #...", "space: s #...\n...\n"},
};

TEST_OVER(the_end_is_marked_once, endings)
{
    struct edit edit;
    struct err err;
    const char *before = endings[_i].before, *after = endings[_i].after;

    ck_assert(edit_init(&edit, before, strlen(before)));
    ck_assert_msg(edit_mark_end(&edit, &err), "%s", err.text);
    ck_assert_uint_eq(edit.length, strlen(after));
    ck_assert_mem_eq(edit.text, after, edit.length);
    edit_close(&edit);
}

TEST(invalid_yaml_is_not_marked)
{
    static const char before[] = "{space: s}...\n";
    struct edit edit;
    struct err err = {.code = ERR_NONE};

    ck_assert(edit_init(&edit, before, strlen(before)));
    ck_assert(!edit_mark_end(&edit, &err));
    ck_assert_int_ne(err.code, ERR_NONE);
    ck_assert_ptr_nonnull(strstr(err.text, "no YAML"));
    ck_assert_mem_eq(edit.text, before, strlen(before));
    edit_close(&edit);
}

TEST(an_edit_keeps_the_end_mark_at_the_end)
{
    struct edit edit;
    struct err err;
    static const char before[] = "space: s\n...\n";
    static const char after[] = "space: s\napps:\n  - name: abc\n    internal_routing: true\n...\n";

    ck_assert(edit_init(&edit, before, strlen(before)));
    ck_assert_msg(edit_add_app(&edit, "abc", true, &err), "%s", err.text);
    ck_assert_uint_eq(edit.length, strlen(after));
    ck_assert_mem_eq(edit.text, after, edit.length);
    ck_assert_msg(edit_remove_app(&edit, "abc", &err), "%s", err.text);
    ck_assert_mem_eq(edit.text + edit.length - 4, "...\n", 4);
    edit_close(&edit);
}
