#pragma once
/**
 * The course of one fetch, a part of fetch_table.c: which server is asked, what silence leads to,
 * and how the fetch ends. Responses are fetch_reply.h's.
 *
 *     fetch_course_queue ──► fetch_course_begin ──► responses, failures, deadlines ──► outcome
 *
 * Every function may end its fetch, whose slot is then free; whoever waited has been notified.
 *
 * Sources, threads, memory, time: fetch_table.h.
 */
#include "forward/attempt.h"
#include "forward/fetch_table.h"

struct fetch_table {
    struct sender sender;
    struct pool pool;
    struct response *room;     /* for the response that is being read */
    uint32_t falls;            /* standings->falls at the last tick */
    uint32_t next_repeated;    /* where the search for a repeated query continues */
    uint64_t none_repeated_ms; /* no repeated query is open until then */
    bool mixes_case;
    bool is_ending;
    fetch_table_on_outcome *on_outcome;
    void *context;
};

/** Puts a question into the queue. Returns NULL when the pool is full. */
struct fetch *fetch_course_queue(struct fetch_table *table, const struct question *question,
                                 uint8_t route);

/** Sends the first query of a fetch that was queued. */
void fetch_course_begin(struct fetch_table *table, struct fetch *fetch);

/** Starts a probe of the server, unless the slots of probes are taken. */
void fetch_course_probe(struct fetch_table *table, uint8_t server);

/** A deadline of the fetch has passed. */
void fetch_course_on_due(struct fetch_table *table, struct fetch *fetch);

/** Asks a server that was not asked yet. Ends the fetch when there is none and no attempt is open.
 */
void fetch_course_move_on(struct fetch_table *table, struct fetch *fetch);

/** Sets the fetch's next deadline, after an attempt was sent. */
void fetch_course_schedule(struct fetch_table *table, struct fetch *fetch);

/** Fails the waiters of every fetch all of whose servers are failing. */
void fetch_course_fail_hopeless(struct fetch_table *table);

/** Ends the fetch with this outcome. */
void fetch_course_finish(struct fetch_table *table, struct fetch *fetch, struct fetch_outcome how);

/** Ends a probe. */
void fetch_course_end_probe(struct fetch_table *table, struct fetch *fetch);
