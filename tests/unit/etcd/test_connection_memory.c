// wrap: malloc calloc realloc
#include "etcd/connection.h"

#include <stdlib.h>
#include <string.h>

#include "etcd/buffer.h"
#include "support/allocations.h"
#include "support/etcd_peer.h"
#include "support/suite.h"

/* What a member says is recorded once, so that later only our own allocations may fail. */

enum { VALUE_OCTETS = 200000, FAILURES_MOST = 10000, PIECE = 5000 };

/* A connection that may run out of memory anywhere. */
struct run {
    struct arena *arena;
    struct etcd_connection *connection;
    unsigned messages, ends;
    bool has_failed;
    struct err err;
};

static void on_nothing(void *context)
{
    (void)context;
}

static void on_message(void *context, uint32_t call, const uint8_t *octets, size_t length)
{
    struct run *run = context;
    struct etcd_range_response range;
    struct etcd_watch_response watch;

    run->messages++;
    if (run->arena == NULL)
        return;
    bool is_well = call == 1 ? etcd_decode_range(run->arena, octets, length, &range, &run->err)
                             : etcd_decode_watch(run->arena, octets, length, &watch, &run->err);
    ck_assert(is_well || run->err.code == ERR_MEMORY);
    run->has_failed |= !is_well;
}

static void on_end(void *context, uint32_t call, enum etcd_status status, const char *text)
{
    struct run *run = context;

    (void)call, (void)status, (void)text;
    run->ends++;
}

static bool begin(struct run *run)
{
    const struct etcd_connection_options options = {.host = "127.0.0.1", .port = 2379};
    const struct etcd_listener listener = {.on_ready = on_nothing,
                                           .on_message = on_message,
                                           .on_end = on_end,
                                           .on_pong = on_nothing,
                                           .context = run};
    const struct etcd_range range = {.key = octets_of("/c/"), .end = octets_of("/c0")};
    const struct etcd_watch watch = {
        .key = octets_of("/c/"), .end = octets_of("/c0"), .start_revision = 2};

    run->arena = arena_new();
    run->connection = etcd_connection_new(&options, &listener, &run->err);
    if (run->arena == NULL || run->connection == NULL)
        return false;
    struct octets first = etcd_encode_range(run->arena, &range);
    struct octets second = etcd_encode_watch(run->arena, &watch);
    return first.start != NULL && second.start != NULL &&
           etcd_connection_call(run->connection, ETCD_RANGE, first.start, first.length, false) !=
               0 &&
           etcd_connection_call(run->connection, ETCD_WATCH, second.start, second.length, true) !=
               0 &&
           etcd_connection_set_token(run->connection, "token");
}

static void end(struct run *run)
{
    etcd_connection_free(run->connection);
    arena_free(run->arena);
}

/* Exchanges with a member, and keeps what it says. */
static struct buffer record(void)
{
    struct etcd_store *store = etcd_store_new();
    struct etcd_peer *peer = etcd_peer_new(store, 1);
    struct buffer said = {.block = NULL};
    struct run run = {.messages = 0};
    struct octets output;
    char *value = malloc(VALUE_OCTETS);

    ck_assert_ptr_nonnull(value);
    memset(value, 'v', VALUE_OCTETS - 1);
    value[VALUE_OCTETS - 1] = '\0';
    etcd_store_put(store, "/c/a", value);
    etcd_store_put(store, "/c/b", "short");
    free(value);
    ck_assert(begin(&run));
    while ((output = etcd_connection_output(run.connection)).length > 0) {
        etcd_peer_receive(peer, output.start, output.length);
        etcd_connection_sent(run.connection, output.length);
        struct octets answer = etcd_peer_output(peer);
        ck_assert(buffer_add(&said, answer.start, answer.length));
        ck_assert(etcd_connection_receive(run.connection, answer.start, answer.length, &run.err));
        etcd_peer_sent(peer, answer.length);
    }
    ck_assert_uint_eq(run.messages, 4);
    end(&run);
    etcd_peer_free(peer);
    etcd_store_free(store);
    return said;
}

/* Returns false when it has failed. */
static bool play(struct run *run, struct octets said)
{
    bool is_well = begin(run);

    for (size_t at = 0; is_well && at < said.length; at += PIECE) {
        size_t piece = said.length - at < PIECE ? said.length - at : PIECE;
        struct octets output = etcd_connection_output(run->connection);
        etcd_connection_sent(run->connection, output.length);
        is_well = etcd_connection_receive(run->connection, said.start + at, piece, &run->err);
        ck_assert(is_well || run->err.code == ERR_MEMORY);
    }
    return is_well && !run->has_failed;
}

TEST(any_allocation_may_fail)
{
    struct buffer said = record();
    unsigned failures = 0;

    for (size_t number = 1; number < FAILURES_MOST; number++) {
        struct run run = {.messages = 0};
        allocations_fail(number);
        bool is_well = play(&run, buffer_octets(&said));
        allocations_fail(0);
        end(&run);
        failures += !is_well;
        if (is_well) {
            ck_assert_uint_eq(run.messages, 4);
            ck_assert_uint_eq(run.ends, 1);
            break;
        }
    }
    ck_assert_uint_gt(failures, 10);
    ck_assert_uint_lt(failures, FAILURES_MOST - 2);
    buffer_close(&said);
}
