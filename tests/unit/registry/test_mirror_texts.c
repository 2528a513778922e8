/* Texts of documents: how long they stay in memory, and what stays with them. */
#include <string.h>

#include "base/arena.h"
#include "registry/mirror.h"
#include "support/suite.h"

enum { TEXT_OCTETS = 6000 };

static struct mirror mirror;
static char text[TEXT_OCTETS + 1];

static void set_up(void)
{
    struct keys keys;
    struct err err;

    ck_assert(keys_init(&keys, "/spacedns", "eu", &err));
    ck_assert(
        mirror_init(&mirror, &(struct mirror_options){.keys = &keys, .is_canary = true}, &err));
    memset(text, '#', TEXT_OCTETS);
}

static void tear_down(void)
{
    mirror_close(&mirror);
}

FIXTURE(set_up, tear_down)

static void put(const char *key, const char *value, int64_t revision)
{
    mirror_put(&mirror, &(struct etcd_pair){.key = octets_of(key),
                                            .value = octets_of(value),
                                            .create_revision = revision,
                                            .mod_revision = revision});
}

static void finish(void)
{
    struct mirror_news news;

    mirror_finish(&mirror, 1, &news);
}

/* All is in force but what `kept` names. */
static void load(char *kept)
{
    struct load_last_good last_good = {.file = kept};
    const struct load_outcome outcome = {.last_good = &last_good,
                                         .last_good_count = kept == NULL ? 0 : 1};
    struct registry_keys keys;

    ck_assert(mirror_take(&mirror, REGISTRY_LOAD, &keys));
    mirror_note(&mirror, &outcome, NULL);
}

TEST(a_text_in_force_goes)
{
    put("/spacedns/eu/z/one", text, 5);
    finish();
    ck_assert_str_eq(mirror_find(&mirror, "one")->document->text, text);
    load(NULL);
    ck_assert_ptr_null(mirror_find(&mirror, "one")->document->text);
    ck_assert_ptr_null(mirror_find(&mirror, "one")->document->texts);
}

TEST(a_text_that_is_kept_out_stays_without_those_that_came_with_it)
{
    char kept[] = "z/two";

    put("/spacedns/eu/z/one", text, 5);
    put("/spacedns/eu/z/two", text, 5);
    put("/spacedns/eu/z/three", text, 5);
    finish();
    const struct mirror_document *document = mirror_find(&mirror, "two")->document;
    ck_assert_uint_eq(arena_used(document->texts), 3 * (TEXT_OCTETS + 1));
    load(kept);
    ck_assert_str_eq(document->text, text);
    ck_assert_uint_eq(arena_used(document->texts), TEXT_OCTETS + 1);
}

TEST(a_removal_needs_no_text)
{
    put("/spacedns/eu/next/one", "-\n", 5);
    finish();
    ck_assert(mirror_find(&mirror, "one")->candidate->is_removal);
    ck_assert_ptr_null(mirror_find(&mirror, "one")->candidate->texts);
}
