#pragma once
/**
 * The connections to one server, and which of them takes a new question: one for all, as long as
 * answers come. A server may answer one question after the other (RFC 7766 section 6.2.1.1 only
 * recommends otherwise), so that a slow name delays all after it. Once a connection has been
 * doubtful, and for SERVER_STREAMS_LONE_MS after that, each question gets one of its own, while
 * those on the first still wait.
 *
 * One client may then have a quarter of the connections, and the last eighth is reserved for
 * clients that have fewer than two: so the slow names of some never delay the others. A client that
 * has its share gets no other connection; its questions wait behind its own. A connection is the
 * client's whose question it took last when it had none. (deferred.h shares out waiting requests in
 * the same way.)
 *
 * Threads: one worker's.  Memory: borrows the streams.
 */
#include "upstream/stream.h"

enum {
    SERVER_STREAMS_MOST = 32,
    SERVER_STREAMS_RESERVED = 2, /* may be open whatever else is */
    SERVER_STREAMS_SHARES = 4,   /* of those that may be open, each a client's at most */
    SERVER_STREAMS_RESERVE = 8,  /* one eighth of them is for clients with ... */
    SERVER_STREAMS_FEW = 2,      /* ... fewer than these: A and AAAA of one name */
    SERVER_STREAMS_LONE_MS = 10000,
};

struct server_streams {
    struct stream *streams;                /* SERVER_STREAMS_MOST of them */
    uint64_t clients[SERVER_STREAMS_MOST]; /* whose each is, while it has questions */
    struct stream *current;
    uint64_t doubted_ms; /* when one was last found doubtful; 0: never */
};

/** `streams` are SERVER_STREAMS_MOST streams, which may be initialised later. */
void server_streams_init(struct server_streams *server_streams, struct stream *streams);

/**
 * Returns the stream for a new question of a client. Closes doubtful streams without questions, and
 * the one that is doubtful longest if that is its place.
 *
 * open_most  how many streams of the server may be open, beyond SERVER_STREAMS_RESERVED
 */
struct stream *server_streams_choose(struct server_streams *server_streams, uint64_t client,
                                     size_t open_most, uint64_t now_ms);
