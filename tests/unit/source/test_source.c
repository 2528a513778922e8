/*
 * What the interface promises whoever loads from a source, shown on texts in memory.
 */
#include "source/source.h"

#include <stdlib.h>
#include <string.h>

#include "findings/report.h"
#include "support/memory_source.h"
#include "support/suite.h"

static struct memory_source memory;
static struct source *const source = &memory.source;
static struct arena *arena;
static struct report *report;
static unsigned changes;

static void set_up(void)
{
    memory_source_init(&memory);
    arena = arena_new();
    report = report_new();
    changes = 0;
}

static void tear_down(void)
{
    report_free(report);
    arena_free(arena);
}

static const struct {
    struct source_stamp a, b;
    bool is_same;
} stamps[] = {
    {{{1, 2, 3, 4, 5}}, {{1, 2, 3, 4, 5}}, true},
    {{{1, 2, 3, 4, 5}}, {{1, 2, 3, 4, 6}}, false},
    {{{7}}, {{7}}, true},
    {{{7}}, {{0}}, false},
    {{{0}}, {{7}}, false},
    {{{0}}, {{0}}, false}, /* no stamp says nothing */
};

FIXTURE(set_up, tear_down)

TEST_OVER(stamps_are_the_same_when_all_words_are, stamps)
{
    ck_assert_int_eq(source_stamp_is_same(&stamps[_i].a, &stamps[_i].b), stamps[_i].is_same);
}

static const struct {
    const char *root, *name;
} roots[] = {
    {"zones", "zones/a"}, {"zones/", "zones/a"}, {"/etc/zones///", "/etc/zones/a"}, {"/", "//a"}};

TEST_OVER(a_name_is_below_the_root_whatever_slashes_that_has, roots)
{
    memory.source.root = roots[_i].root;
    ck_assert_str_eq(source_name(source, arena, "a"), roots[_i].name);
}

/* "NAME=TEXT@REVISION " of every text of the next view. */
static const char *show(void)
{
    static char shown[256];
    struct source_names names;
    struct err err;

    ck_assert(source->list(source, arena, &names, &err));
    shown[0] = '\0';
    for (size_t i = 0; i < names.count; i++) {
        struct source_text text;
        struct source_stamp stamp = source->stamp(source, names.names[i]);
        ck_assert(source->read(source, names.names[i], &text, report));
        ck_assert(source_stamp_is_same(&stamp, &text.stamp));
        size_t used = strlen(shown);
        snprintf(shown + used, sizeof shown - used, "%s=%s@%u ", names.names[i], text.octets,
                 (unsigned)stamp.words[0]);
        free(text.octets);
    }
    return shown;
}

TEST(texts_that_are_changed_together_are_seen_together)
{
    memory_source_put(&memory, "b", "1");
    memory_source_put(&memory, "a", "1");
    memory_source_commit(&memory);
    ck_assert_str_eq(show(), "registry/a=1@1 registry/b=1@1 ");
    memory_source_put(&memory, "a", NULL);
    memory_source_put(&memory, "b", "2");
    memory_source_put(&memory, "c", "2");
    ck_assert_str_eq(show(), "registry/a=1@1 registry/b=1@1 ");
    memory_source_commit(&memory);
    ck_assert_str_eq(show(), "registry/b=2@2 registry/c=2@2 ");
}

TEST(a_view_stays_until_the_next_list)
{
    struct source_names names;
    struct source_text text;
    struct err err;

    memory_source_put(&memory, "a", "1");
    memory_source_commit(&memory);
    ck_assert(source->list(source, arena, &names, &err));
    memory_source_put(&memory, "a", NULL);
    memory_source_put(&memory, "b", "2");
    memory_source_commit(&memory);
    ck_assert(source->read(source, names.names[0], &text, report));
    ck_assert_str_eq(text.octets, "1");
    free(text.octets);
    ck_assert_str_eq(show(), "registry/b=2@2 ");
}

static void count_change(void *context)
{
    ++*(unsigned *)context;
}

TEST(a_change_comes_by_itself_once_for_all_its_texts)
{
    const struct source_listener listener = {.on_change = count_change, .context = &changes};
    struct err err;

    ck_assert(source->watch(source, &listener, &err));
    ck_assert_uint_eq(changes, 0);
    memory_source_put(&memory, "a", "1");
    memory_source_put(&memory, "b", "1");
    ck_assert_uint_eq(changes, 0);
    memory_source_commit(&memory);
    ck_assert_uint_eq(changes, 1);
}
