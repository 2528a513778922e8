#pragma once
/**
 * Answers from the query log: the last queries that are kept, or with Accept: text/event-stream a
 * stream of server-sent events, which has the kept ones first and then those that come.
 *
 *     event: query                           event: dropped        : alive
 *     data: {"time": ..., "at": ...}         data: {"count": 12}   every 15 s
 *
 * Nobody waits for a reader of a stream: what it does not take in time is lost and counted
 * (serve/querylog_reader.h), and one that reads nothing is disconnected (http_stream.h). At most
 * API_STREAMS_MOST streams are open at once.
 *
 * Sources: HTML Standard, server-sent events.
 * Threads: the control thread.  Memory: a stream until it has ended, some 520 KB.
 */
#include "spacednsd/api_visit.h"

void api_answer_queries(struct api_visit *visit);

/** Starts the timer of streams. */
void api_streams_start(struct api_streams *streams, uv_loop_t *loop);

/** Sends what readers of the query log have to take. */
void api_streams_send(struct api_streams *streams);

/** Closes the timer, once no stream is open any more. */
void api_streams_stop(struct api_streams *streams);
