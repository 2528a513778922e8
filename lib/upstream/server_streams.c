#include "upstream/server_streams.h"

void server_streams_init(struct server_streams *server_streams, struct stream *streams)
{
    *server_streams = (struct server_streams){.streams = streams, .current = streams};
}

static bool has_questions(const struct stream *stream)
{
    return stream->stream_queries.count > 0;
}

/* The streams of a server that a lone query could use; NULL: none of the kind. */
struct stream_candidates {
    struct stream *idle; /* open, without questions */
    struct stream *closed;
    struct stream *least;   /* with the fewest questions, not doubtful */
    struct stream *longest; /* doubtful for the longest time */
    size_t open_count;
    size_t with_questions;
};

static bool is_quiet_longer(const struct stream *stream, const struct stream *other)
{
    return other == NULL || stream->quiet_ms < other->quiet_ms;
}

static bool has_fewer_questions(const struct stream *stream, const struct stream *other)
{
    return other == NULL || stream->stream_queries.count < other->stream_queries.count;
}

static void consider(struct stream_candidates *candidates, struct stream *stream, bool is_doubtful)
{
    candidates->open_count += stream->state != STREAM_CLOSED;
    candidates->with_questions += has_questions(stream);
    if (stream->state == STREAM_CLOSED && !has_questions(stream))
        candidates->closed = stream;
    else if (!has_questions(stream))
        candidates->idle = stream;
    else if (is_doubtful && is_quiet_longer(stream, candidates->longest))
        candidates->longest = stream;
    else if (!is_doubtful && has_fewer_questions(stream, candidates->least))
        candidates->least = stream;
}

/* Considers all streams. Closes a doubtful one without questions. */
static struct stream_candidates find_candidates(struct server_streams *server_streams,
                                                uint64_t now_ms)
{
    struct stream_candidates candidates = {.open_count = 0};

    for (size_t i = 0; i < SERVER_STREAMS_MOST; i++) {
        struct stream *stream = &server_streams->streams[i];
        bool is_doubtful = stream_is_doubtful(stream, now_ms);
        if (is_doubtful)
            server_streams->doubted_ms = now_ms;
        if (is_doubtful && !has_questions(stream))
            stream_give_up(stream, now_ms);
        consider(&candidates, stream, is_doubtful);
    }
    return candidates;
}

/* Gives up a doubtful stream, once it is doubtful for long enough, for a new question. */
static bool may_replace(struct stream *stream, uint64_t now_ms)
{
    if (stream == NULL || now_ms - stream->quiet_ms < STREAM_OPENING_MS)
        return false;
    stream_give_up(stream, now_ms);
    return true;
}

/*
 * Chooses a stream without other questions. If there is none, replaces the one that is doubtful
 * longest.
 */
static struct stream *choose_among_all(const struct server_streams *server_streams,
                                       const struct stream_candidates *candidates, size_t most,
                                       uint64_t now_ms)
{
    if (candidates->idle != NULL)
        return candidates->idle;
    if (candidates->closed != NULL && candidates->open_count < most)
        return candidates->closed;
    if (may_replace(candidates->longest, now_ms))
        return candidates->longest;
    return candidates->least != NULL ? candidates->least : server_streams->current;
}

/* ---- Shares ---- */

/* The streams with questions that are a client's. */
struct client_streams {
    struct stream *least;   /* with the fewest questions */
    struct stream *longest; /* doubtful for the longest time; NULL: none is doubtful */
    size_t count;
};

static struct client_streams find_client_streams(const struct server_streams *server_streams,
                                                 uint64_t client, uint64_t now_ms)
{
    struct client_streams own = {.count = 0};

    for (size_t i = 0; i < SERVER_STREAMS_MOST; i++) {
        struct stream *stream = &server_streams->streams[i];
        if (!has_questions(stream) || server_streams->clients[i] != client)
            continue;
        own.count++;
        if (has_fewer_questions(stream, own.least))
            own.least = stream;
        if (stream_is_doubtful(stream, now_ms) && is_quiet_longer(stream, own.longest))
            own.longest = stream;
    }
    return own;
}

/* True when a client that has so many of the streams that may be open gets no other. */
static bool has_its_share(const struct stream_candidates *candidates, size_t own_count, size_t most)
{
    size_t share = most < SERVER_STREAMS_SHARES ? 1 : most / SERVER_STREAMS_SHARES;
    bool is_scarce = candidates->with_questions + most / SERVER_STREAMS_RESERVE >= most;

    return own_count >= share || (own_count >= SERVER_STREAMS_FEW && is_scarce);
}

/* How many may be open. */
static size_t bound(size_t open_most)
{
    if (open_most < SERVER_STREAMS_RESERVED)
        return SERVER_STREAMS_RESERVED;
    return open_most < SERVER_STREAMS_MOST ? open_most : SERVER_STREAMS_MOST;
}

static struct stream *choose_for_lone_query(struct server_streams *server_streams, uint64_t client,
                                            size_t open_most, uint64_t now_ms)
{
    struct stream_candidates candidates = find_candidates(server_streams, now_ms);
    struct client_streams own = find_client_streams(server_streams, client, now_ms);
    size_t most = bound(open_most);

    if (has_its_share(&candidates, own.count, most))
        return may_replace(own.longest, now_ms) ? own.longest : own.least;
    server_streams->current = choose_among_all(server_streams, &candidates, most, now_ms);
    return server_streams->current;
}

struct stream *server_streams_choose(struct server_streams *server_streams, uint64_t client,
                                     size_t open_most, uint64_t now_ms)
{
    struct stream *chosen = server_streams->current;

    if (stream_is_doubtful(chosen, now_ms))
        server_streams->doubted_ms = now_ms;
    if (server_streams->doubted_ms != 0 &&
        now_ms - server_streams->doubted_ms < SERVER_STREAMS_LONE_MS)
        chosen = choose_for_lone_query(server_streams, client, open_most, now_ms);
    if (!has_questions(chosen))
        server_streams->clients[chosen - server_streams->streams] = client;
    return chosen;
}
