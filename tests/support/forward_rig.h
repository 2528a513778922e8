#pragma once
/**
 * The forwarder over a scripted link, for tests.
 *
 *     forward_rig_ask ──► forward ──► scripted link: forward_rig_sent(.., 0), (.., 1), ...
 *     last, notified ◄── forward ◄── forward_rig_answer, _reply, _break_off; forward_rig_pass
 *
 *     route        zone            servers
 *     ROUTE_CORP   corp.example    0: 192.168.7.53
 *     ROUTE_LAB    lab.example     1: 10.0.0.2
 *     ROUTE_REST   .               1: 10.0.0.2   2: 1.1.1.1
 *
 * Only forward_rig_pass and _skip advance the clock.
 *
 * Memory: forward_rig_init allocates everything.
 */
#include "forward/forward.h"
#include "support/scripted.h"

enum {
    FORWARD_RIG_QUESTIONS = 64, /* room in the pool */
    FORWARD_RIG_QUERIES = 4096,
    FORWARD_RIG_CLIENTS = 4096,
    FORWARD_RIG_ADDRESS = 0x0a010203,
};

enum { ROUTE_CORP, ROUTE_LAB, ROUTE_REST };
enum { RESOLVER_CORP, RESOLVER_FIRST, RESOLVER_SECOND };

/** The last result, without what it points at. */
struct forward_rig_result {
    struct forward_result found; /* its response is not valid any more */
    bool has_response;
    unsigned rcode;
    unsigned answers;
    char ede[64];
};

struct forward_rig {
    struct scripted scripted;
    struct stats stats;
    struct standings *standings;
    struct forward *forward;
    uint64_t now_ms;
    struct waiter clients[FORWARD_RIG_CLIENTS];
    size_t client_count;
    unsigned notified;              /* clients, in all */
    struct forward_rig_result last; /* found at once, or notified, last */
};

void forward_rig_init(struct forward_rig *rig);

/** As another worker of the same process. */
void forward_rig_init_beside(struct forward_rig *rig, const struct forward_rig *first);

/** Asserts that the forwarder leaves no attempt open. */
void forward_rig_close(struct forward_rig *rig);

/** Finds a name in the cache, else asks upstreams. Returns true when the cache had it. */
bool forward_rig_ask(struct forward_rig *rig, const char *name, uint8_t route);

/** Advances the clock, with a tick whenever one is due. */
void forward_rig_pass(struct forward_rig *rig, uint64_t ms);

/** Advances the clock in one step, past every open question. */
void forward_rig_skip(struct forward_rig *rig, uint64_t seconds);

/** Has the server of a query reply; reply with an address for 60 seconds; fail. */
void forward_rig_reply(struct forward_rig *rig, size_t number, const struct scripted_reply *reply);
void forward_rig_answer(struct forward_rig *rig, size_t number);
void forward_rig_break_off(struct forward_rig *rig, size_t number, enum link_failure failure);

/** Asks for names that get no reply, until the route's servers are failing. */
void forward_rig_make_failing(struct forward_rig *rig, uint8_t route);

/** The number of the probe sent last. */
size_t forward_rig_probe(const struct forward_rig *rig);

/** The number of the query sent last; a query; a counter. */
size_t forward_rig_last(const struct forward_rig *rig);
const struct scripted_query *forward_rig_sent(const struct forward_rig *rig, size_t number);
uint64_t forward_rig_counted(const struct forward_rig *rig, enum counter counter);

/** Asserts the last result. */
void forward_rig_assert_fresh(const struct forward_rig *rig, uint32_t age_seconds);
void forward_rig_assert_new(const struct forward_rig *rig, const char *server);
void forward_rig_assert_stale(const struct forward_rig *rig, enum forward_failure failure,
                              const char *server);
void forward_rig_assert_failed(const struct forward_rig *rig, enum forward_failure failure,
                               const char *server);
