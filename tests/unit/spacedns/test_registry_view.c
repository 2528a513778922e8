#include "spacedns/registry_view.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

/* What registry_read would have made of z/beta and z/delta. */
static struct registry_view view;
static struct keys keys;

static struct line_text over(const char *text)
{
    return (struct line_text){.octets = text, .length = strlen(text)};
}

static void add(const char *name, const char *text, uint64_t created, uint64_t modified)
{
    struct registry_document *documents =
        arena_grow(view.arena, view.documents, view.count, &view.capacity, sizeof *documents);

    ck_assert_ptr_nonnull(documents);
    view.documents = documents;
    documents[view.count++] = (struct registry_document){.space = name + 2,
                                                         .name = name,
                                                         .text = over(text),
                                                         .created = created,
                                                         .modified = modified};
}

static void open_view(void)
{
    struct err err;

    ck_assert(keys_init(&keys, "/spacedns", "eu", &err));
    registry_view_init(&view, &keys, &err);
    ck_assert_ptr_nonnull(view.arena);
    add("z/beta", "space: beta\n", 3, 7);
    add("z/delta", "space: delta\n", 4, 4);
}

static void close_view(void)
{
    registry_view_close(&view);
}

FIXTURE(open_view, close_view)

/* The names that are listed, with blanks between. */
static const char *listed(void)
{
    static char text[256];
    struct arena *arena = arena_new();
    struct source_names names = {.count = 0};
    struct err err;

    text[0] = '\0';
    if (!view.source.list(&view.source, arena, &names, &err))
        ck_assert_int_eq(err.code, ERR_RULE);
    for (size_t i = 0; i < names.count; i++) {
        strcat(text, i == 0 ? "" : " ");
        strcat(text, names.names[i]);
    }
    arena_free(arena);
    ck_assert_uint_eq(registry_view_count_listed(&view), names.count);
    return text;
}

static void expect_text(const char *name, const char *wanted)
{
    struct source_text text = {.octets = NULL};
    struct report *report = report_new();

    ck_assert(view.source.read(&view.source, name, &text, report));
    ck_assert_str_eq(text.octets, wanted);
    ck_assert_uint_eq(text.length, strlen(wanted));
    free(text.octets);
    report_free(report);
}

TEST(documents_are_the_texts_with_their_revisions)
{
    ck_assert_str_eq(listed(), "z/beta z/delta");
    const struct source_stamp stamp = view.source.stamp(&view.source, "z/beta");
    ck_assert_uint_eq(stamp.words[0], 7);
    ck_assert_uint_eq(stamp.words[1], 3);
    expect_text("z/beta", "space: beta\n");
}

TEST(a_draft_is_read_instead_and_has_no_stamp)
{
    const struct source_stamp none = {.words = {0}};

    ck_assert(registry_view_draft(&view, "beta", over("space: beta\nregion: x\n")));
    const struct source_stamp stamp = view.source.stamp(&view.source, "z/beta");
    ck_assert_int_eq(memcmp(&stamp, &none, sizeof none), 0);
    expect_text("z/beta", "space: beta\nregion: x\n");
    expect_text("z/delta", "space: delta\n");
    registry_view_drop_drafts(&view);
    expect_text("z/beta", "space: beta\n");
}

static const struct {
    const char *space;
    const char *listed;
} new_spaces[] = {
    {"alpha", "z/alpha z/beta z/delta"},
    {"beta-2", "z/beta z/beta-2 z/delta"},
    {"carbon", "z/beta z/carbon z/delta"},
    {"epsilon", "z/beta z/delta z/epsilon"},
};

TEST_OVER(a_draft_of_a_new_space_is_listed_in_its_place, new_spaces)
{
    ck_assert(registry_view_draft(&view, new_spaces[_i].space, over("x")));
    ck_assert_str_eq(listed(), new_spaces[_i].listed);
    registry_view_drop_drafts(&view);
    ck_assert_str_eq(listed(), "z/beta z/delta");
}

TEST(a_draft_may_be_a_removal)
{
    ck_assert(registry_view_draft(&view, "beta", (struct line_text){.octets = NULL}));
    ck_assert_str_eq(listed(), "z/delta");
    ck_assert(registry_view_draft(&view, "delta", (struct line_text){.octets = NULL}));
    ck_assert_str_eq(listed(), "");
}

TEST(a_hidden_document_comes_back_with_a_draft)
{
    registry_view_find(&view, "beta")->is_hidden = true;
    ck_assert_str_eq(listed(), "z/delta");
    ck_assert(registry_view_draft(&view, "beta", over("space: beta\n")));
    ck_assert_str_eq(listed(), "z/beta z/delta");
}

static const char *const absent[] = {"", "bet", "beta2", "zeta", "z/beta"};

TEST_OVER(other_names_are_not_found, absent)
{
    ck_assert_ptr_null(registry_view_find(&view, absent[_i]));
    ck_assert_ptr_null(registry_texts_find(&view.fixed, absent[_i]));
}
