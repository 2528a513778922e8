/**
 * Any octets, taken for those of an etcd member: through HTTP/2, the frames of gRPC and the
 * messages of etcd's API. The first octet chooses: even, what a member sends on a connection with a
 * call of each kind open; odd, one message for each reader.
 *
 * Oracles: a message is told in octets that came; what is decoded lies in memory that may be read
 * and takes no more than its share; the same octets one by one tell the same, unless the connection
 * breaks.
 */
// fuzz: stateful 20000
#include "fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "etcd/connection.h"

enum { CALLS = 8, DECODERS = 9, PIECE = 1 };

/* What a connection has told: in sums, for what it tells of different calls may change places. */
struct told {
    struct etcd_connection *connection;
    uint32_t calls[CALLS + 1];
    uint64_t messages, ends;
    unsigned readies, pongs;
    bool is_broken;
    bool cancels; /* the first call, at the first message */
};

static void must(bool holds)
{
    if (!holds)
        abort();
}

static uint64_t sum_of(const uint8_t *octets, size_t length)
{
    uint64_t sum = 1469598103934665603U;

    for (size_t i = 0; i < length; i++)
        sum = (sum ^ octets[i]) * 1099511628211U;
    return sum;
}

/* ---- messages ---- */

static uint64_t sum_of_pair(const struct etcd_pair *pair)
{
    return sum_of(pair->key.start, pair->key.length) ^
           sum_of(pair->value.start, pair->value.length) ^ (uint64_t)pair->mod_revision;
}

static uint64_t sum_of_range(const struct etcd_range_response *range)
{
    uint64_t sum = range->count;

    for (size_t i = 0; i < range->count; i++)
        sum += sum_of_pair(&range->pairs[i]);
    return sum;
}

static uint64_t read_txn(struct arena *arena, const uint8_t *octets, size_t length)
{
    struct etcd_txn_response txn;
    struct err err;
    uint64_t sum = 0;

    if (!etcd_decode_txn(arena, octets, length, &txn, &err))
        return 1;
    for (size_t i = 0; i < txn.count; i++)
        sum += txn.results[i].kind == ETCD_DO_RANGE ? sum_of_range(&txn.results[i].range) : 1;
    return sum;
}

static uint64_t read_watch(struct arena *arena, const uint8_t *octets, size_t length)
{
    struct etcd_watch_response watch;
    struct err err;
    uint64_t sum = 0;

    if (!etcd_decode_watch(arena, octets, length, &watch, &err))
        return 1;
    sum = strlen(watch.reason) + (uint64_t)watch.header.revision;
    for (size_t i = 0; i < watch.count; i++)
        sum += sum_of_pair(&watch.events[i].pair) + watch.events[i].is_delete;
    return sum;
}

static uint64_t read_members(struct arena *arena, const uint8_t *octets, size_t length)
{
    struct etcd_members_response members;
    struct err err;
    uint64_t sum = 0;

    if (!etcd_decode_members(arena, octets, length, &members, &err))
        return 1;
    for (size_t i = 0; i < members.count; i++) {
        sum += strlen(members.members[i].name);
        for (size_t j = 0; j < members.members[i].client_url_count; j++)
            sum += strlen(members.members[i].client_urls[j]);
    }
    return sum;
}

static uint64_t read_small(struct arena *arena, unsigned decoder, const uint8_t *octets,
                           size_t length)
{
    struct etcd_authenticate_response token;
    struct etcd_delete_response removal;
    struct etcd_status_response status;
    struct etcd_lease_response lease;
    struct etcd_header header;
    struct err err;

    switch (decoder) {
    case 4:
        return etcd_decode_authenticate(arena, octets, length, &token, &err) ? strlen(token.token)
                                                                             : 1;
    case 5:
        return etcd_decode_status(arena, octets, length, &status, &err) ? strlen(status.version)
                                                                        : 1;
    case 6:
        return etcd_decode_lease(arena, octets, length, &lease, &err) ? (uint64_t)lease.id : 1;
    case 7:
        return etcd_decode_delete(arena, octets, length, &removal, &err) ? (uint64_t)removal.deleted
                                                                         : 1;
    default:
        return etcd_decode_header(arena, octets, length, &header, &err) ? (uint64_t)header.revision
                                                                        : 1;
    }
}

/* Reads a message, and all that it says. */
static uint64_t read_message(unsigned decoder, const uint8_t *octets, size_t length)
{
    struct arena *arena = arena_new();
    struct etcd_range_response range;
    struct err err;
    uint64_t sum = 1;

    must(arena != NULL);
    if (decoder == 0)
        sum = etcd_decode_range(arena, octets, length, &range, &err) ? sum_of_range(&range) : 1;
    else if (decoder == 1)
        sum = read_txn(arena, octets, length);
    else if (decoder == 2)
        sum = read_watch(arena, octets, length);
    else if (decoder == 3)
        sum = read_members(arena, octets, length);
    else
        sum = read_small(arena, decoder, octets, length);
    must(arena_used(arena) <=
         length * DECODED_OCTETS_PER_OCTET + DECODED_OCTETS_LEAST + sizeof range);
    arena_free(arena);
    return sum;
}

/* ---- the connection ---- */

/* One call of each kind, and what reads its messages. */
static const struct {
    enum etcd_method method;
    bool keeps_open;
    unsigned decoder;
} kinds[CALLS] = {
    {ETCD_RANGE, false, 0},   {ETCD_WATCH, true, 2},
    {ETCD_TXN, false, 1},     {ETCD_STATUS, false, 5},
    {ETCD_MEMBERS, false, 3}, {ETCD_AUTHENTICATE, false, 4},
    {ETCD_DELETE, false, 7},  {ETCD_LEASE_KEEP_ALIVE, true, 6},
};

static unsigned decoder_of(uint32_t call)
{
    return call / 2 < CALLS ? kinds[call / 2].decoder : DECODERS - 1;
}

static void on_ready(void *context)
{
    struct told *told = context;

    told->readies++;
}

static void on_message(void *context, uint32_t call, const uint8_t *octets, size_t length)
{
    struct told *told = context;

    told->messages +=
        sum_of(octets, length) * call + read_message(decoder_of(call), octets, length);
    if (told->cancels)
        etcd_connection_cancel(told->connection, told->calls[0]);
    told->cancels = false;
}

static void on_end(void *context, uint32_t call, enum etcd_status status, const char *text)
{
    struct told *told = context;

    must(status <= ETCD_UNAUTHENTICATED && strlen(text) <= ETCD_STATUS_TEXT_MOST);
    told->ends += (uint64_t)call * 100 + status;
    etcd_connection_call(told->connection, ETCD_STATUS, "", 0, false);
}

static void on_pong(void *context)
{
    struct told *told = context;

    told->pongs++;
}

/* Their streams are 1, 3, 5 ... */
static void make_calls(struct told *told)
{
    for (unsigned i = 0; i < CALLS; i++)
        told->calls[i] =
            etcd_connection_call(told->connection, kinds[i].method, "", 0, kinds[i].keeps_open);
}

static void drain(struct etcd_connection *connection)
{
    struct octets output;

    while ((output = etcd_connection_output(connection)).length > 0)
        etcd_connection_sent(connection, output.length);
}

static struct told listen_to(const uint8_t *octets, size_t length, size_t piece)
{
    struct told told = {.cancels = length % 2 == 0};
    const struct etcd_connection_options options = {
        .host = "127.0.0.1", .port = 2379, .message_most = 1 << 20};
    const struct etcd_listener listener = {.on_ready = on_ready,
                                           .on_message = on_message,
                                           .on_end = on_end,
                                           .on_pong = on_pong,
                                           .context = &told};
    struct err err;

    told.connection = etcd_connection_new(&options, &listener, &err);
    must(told.connection != NULL);
    make_calls(&told);
    etcd_connection_ping(told.connection);
    drain(told.connection);
    for (size_t at = 0; at < length && !told.is_broken; at += piece) {
        size_t next = piece < length - at ? piece : length - at;
        told.is_broken = !etcd_connection_receive(told.connection, octets + at, next, &err);
        must(!told.is_broken || (err.code != ERR_NONE && err.text[0] != '\0'));
        drain(told.connection);
    }
    etcd_connection_ended(told.connection, false, &err);
    etcd_connection_free(told.connection);
    return told;
}

static void compare(const uint8_t *octets, size_t length)
{
    struct told whole = listen_to(octets, length, length == 0 ? 1 : length);
    struct told pieces = listen_to(octets, length, PIECE);

    if (whole.is_broken || pieces.is_broken)
        return;
    must(whole.messages == pieces.messages && whole.ends == pieces.ends &&
         whole.readies == pieces.readies && whole.pongs == pieces.pongs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] % 2 == 0)
        compare(data + 1, size - 1);
    else
        for (unsigned decoder = 0; decoder < DECODERS; decoder++)
            read_message(decoder, data + 1, size - 1);
    return 0;
}
