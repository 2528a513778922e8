#include "upstream/server_streams.h"

#include "support/suite.h"

enum {
    NOBODY_LIMITS = 1000,
    SHARE = SERVER_STREAMS_MOST / SERVER_STREAMS_SHARES,
    KEPT = SERVER_STREAMS_MOST / SERVER_STREAMS_RESERVE,
    STEP_MS = 10,
};

static struct stream_home home;
static struct stream streams[SERVER_STREAMS_MOST];
static struct server_streams all;
static uint64_t now_ms;

static void set_up(void)
{
    now_ms = 100000;
    for (size_t i = 0; i < SERVER_STREAMS_MOST; i++) {
        streams[i] = (struct stream){.home = &home, .descriptor = -1};
        stream_queries_init(&streams[i].stream_queries);
    }
    server_streams_init(&all, streams);
    all.doubted_ms = now_ms; /* each question gets a stream of its own */
}

static void tear_down(void)
{
}

/* A question that stays open; streams are as after stream_send, without sockets. */
static struct stream *ask(uint64_t client)
{
    struct stream *stream = server_streams_choose(&all, client, NOBODY_LIMITS, now_ms);

    stream->state = STREAM_OPEN;
    stream->stream_queries.count++;
    if (stream->quiet_ms == 0)
        stream->quiet_ms = now_ms;
    now_ms += STEP_MS;
    return stream;
}

static size_t count_open(void)
{
    size_t count = 0;

    for (size_t i = 0; i < SERVER_STREAMS_MOST; i++)
        count += streams[i].state == STREAM_OPEN;
    return count;
}

FIXTURE(set_up, tear_down)

TEST(a_client_with_many_slow_names_delays_no_other)
{
    for (unsigned i = 0; i < 40; i++)
        ask(1);
    ck_assert_uint_eq(count_open(), SHARE);
    for (size_t i = 0; i < SERVER_STREAMS_MOST; i++) /* they wait behind its own */
        ck_assert_uint_eq(streams[i].stream_queries.count,
                          streams[i].state == STREAM_OPEN ? 40 / SHARE : 0);
    ck_assert_uint_eq(ask(2)->stream_queries.count, 1);
}

TEST(the_last_eighth_is_for_clients_with_fewer_than_two)
{
    for (unsigned i = 0; i < 40; i++)
        ask(1 + i / 10);
    ck_assert_uint_eq(count_open(), SERVER_STREAMS_MOST - KEPT);
    for (unsigned i = 0; i < 10; i++)
        ask(5);
    ck_assert_uint_eq(count_open(), SERVER_STREAMS_MOST - KEPT + SERVER_STREAMS_FEW);
    ck_assert_uint_eq(ask(6)->stream_queries.count, 1);
}

TEST(a_client_with_its_share_replaces_its_own_silent_stream)
{
    const struct stream *other = ask(2), *first = ask(1);

    for (unsigned i = 1; i < SHARE; i++)
        ask(1);
    now_ms += STREAM_OPENING_MS;
    ck_assert_ptr_eq(server_streams_choose(&all, 1, NOBODY_LIMITS, now_ms), first);
    ck_assert_int_eq(first->state, STREAM_CLOSED); /* given up, to be opened anew */
    ck_assert_int_eq(other->state, STREAM_OPEN);   /* though it is silent for longer */
}
