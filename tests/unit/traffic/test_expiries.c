#include "traffic/expiries.h"

#include "support/suite.h"

enum { DYNOS = 50000, STEPS = 200000, NOW = 1700000000 };

static struct parties *parties;
static struct expiries *expiries;
static uint32_t app, web, worker;

static uint32_t add(enum party_kind kind, const char *name, size_t length)
{
    uint32_t party = parties_add(
        parties, &(struct party_key){.kind = kind, .name = name, .name_length = length});

    parties_hold(parties, party);
    return party;
}

static void make(uint32_t most)
{
    parties = parties_new();
    app = add(PARTY_APP, "app", 3);
    web = add(PARTY_WORD, "web", 3);
    worker = add(PARTY_WORD, "worker", 6);
    expiries = expiries_new(parties, most);
    ck_assert_ptr_nonnull(expiries);
}

static void tear_down(void)
{
    expiries_free(expiries);
    parties_free(parties);
}

static void no_set_up(void)
{
}

FIXTURE(no_set_up, tear_down)

static void raise_until(uint32_t ip, uint32_t until_s, uint32_t now_s)
{
    expiries_raise(
        expiries,
        &(struct expiry){.app = app, .type = web, .number = ip, .ip = ip, .until_s = until_s},
        now_s);
}

static const struct expiry *find(uint32_t ip)
{
    for (const struct expiry *each = expiries_next(expiries, NULL); each != NULL;
         each = expiries_next(expiries, each))
        if (each->ip == ip)
            return each;
    return NULL;
}

TEST(the_latest_expiry_counts)
{
    make(100);
    raise_until(1, NOW + 10, NOW);
    raise_until(1, NOW + 5, NOW + 1);
    ck_assert_uint_eq(find(1)->until_s, NOW + 10);
    ck_assert_uint_eq(expiries_floor(expiries), 0);
}

TEST(an_address_that_goes_to_another_dyno_keeps_its_expiry)
{
    make(100);
    raise_until(1, NOW + 10, NOW);
    expiries_raise(
        expiries,
        &(struct expiry){.app = app, .type = worker, .number = 7, .ip = 1, .until_s = NOW + 2},
        NOW);
    ck_assert_uint_eq(find(1)->type, worker);
    ck_assert_uint_eq(find(1)->number, 7);
    ck_assert_uint_eq(find(1)->until_s, NOW + 10);
}

TEST(what_has_no_room_raises_the_floor)
{
    make(10);
    for (uint32_t i = 0; i < 12; i++)
        raise_until(i, NOW + 100 + i, NOW);
    ck_assert_ptr_nonnull(find(9));
    ck_assert_ptr_null(find(10));
    ck_assert_uint_eq(expiries_floor(expiries), NOW + 111);
    raise_until(20, NOW + 300, NOW + 105); /* the first ones have expired */
    ck_assert_ptr_nonnull(find(20));
    ck_assert_ptr_null(find(3));
}

/* Every dyno that the plain list has in use is there, with the same time. */
static void check_all(const uint32_t until[DYNOS], uint32_t now_s)
{
    size_t alive = 0;

    for (const struct expiry *each = expiries_next(expiries, NULL); each != NULL;
         each = expiries_next(expiries, each)) {
        if (each->until_s <= now_s)
            continue;
        ck_assert_uint_eq(each->until_s, until[each->ip]);
        alive++;
    }
    for (uint32_t i = 0; i < DYNOS; i++)
        alive -= until[i] > now_s;
    ck_assert_uint_eq(alive, 0);
}

TEST(after_the_clock_was_set_back_nothing_lasts_longer_than_given)
{
    make(DYNOS);
    raise_until(1, NOW + 20, NOW);
    raise_until(2, NOW + 9000, NOW + 8990);
    expiries_raise_floor(expiries, NOW + 9100);
    expiries_set_back(expiries, NOW + 301);
    ck_assert_uint_eq(find(1)->until_s, NOW + 20);
    ck_assert_uint_eq(find(2)->until_s, NOW + 301);
    ck_assert_uint_eq(expiries_floor(expiries), NOW + 301);
}

TEST(nothing_that_has_not_expired_is_forgotten)
{
    static uint32_t until[DYNOS];
    uint64_t state = 3;

    make(DYNOS);
    for (uint32_t step = 0; step < STEPS; step++) {
        state = state * 6364136223846793005 + 1442695040888963407;
        uint32_t ip = (uint32_t)(state >> 33) % DYNOS, now_s = NOW + step / 50;
        uint32_t until_s = now_s + 1 + (uint32_t)(state >> 20) % 30;
        until[ip] = until_s > until[ip] ? until_s : until[ip];
        raise_until(ip, until_s, now_s);
        if (step % 499 == 0)
            check_all(until, now_s);
    }
    ck_assert_uint_eq(expiries_floor(expiries), 0);
}
