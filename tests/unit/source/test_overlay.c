#include "source/overlay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "findings/report.h"
#include "support/memory_source.h"
#include "support/suite.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct memory_source memory;
static struct overlay overlay;
static struct source *const source = &overlay.source;
static struct arena *arena;
static struct report *report;
static struct err err;

static void set_up(void)
{
    memory_source_init(&memory);
    arena = arena_new();
    report = report_new();
    err.code = ERR_NONE;
}

static void tear_down(void)
{
    report_free(report);
    arena_free(arena);
}

/* The base has a and c. */
static void fill_base(void)
{
    memory_source_put(&memory, "a", "base a");
    memory_source_put(&memory, "c", "base c");
    memory_source_commit(&memory);
}

static struct overlay_text text_of(const char *name, const char *octets)
{
    return (struct overlay_text){
        .name = name, .octets = octets, .length = octets == NULL ? 0 : strlen(octets)};
}

/* "NAME=TEXT " of every text, with "*" where a stamp vouches for it. */
static const char *show(const struct overlay_text *texts, size_t count)
{
    static char shown[256];
    struct source_names names;

    overlay_init(&overlay, &memory.source, texts, count);
    ck_assert_msg(source->list(source, arena, &names, &err), "%s", err.text);
    shown[0] = '\0';
    for (size_t i = 0; i < names.count; i++) {
        struct source_text text;
        struct source_stamp stamp = source->stamp(source, names.names[i]);
        ck_assert(source->read(source, names.names[i], &text, report));
        size_t used = strlen(shown);
        snprintf(shown + used, sizeof shown - used, "%s=%.*s%s ", names.names[i], (int)text.length,
                 text.octets, source_stamp_is_same(&stamp, &text.stamp) ? "*" : "");
        free(text.octets);
    }
    return shown;
}

static const struct {
    const char *name, *octets, *shown;
} cases[] = {
    {"registry/b", "new", "registry/a=base a* registry/b=new registry/c=base c* "},
    {"registry/c", "new", "registry/a=base a* registry/c=new "},
    {"registry/a", "", "registry/a= registry/c=base c* "},
    {"registry/a", NULL, "registry/c=base c* "},
    {"registry/d", NULL, "registry/a=base a* registry/c=base c* "},
};

FIXTURE(set_up, tear_down)

TEST_OVER(a_text_is_added_replaced_or_removed, cases)
{
    const struct overlay_text text = text_of(cases[_i].name, cases[_i].octets);

    fill_base();
    ck_assert_str_eq(show(&text, 1), cases[_i].shown);
}

TEST(several_texts_change_at_once)
{
    const struct overlay_text texts[] = {text_of("registry/a", NULL), text_of("registry/d", "d"),
                                         text_of("registry/b", "b")};

    fill_base();
    ck_assert_str_eq(show(texts, COUNT(texts)), "registry/b=b registry/c=base c* registry/d=d ");
}

TEST(the_base_is_seen_through_no_text_and_stays_as_it_is)
{
    const struct overlay_text text = text_of("registry/a", "new");

    fill_base();
    show(&text, 1);
    ck_assert_str_eq(show(NULL, 0), "registry/a=base a* registry/c=base c* ");
    ck_assert_str_eq(source->root, "registry");
    ck_assert(source->watch == NULL);
}

TEST(a_base_may_be_empty)
{
    const struct overlay_text text = text_of("registry/a", "first");

    ck_assert_str_eq(show(&text, 1), "registry/a=first ");
    ck_assert_int_eq(err.code, ERR_NONE);
}

TEST(an_overlay_without_any_text_is_empty)
{
    const struct overlay_text texts[] = {text_of("registry/a", NULL), text_of("registry/c", NULL)};
    struct source_names names;

    fill_base();
    overlay_init(&overlay, &memory.source, texts, COUNT(texts));
    ck_assert(!source->list(source, arena, &names, &err));
    ck_assert_int_eq(err.code, ERR_RULE);
}

static bool fail_list(struct source *base, struct arena *unused, struct source_names *names,
                      struct err *cause)
{
    (void)base;
    (void)unused;
    (void)names;
    return err_set(cause, ERR_SYSTEM, "cannot be read");
}

TEST(a_base_that_cannot_be_listed_fails_the_overlay)
{
    const struct overlay_text text = text_of("registry/a", "first");
    struct source_names names;

    memory.source.list = fail_list;
    overlay_init(&overlay, &memory.source, &text, 1);
    ck_assert(!source->list(source, arena, &names, &err));
    ck_assert_int_eq(err.code, ERR_SYSTEM);
    ck_assert_str_eq(err.text, "cannot be read");
}
