#include "scheduler/batch.h"

#include <stdio.h>
#include <string.h>

#include "support/suite.h"

static struct batch batch;
static struct arena *arena;

static void open_batch(void)
{
    batch = (struct batch){.gather_ms = 20};
    arena = arena_new();
}

static void close_batch(void)
{
    batch_close(&batch);
    arena_free(arena);
}

FIXTURE(open_batch, close_batch)

static void put(const char *key, const char *value, uint64_t now_ms)
{
    ck_assert(batch_put(&batch, key, value, strlen(value), now_ms));
}

static size_t take(struct octets *request)
{
    size_t count = batch_take(&batch, arena, request);

    ck_assert_ptr_nonnull(request->start);
    return count;
}

/* How often the text is among the octets. */
static size_t count_of(struct octets octets, const char *text)
{
    size_t length = strlen(text), count = 0;

    for (size_t i = 0; i + length <= octets.length; i++)
        count += memcmp(octets.start + i, text, length) == 0;
    return count;
}

TEST(changes_are_gathered_from_the_first_one_on)
{
    ck_assert_uint_eq(batch_due_ms(&batch), UINT64_MAX);
    put("a", "1", 100);
    put("b", "1", 119);
    ck_assert_uint_eq(batch_due_ms(&batch), 120);
}

TEST(of_a_key_only_the_last_change_is_written)
{
    struct octets request;

    put("a-key", "first", 100);
    put("b-key", "other", 101);
    put("a-key", "last", 119);
    ck_assert_uint_eq(batch.coalesced, 1);
    ck_assert_uint_eq(batch_due_ms(&batch), 120);
    ck_assert_uint_eq(take(&request), 2);
    ck_assert_uint_eq(count_of(request, "a-key"), 1);
    ck_assert_uint_eq(count_of(request, "first"), 0);
    ck_assert_uint_eq(count_of(request, "last"), 1);
}

TEST(a_deletion_replaces_what_waited_and_is_replaced)
{
    struct octets request;

    put("a-key", "first", 100);
    ck_assert(batch_delete(&batch, "a-key", 101));
    ck_assert_uint_eq(take(&request), 1);
    ck_assert_uint_eq(count_of(request, "first"), 0);
    batch_written(&batch);
    ck_assert(batch_delete(&batch, "a-key", 102));
    put("a-key", "again", 103);
    ck_assert_uint_eq(take(&request), 1);
    ck_assert_uint_eq(count_of(request, "again"), 1);
}

TEST(a_transaction_has_128_operations_and_is_due_at_once_when_full)
{
    struct octets request;
    char key[16];

    for (unsigned i = 0; i < 130; i++) {
        snprintf(key, sizeof key, "key-%u", i);
        put(key, "1", 100);
    }
    ck_assert_uint_eq(batch_due_ms(&batch), 0);
    ck_assert_uint_eq(take(&request), 128);
    batch_written(&batch);
    ck_assert_uint_eq(batch_due_ms(&batch), 120);
    ck_assert_uint_eq(take(&request), 2);
    batch_written(&batch);
    ck_assert_uint_eq(batch_due_ms(&batch), UINT64_MAX);
}

TEST(a_transaction_has_a_megabyte_of_keys_and_values_at_most)
{
    static char value[400000];
    struct octets request;

    memset(value, 'x', sizeof value - 1);
    put("a", value, 100);
    put("b", value, 100);
    put("c", value, 100);
    ck_assert_uint_eq(batch_due_ms(&batch), 0);
    ck_assert_uint_eq(take(&request), 2);
    ck_assert_uint_le(request.length, BATCH_OCTETS_MOST + 4096);
    batch_written(&batch);
    ck_assert_uint_eq(take(&request), 1);
}

TEST(what_is_not_written_waits_again)
{
    struct octets request;

    put("a-key", "one", 100);
    ck_assert_uint_eq(take(&request), 1);
    ck_assert_uint_eq(batch_due_ms(&batch), UINT64_MAX);
    batch_return(&batch);
    ck_assert_uint_eq(batch_due_ms(&batch), 120);
    ck_assert_uint_eq(take(&request), 1);
    ck_assert_uint_eq(count_of(request, "one"), 1);
}

/* What comes while the registry does not answer is newer than what it may have. */
TEST(a_change_that_came_meanwhile_goes_before_what_is_returned)
{
    struct octets request;

    put("a-key", "old", 100);
    put("b-key", "one", 100);
    take(&request);
    put("a-key", "new", 130);
    batch_return(&batch);
    ck_assert_uint_eq(take(&request), 2);
    ck_assert_uint_eq(count_of(request, "old"), 0);
    ck_assert_uint_eq(count_of(request, "new"), 1);
}

TEST(a_change_that_came_meanwhile_is_written_after_what_was_under_way)
{
    struct octets request;

    put("a-key", "old", 100);
    take(&request);
    put("a-key", "new", 130);
    batch_written(&batch);
    ck_assert_uint_eq(take(&request), 1);
    ck_assert_uint_eq(count_of(request, "new"), 1);
    batch_written(&batch);
    ck_assert_uint_eq(batch_due_ms(&batch), UINT64_MAX);
}
