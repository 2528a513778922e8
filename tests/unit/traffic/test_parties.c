#include "traffic/parties.h"

#include <stdio.h>
#include <string.h>

#include "support/suite.h"

enum { MANY = 5000 };

static struct parties *parties;

static void set_up(void)
{
    parties = parties_new();
    ck_assert_ptr_nonnull(parties);
}

static void tear_down(void)
{
    parties_free(parties);
}

FIXTURE(set_up, tear_down)

static struct party_key key_of(enum party_kind kind, const char *space, const char *name)
{
    return (struct party_key){.kind = kind,
                              .space = space,
                              .space_length = strlen(space),
                              .name = name,
                              .name_length = strlen(name)};
}

static uint32_t add(enum party_kind kind, const char *space, const char *name)
{
    struct party_key key = key_of(kind, space, name);

    return parties_add(parties, &key);
}

TEST(a_party_is_known_by_kind_space_and_name)
{
    uint32_t app = add(PARTY_APP, "test-space", "office");

    ck_assert_uint_ne(app, PARTY_NONE);
    ck_assert_uint_eq(add(PARTY_APP, "test-space", "office"), app);
    ck_assert_uint_ne(add(PARTY_VPN, "test-space", "office"), app);
    ck_assert_uint_ne(add(PARTY_APP, "test-spac", "eoffice"), app);
    ck_assert_uint_ne(add(PARTY_APP, "other-space", "office"), app);
    ck_assert_str_eq(parties_at(parties, app)->space, "test-space");
    ck_assert_str_eq(parties_at(parties, app)->name, "office");
}

TEST(nobody_has_no_name)
{
    uint32_t outside = parties_add(parties, &(struct party_key){.kind = PARTY_OUTSIDE});

    ck_assert_uint_ne(outside, PARTY_NONE);
    ck_assert_str_eq(parties_at(parties, outside)->name, "");
    ck_assert_uint_eq(parties_find(parties, &(struct party_key){.kind = PARTY_OUTSIDE}), outside);
}

TEST(what_is_held_stays_and_the_rest_is_forgotten)
{
    char name[16];
    uint32_t numbers[MANY];

    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "app-%u", i);
        numbers[i] = add(PARTY_APP, "s", name);
        if (i % 3 == 0)
            parties_hold(parties, numbers[i]);
    }
    parties_collect(parties);
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "app-%u", i);
        struct party_key key = key_of(PARTY_APP, "s", name);
        ck_assert_uint_eq(parties_find(parties, &key), i % 3 == 0 ? numbers[i] : PARTY_NONE);
    }
    uint32_t end = parties_end(parties);
    add(PARTY_APP, "s", "another");
    ck_assert_uint_eq(parties_end(parties), end); /* with the number of one that was forgotten */
}

TEST(a_released_party_that_is_held_again_stays)
{
    uint32_t app = add(PARTY_APP, "s", "app");

    parties_hold(parties, app);
    parties_release(parties, app);
    parties_hold(parties, app);
    parties_collect(parties);
    ck_assert_str_eq(parties_at(parties, app)->name, "app");
    parties_release(parties, app);
    parties_collect(parties);
    struct party_key key = key_of(PARTY_APP, "s", "app");
    ck_assert_uint_eq(parties_find(parties, &key), PARTY_NONE);
}
