#pragma once
/**
 * A fetch table over a scripted link, for tests of forward/fetch_table and its parts.
 *
 *     fetch_rig_ask ──► fetch table ──► scripted link: fetch_rig_sent(.., 0), (.., 1), ...
 *     outcome, clients ◄── fetch table ◄── fetch_rig_answer, _reply, _break_off; fetch_rig_pass
 *
 * Servers 0 and 1 are queried over UDP, server 2 over TLS. Each question is the next client's.
 * Only fetch_rig_pass advances the clock.
 *
 * Memory: fetch_rig_init allocates everything.
 */
#include "forward/fetch_table.h"
#include "support/scripted.h"

enum {
    FETCH_RIG_SERVERS = 3,
    FETCH_RIG_QUESTIONS = 64, /* room in the pool */
    FETCH_RIG_QUERIES = 4096,
    FETCH_RIG_CLIENTS = 1024,
    FETCH_RIG_ADDRESS = 0x0a010203,
};

/** The routes and their servers. */
enum { ROUTE_TWO /* 0, 1 */, ROUTE_ONE /* 0 */, ROUTE_TLS /* 2 */, ROUTE_ALL, ROUTES };

struct fetch_rig_client {
    struct waiter waiter;
    unsigned notified;
};

/** How the last question ended. */
struct fetch_rig_outcome {
    unsigned count;
    enum forward_failure failure;
    uint8_t server;
    size_t waiters;
    bool has_response;
    unsigned rcode;
    unsigned answers;
    char ede[64];         /* text of its first EDE option */
    struct waiter *again; /* repeats the question from within the callback */
};

struct fetch_rig {
    struct upstream upstreams[FETCH_RIG_SERVERS];
    struct resolver servers[FETCH_RIG_SERVERS];
    struct standing standing[FETCH_RIG_SERVERS];
    struct standings standings;
    struct scripted scripted;
    struct stats stats;
    struct fetch_table *table;
    uint64_t now_ms;
    struct fetch_rig_client clients[FETCH_RIG_CLIENTS];
    size_t client_count;
    struct fetch_rig_outcome outcome;
};

void fetch_rig_init(struct fetch_rig *rig, bool mixes_case);

/** Asserts that no attempt is left open. */
void fetch_rig_close(struct fetch_rig *rig);

/** Returns a client that has not asked yet. */
struct waiter *fetch_rig_next_client(struct fetch_rig *rig);

/** Asks for the next client; refreshes, without a client. Returns false when refused. */
bool fetch_rig_try(struct fetch_rig *rig, const char *name, uint8_t route);
bool fetch_rig_refresh(struct fetch_rig *rig, const char *name, uint8_t route);

/** Asks for the next client, asserts that it is accepted, and sends what is queued. */
void fetch_rig_ask(struct fetch_rig *rig, const char *name, uint8_t route);

/** As fetch_rig_ask, for a name made from the number. */
void fetch_rig_ask_numbered(struct fetch_rig *rig, unsigned number, uint8_t route);

/** Advances the clock, with a tick whenever one is due. */
void fetch_rig_pass(struct fetch_rig *rig, unsigned ms);

/** Has the server of a query reply; reply with an address; with a response code; fail. */
void fetch_rig_reply(struct fetch_rig *rig, size_t number, const struct scripted_reply *reply);
void fetch_rig_answer(struct fetch_rig *rig, size_t number);
void fetch_rig_reply_code(struct fetch_rig *rig, size_t number, uint16_t rcode);
void fetch_rig_break_off(struct fetch_rig *rig, size_t number, enum link_failure failure);

/** Makes a server failing, as unanswered questions and probes do. */
void fetch_rig_make_failing(struct fetch_rig *rig, uint8_t server);

/** Advances the clock until every earlier question has timed out. */
void fetch_rig_pass_window(struct fetch_rig *rig);

/** A query that was sent; a counter. */
const struct scripted_query *fetch_rig_sent(const struct fetch_rig *rig, size_t number);
uint64_t fetch_rig_counted(const struct fetch_rig *rig, enum counter counter);

/** Asserts how many queries were sent. */
void fetch_rig_assert_sent(const struct fetch_rig *rig, size_t expected);

/**
 * Asserts the outcome of the only question asked, and that no attempt is open; the last one: that
 * its clients were notified while its attempts stay open.
 */
void fetch_rig_assert_answered(const struct fetch_rig *rig, uint8_t server);
void fetch_rig_assert_failed(const struct fetch_rig *rig, enum forward_failure failure,
                             uint8_t server);
void fetch_rig_assert_lingers(const struct fetch_rig *rig, enum forward_failure failure,
                              uint8_t server);
