#include "upstream/server_streams.h"

void server_streams_init(struct server_streams *server_streams, struct stream *streams)
{
    *server_streams = (struct server_streams){.streams = streams, .current = streams};
}

/* The streams of a server that a lone query could use; NULL: none of the kind. */
struct stream_candidates {
    struct stream *idle; /* open, without questions */
    struct stream *closed;
    struct stream *least;   /* with the fewest questions, not doubtful */
    struct stream *longest; /* doubtful for the longest time */
    size_t open_count;
};

static void consider(struct stream_candidates *candidates, struct stream *stream, bool is_doubtful)
{
    bool is_idle = stream->stream_queries.count == 0;

    candidates->open_count += stream->state != STREAM_CLOSED;
    if (stream->state == STREAM_CLOSED && is_idle)
        candidates->closed = stream;
    else if (is_idle)
        candidates->idle = stream;
    else if (is_doubtful &&
             (candidates->longest == NULL || stream->quiet_ms < candidates->longest->quiet_ms))
        candidates->longest = stream;
    else if (!is_doubtful &&
             (candidates->least == NULL ||
              stream->stream_queries.count < candidates->least->stream_queries.count))
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
        if (is_doubtful && stream->stream_queries.count == 0)
            stream_give_up(stream, now_ms);
        consider(&candidates, stream, is_doubtful);
    }
    return candidates;
}

/*
 * Chooses a stream without other questions. If there is none, replaces the one that is doubtful
 * longest, once that is long enough.
 */
static struct stream *choose_for_lone_query(struct server_streams *server_streams, size_t open_most,
                                            uint64_t now_ms)
{
    struct stream_candidates candidates = find_candidates(server_streams, now_ms);
    bool may_open =
        candidates.open_count < SERVER_STREAMS_RESERVED || candidates.open_count < open_most;

    if (candidates.idle != NULL)
        return candidates.idle;
    if (candidates.closed != NULL && may_open)
        return candidates.closed;
    if (candidates.longest != NULL && now_ms - candidates.longest->quiet_ms >= STREAM_OPENING_MS) {
        stream_give_up(candidates.longest, now_ms);
        return candidates.longest;
    }
    return candidates.least != NULL ? candidates.least : server_streams->current;
}

struct stream *server_streams_choose(struct server_streams *server_streams, size_t open_most,
                                     uint64_t now_ms)
{
    if (stream_is_doubtful(server_streams->current, now_ms))
        server_streams->doubted_ms = now_ms;
    if (server_streams->doubted_ms != 0 &&
        now_ms - server_streams->doubted_ms < SERVER_STREAMS_LONE_MS)
        server_streams->current = choose_for_lone_query(server_streams, open_most, now_ms);
    return server_streams->current;
}
