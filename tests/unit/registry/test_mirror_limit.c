/* More spaces than one cell may have: which are left out, and that they come when there is room. */
#include <stdio.h>
#include <string.h>

#include "findings/report.h"
#include "registry/mirror.h"
#include "support/suite.h"

enum { REVISION = 5, LATER = 9 };

static struct mirror mirror;

/* Full: s0 … s65534. */
static void set_up(void)
{
    struct keys keys;
    struct err err;

    ck_assert(keys_init(&keys, "/spacedns", "eu", &err));
    ck_assert(mirror_init(&mirror, &(struct mirror_options){.keys = &keys}, &err));
    mirror_begin_read(&mirror, false);
    for (unsigned i = 0; i < MIRROR_SPACES_MOST; i++) {
        char key[64];
        snprintf(key, sizeof key, "/spacedns/eu/z/s%u", i);
        mirror_put(&mirror, &(struct etcd_pair){.key = octets_of(key),
                                                .value = octets_of("x"),
                                                .create_revision = REVISION,
                                                .mod_revision = REVISION});
    }
    mirror_end_read(&mirror, REVISION);
}

static void tear_down(void)
{
    mirror_close(&mirror);
}

FIXTURE(set_up, tear_down)

static struct etcd_pair pair_of(const char *key)
{
    return (struct etcd_pair){.key = octets_of(key),
                              .value = octets_of("x"),
                              .create_revision = LATER,
                              .mod_revision = LATER};
}

static void put(const char *key)
{
    const struct etcd_pair pair = pair_of(key);

    mirror_put(&mirror, &pair);
}

static void load(void)
{
    const struct load_outcome outcome = {.last_good_count = 0};
    struct mirror_news news;
    struct registry_keys keys;

    mirror_finish(&mirror, 1, &news);
    ck_assert(mirror_take(&mirror, REGISTRY_LOAD, &keys));
    mirror_note(&mirror, &outcome, NULL);
}

/* An audit finds these names, and those of all that is known. */
static size_t find_names(const char *const *names, size_t count)
{
    struct etcd_pair pairs[4] = {{.mod_revision = 0}};

    for (size_t i = 0; i < count; i++)
        pairs[i] = pair_of(names[i]);
    return mirror_end_names_audit(&mirror, pairs, count, LATER);
}

TEST(one_more_is_left_out_and_reported)
{
    put("/spacedns/eu/z/t1");
    ck_assert_ptr_null(mirror_find(&mirror, "t1"));
    struct report *report = mirror_take_report(&mirror);
    ck_assert_ptr_nonnull(report);
    ck_assert_str_eq(report_findings(report)[0].sentence,
                     "space t1 is one more than 65535, and not served; make further cells");
    report_free(report);
    ck_assert(!mirror.has_failed);
}

TEST(once_there_is_room_the_next_audit_looks_for_names)
{
    const char *const names[] = {"/spacedns/eu/z/t1", "/spacedns/eu/z/t2"};

    put(names[0]);
    put(names[1]);
    load();
    ck_assert_uint_eq(mirror_audits_due(&mirror), 0);
    mirror_delete(&mirror, octets_of("/spacedns/eu/z/s7"), LATER);
    load();
    ck_assert_uint_eq(mirror_audits_due(&mirror), 1);
    ck_assert_ptr_null(mirror_begin_audit(&mirror));
    ck_assert_uint_eq(find_names(names, 2), 1);
    ck_assert_ptr_nonnull(mirror_find(&mirror, "t1"));
    ck_assert(mirror.has_missing);
    /* There was room for one; the other is no fault of memory. */
    ck_assert_ptr_null(mirror_find(&mirror, "t2"));
    ck_assert(!mirror.has_failed);
}

TEST(an_audit_of_names_that_was_spoiled_is_repeated)
{
    mirror_delete(&mirror, octets_of("/spacedns/eu/z/s7"), LATER);
    load();
    ck_assert_ptr_null(mirror_begin_audit(&mirror));
    put("/spacedns/eu/z/s8");
    ck_assert_uint_eq(find_names(NULL, 0), 0);
    ck_assert_uint_eq(mirror_audits_due(&mirror), 1);
    ck_assert_ptr_null(mirror_begin_audit(&mirror));
    ck_assert_uint_eq(find_names(NULL, 0), 0);
    ck_assert_uint_eq(mirror_audits_due(&mirror), 0);
}

TEST(names_beyond_the_limit_are_no_lack_of_memory)
{
    const char *const names[] = {"/spacedns/eu/f/t1", "/spacedns/eu/next/t1", "/spacedns/eu/z/t1"};

    mirror.audited[0] = 't'; /* the last space was looked at */
    ck_assert_ptr_null(mirror_begin_audit(&mirror));
    ck_assert_uint_eq(find_names(names, 3), 0);
    ck_assert_ptr_null(mirror_find(&mirror, "t1"));
    ck_assert(!mirror.has_failed);
}
