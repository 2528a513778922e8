#pragma once
/**
 * The command logs: the last queries that the server keeps, and with --tail those that come.
 *
 *     call ─► what is kept ─► finished
 *       └─► with --tail: what is kept ─► stream ─► lines as they come ─► ... ─► finished
 *                                                  the client goes or reads nothing for a minute,
 *                                                  the server stops, or an upgrade replaces it
 *
 * The query log (serve/querylog.h) filters. A client that reads slowly loses lines, which are
 * counted and reported to it; nothing waits for it. Reloads do not end a stream.
 *
 * Threads: the control thread.  Memory: a stream and its reader until the call is finished.
 */
#include "control/control_socket.h"
#include "serve/server.h"

enum { LOG_LINES_USUAL = 100 };

struct log_stream;

struct log_calls {
    struct server *server;
    struct log_stream *streams;
};

/** Answers a call, or begins a stream. */
void log_calls_answer(struct log_calls *calls, struct call *call);

/** Sends what readers of the query log have to take. */
void log_calls_send(struct log_calls *calls);

/** Finishes every stream with the exit code 1 and a sentence: why, and what to do. */
void log_calls_stop(struct log_calls *calls, const char *sentence);
