#pragma once
/**
 * The forwarder over a scripted link, for tests.
 *
 *     forwarding_ask ──► forward ──► scripted link: forwarding_sent(.., 0), (.., 1), ...
 *     last, told ◄── forward ◄── forwarding_answer, _reply, _break_off; forwarding_pass
 *
 *     route        zone            servers
 *     ROUTE_CORP   corp.example    0: 192.168.7.53
 *     ROUTE_LAB    lab.example     1: 10.0.0.2
 *     ROUTE_REST   .               1: 10.0.0.2   2: 1.1.1.1
 *
 * Time passes by forwarding_pass alone.
 *
 * Memory: everything in forwarding_init.
 */
#include "forward/forward.h"
#include "support/scripted.h"

enum {
    FORWARDING_QUESTIONS = 64, /* room in the pool */
    FORWARDING_QUERIES = 4096,
    FORWARDING_CLIENTS = 4096,
    FORWARDING_ADDRESS = 0x0a010203,
};

enum { ROUTE_CORP, ROUTE_LAB, ROUTE_REST };
enum { RESOLVER_CORP, RESOLVER_FIRST, RESOLVER_SECOND };

/** What was found, without what it pointed at. */
struct forwarding_found {
    struct forward_result found; /* its response is not to be looked at */
    bool has_response;
    unsigned rcode;
    unsigned answers;
    char ede[64];
};

struct forwarding {
    struct scripted scripted;
    struct stats stats;
    struct standings *standings;
    struct forward *forward;
    uint64_t now_ms;
    struct waiter clients[FORWARDING_CLIENTS];
    size_t client_count;
    unsigned told;                /* clients, in all */
    struct forwarding_found last; /* what was found or told last */
};

void forwarding_init(struct forwarding *forwarding);

/** As another worker of the same process. */
void forwarding_init_beside(struct forwarding *forwarding, const struct forwarding *first);

/** Holds the forwarder to leave nothing open. */
void forwarding_close(struct forwarding *forwarding);

/** Looks for a name in what is at hand, and asks if there is nothing. True when it was at hand. */
bool forwarding_ask(struct forwarding *forwarding, const char *name, uint8_t route);

/** Lets time pass, with a tick whenever one is due. */
void forwarding_pass(struct forwarding *forwarding, uint64_t ms);

/** Lets so much time pass that nothing is on its way any more, in one step. */
void forwarding_skip(struct forwarding *forwarding, uint64_t seconds);

/** Has the server of a query say something; an address for 60 seconds; break off. */
void forwarding_reply(struct forwarding *forwarding, size_t number,
                      const struct scripted_reply *reply);
void forwarding_answer(struct forwarding *forwarding, size_t number);
void forwarding_break_off(struct forwarding *forwarding, size_t number, enum link_failure failure);

/** Asks for names that nothing comes back for, until the route's servers are failing. */
void forwarding_make_failing(struct forwarding *forwarding, uint8_t route);

/** The number of the probe sent last. */
size_t forwarding_probe(const struct forwarding *forwarding);

/** The number of the query sent last, and what it says; a counter. */
size_t forwarding_last(const struct forwarding *forwarding);
const struct scripted_query *forwarding_sent(const struct forwarding *forwarding, size_t number);
uint64_t forwarding_counted(const struct forwarding *forwarding, enum counter counter);

/** Asserts what was found or told last. */
void forwarding_assert_fresh(const struct forwarding *forwarding, uint32_t age_seconds);
void forwarding_assert_new(const struct forwarding *forwarding, const char *server);
void forwarding_assert_stale(const struct forwarding *forwarding, enum forward_failure failure,
                             const char *server);
void forwarding_assert_failed(const struct forwarding *forwarding, enum forward_failure failure,
                              const char *server);
