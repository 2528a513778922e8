#pragma once
/**
 * One TCP connection: framing and answering; a part of tcp.c. Its octets are tcp_io.h's.
 *
 *     reading ──(client takes too little)──► writing ──(all taken)──► reading
 *        └────────(end, abuse, error)───────────┴───────────────────► closing
 *
 * When a client closes its sending side while replies are due, the connection is no longer read and
 * stays open until they are sent.
 *
 * Sources, threads, memory: tcp.h.
 */
#include "serve/tcp.h"

enum {
    TCP_INPUT_OCTETS = TCP_FRAME_OCTETS + 65535,
    TCP_LONE_QUERY_OCTETS = 1024,
    TCP_SHARED_INPUT_OCTETS = TCP_INPUT_OCTETS + BATCH_MOST * TCP_LONE_QUERY_OCTETS,
    /* Two of the largest replies: while one waits, another can still be written. */
    TCP_OUTPUT_OCTETS = 2 * (TCP_FRAME_OCTETS + 65535),
};

struct tcp_connection {
    struct carrier carrier; /* first member: sends late replies */
    uv_poll_t poll;
    struct tcp *tcp;
    int descriptor;
    struct endpoint client;
    uint64_t network;          /* the client, as the limit per client counts it */
    struct tcp_places *places; /* by the kind of client that it was when it connected */
    struct path path;
    TAILQ_ENTRY(tcp_connection) link; /* in the list by last activity, or of free slots */
    uint64_t active_ms;               /* the loop's time */
    uint8_t *input;
    uint8_t *output;
    uint32_t held;       /* octets of input */
    uint32_t unsent;     /* output from here ... */
    uint32_t unsent_end; /* ... to here waits for the client; equal: nothing */
    uint32_t awaited;    /* late replies that are due */
    uint32_t serial;     /* grows with each connection in this slot */
    uint8_t ignored;     /* frames that could not be answered */
    uint8_t lone_query;  /* 1 + index of its waiting query; 0: none */
    bool has_used_room;  /* its own buffers have been used */
    bool has_failed;     /* the socket is broken, or the client is too slow */
    bool is_slow;        /* too slow: a reply had no room */
    bool is_ending;      /* nothing more is read; close once all is sent */
    bool is_cut;         /* the held input is not answered */
};

/** Sends late replies over a connection. */
extern const struct carrier tcp_carrier;

/** Starts a connection whose descriptor, client and path are set. */
void tcp_connection_start(struct tcp_connection *connection);

/** Reads once and answers every complete frame; then watches, or closes. */
void tcp_connection_serve(struct tcp_connection *connection);

/**
 * Reads once and answers at once, if the client takes its replies; this may close the connection.
 */
void tcp_connection_read_now(struct tcp_connection *connection);

/** True while no octet of a request or reply is on its way through this process. */
bool tcp_connection_is_at_rest(const struct tcp_connection *connection);

/** Stops reading; closes once all replies are taken. */
void tcp_connection_end(struct tcp_connection *connection);

/** Answers the queries that have waited for the end of the turn. */
void tcp_answer_lone_queries(struct tcp *tcp);

/** Cancels the connection's waiting query, which keeps its octets of the shared input. */
void tcp_forget_lone_query(struct tcp_connection *connection);

/** Of tcp.c: removes the connection and closes it; `cause` is counted too. */
void tcp_drop(struct tcp_connection *connection, enum counter cause);

/** Of tcp.c: begins to look for idle connections and paused acceptors. */
void tcp_start_ticking(struct tcp *tcp);
