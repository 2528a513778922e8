#include "serve/querylog_ring.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "support/suite.h"

static const uint64_t second_ns = 1000000000;

static struct querylog_wants wants;
static struct querylog_ring ring;

static void set_up(void)
{
    wants.bell = eventfd(0, EFD_NONBLOCK);
    atomic_store(&wants.rates[QUERYLOG_OTHER], 3);
    atomic_store(&wants.rates[QUERYLOG_FAILURE], 5);
    atomic_store(&wants.is_urgent[QUERYLOG_FAILURE], true);
    atomic_store(&wants.is_urgent[QUERYLOG_OTHER], false);
    atomic_store(&wants.is_asleep, true);
    ring = (struct querylog_ring){.added = 0};
    ck_assert(querylog_ring_init(&ring, &wants));
}

static void tear_down(void)
{
    querylog_ring_close(&ring);
    close(wants.bell);
}

FIXTURE(set_up, tear_down)

static unsigned count_wanted(enum querylog_kind kind, unsigned of)
{
    unsigned wanted = 0;

    for (unsigned i = 0; i < of; i++)
        wanted += querylog_ring_wants(&ring, kind, NULL);
    return wanted;
}

static bool add(enum querylog_kind kind)
{
    const struct exchange exchange = {.status = QUERY_MALFORMED, .rcode = RCODE_FORMERR};
    const struct endpoint client = {.v4 = {.sin_family = AF_INET}};

    return querylog_ring_add(&ring, NULL, &exchange, kind, &client, 0);
}

static bool has_rung(void)
{
    uint64_t rung;

    return read(wants.bell, &rung, sizeof rung) == sizeof rung;
}

TEST(so_many_of_each_kind_are_wanted_in_a_second_and_the_others_counted)
{
    querylog_ring_set_time(&ring, second_ns);
    ck_assert_uint_eq(count_wanted(QUERYLOG_OTHER, 10), 3);
    ck_assert_uint_eq(count_wanted(QUERYLOG_FAILURE, 10), 5);
    querylog_ring_set_time(&ring, second_ns + second_ns / 2);
    ck_assert_uint_eq(count_wanted(QUERYLOG_OTHER, 1), 0);
    querylog_ring_set_time(&ring, 2 * second_ns);
    ck_assert_uint_eq(count_wanted(QUERYLOG_OTHER, 10), 3);
    ck_assert_uint_eq(atomic_load(&ring.skipped[QUERYLOG_OTHER]), 7 + 1 + 7);
    ck_assert_uint_eq(atomic_load(&ring.skipped[QUERYLOG_FAILURE]), 5);
}

TEST(changed_wants_count_from_the_next_batch)
{
    querylog_ring_set_time(&ring, second_ns);
    ck_assert_uint_eq(count_wanted(QUERYLOG_OTHER, 10), 3);
    atomic_store(&wants.rates[QUERYLOG_OTHER], 4);
    atomic_fetch_add(&wants.version, 1);
    querylog_ring_set_time(&ring, second_ns + 1);
    ck_assert_uint_eq(count_wanted(QUERYLOG_OTHER, 10), 4);
}

TEST(the_log_is_woken_for_records_that_somebody_waits_for)
{
    ck_assert(add(QUERYLOG_OTHER));
    querylog_ring_hand_over(&ring, 0);
    ck_assert(!has_rung());
    ck_assert(atomic_load(&wants.is_asleep));
    ck_assert(add(QUERYLOG_FAILURE));
    querylog_ring_hand_over(&ring, 0);
    ck_assert(has_rung());
    ck_assert(!atomic_load(&wants.is_asleep)); /* once is enough */
    ck_assert(add(QUERYLOG_FAILURE));
    querylog_ring_hand_over(&ring, 0);
    ck_assert(!has_rung());
}

TEST(the_log_is_woken_before_the_ring_is_full)
{
    for (unsigned i = 0; i < QUERYLOG_RECORDS / 2; i++)
        ck_assert(add(QUERYLOG_OTHER));
    querylog_ring_hand_over(&ring, 0);
    ck_assert(!has_rung());
    ck_assert(add(QUERYLOG_OTHER));
    querylog_ring_hand_over(&ring, 0);
    ck_assert(has_rung());
}

TEST(a_full_ring_drops_and_counts)
{
    for (unsigned i = 0; i < QUERYLOG_RECORDS; i++)
        ck_assert(add(QUERYLOG_FAILURE));
    ck_assert(!add(QUERYLOG_FAILURE));
    ck_assert_uint_eq(atomic_load(&ring.dropped), 1);
    querylog_ring_hand_over(&ring, 0);
    ck_assert_ptr_nonnull(querylog_ring_first(&ring));
    querylog_ring_pass(&ring);
    ck_assert(add(QUERYLOG_FAILURE));
}

static const struct {
    enum reason reason;
    uint16_t rcode;
    enum querylog_kind kind;
} replies[] = {
    {REASON_NONE, RCODE_NOERROR, QUERYLOG_OTHER},
    {REASON_NONE, RCODE_NXDOMAIN, QUERYLOG_OTHER},
    {REASON_NONE, RCODE_BADCOOKIE, QUERYLOG_OTHER},
    {REASON_ROUTE_MISSING, RCODE_NOERROR, QUERYLOG_OTHER},
    {REASON_STALE, RCODE_NOERROR, QUERYLOG_OTHER},
    {REASON_CRASHED, RCODE_NOERROR, QUERYLOG_FAILURE},
    {REASON_NOT_DECLARED, RCODE_NXDOMAIN, QUERYLOG_FAILURE},
    {REASON_OUTSIDE, RCODE_REFUSED, QUERYLOG_FAILURE},
    {REASON_NONE, RCODE_FORMERR, QUERYLOG_FAILURE},
    {REASON_NONE, RCODE_SERVFAIL, QUERYLOG_FAILURE},
};

TEST_OVER(a_failure_is_a_reason_of_level_error_or_a_code_that_somebody_has_to_mend, replies)
{
    ck_assert_int_eq(querylog_kind_of(replies[_i].reason, replies[_i].rcode), replies[_i].kind);
}
