#pragma once
/**
 * Questions on their way over a scripted link, for tests of forward/pending and what it is made of.
 *
 *     asking_ask ──► pending ──► scripted link: asking_sent(.., 0), (.., 1), ...
 *     settled, clients ◄── pending ◄── asking_answer, _reply, _break_off; asking_pass
 *
 * Servers 0 and 1 are asked over UDP, server 2 over TLS. Each question asked belongs to the next
 * client. Time passes by asking_pass alone.
 *
 * Memory: everything in asking_init.
 */
#include "forward/fetch_table.h"
#include "support/scripted.h"

enum {
    ASKING_SERVERS = 3,
    ASKING_QUESTIONS = 64, /* room in the pool */
    ASKING_QUERIES = 4096,
    ASKING_CLIENTS = 1024,
    ASKING_ADDRESS = 0x0a010203,
};

/** The routes, and who is asked for them. */
enum { ROUTE_TWO /* 0, 1 */, ROUTE_ONE /* 0 */, ROUTE_TLS /* 2 */, ROUTE_ALL, ROUTES };

struct asking_client {
    struct waiter waiter;
    unsigned told;
};

/** How the last question ended. */
struct asking_settled {
    unsigned count;
    enum forward_failure failure;
    uint8_t server;
    size_t waiters;
    bool has_response;
    unsigned rcode;
    unsigned answers;
    char ede[64];         /* text of its first EDE option */
    struct waiter *again; /* asks the same once more from within the listener */
};

struct asking {
    struct upstream upstreams[ASKING_SERVERS];
    struct resolver servers[ASKING_SERVERS];
    struct standing standing[ASKING_SERVERS];
    struct standings standings;
    struct scripted scripted;
    struct stats stats;
    struct fetch_table *table;
    uint64_t now_ms;
    struct asking_client clients[ASKING_CLIENTS];
    size_t client_count;
    struct asking_settled settled;
};

void asking_init(struct asking *asking, bool mixes_case);

/** Holds the pool to leave nothing open. */
void asking_close(struct asking *asking);

/** Takes a client who has not asked yet. */
struct waiter *asking_next_client(struct asking *asking);

/** Hands a question in for the next client; for nobody. */
bool asking_try(struct asking *asking, const char *name, uint8_t route);
bool asking_refresh(struct asking *asking, const char *name, uint8_t route);

/** Hands a question in, which must be taken, and has what is queued sent. */
void asking_ask(struct asking *asking, const char *name, uint8_t route);

/** As asking_ask, for names that differ by number. */
void asking_ask_numbered(struct asking *asking, unsigned number, uint8_t route);

/** Lets time pass, with a tick whenever one is due. */
void asking_pass(struct asking *asking, unsigned ms);

/** Has the server of a query say something; an address; a code; break off. */
void asking_reply(struct asking *asking, size_t number, const struct scripted_reply *reply);
void asking_answer(struct asking *asking, size_t number);
void asking_reply_code(struct asking *asking, size_t number, uint16_t rcode);
void asking_break_off(struct asking *asking, size_t number, enum link_failure failure);

/** Makes a server failing, as questions and probes do that nothing comes back for. */
void asking_make_failing(struct asking *asking, uint8_t server);

/** Lets so much time pass that nothing asked before is on its way any more. */
void asking_pass_window(struct asking *asking);

/** A query that was sent; a counter. */
const struct scripted_query *asking_sent(const struct asking *asking, size_t number);
uint64_t asking_counted(const struct asking *asking, enum counter counter);

/** Asserts how many queries were sent. */
void asking_assert_sent(const struct asking *asking, size_t expected);

/**
 * Asserts that the only question asked has ended so, and that nothing is left on its way; that its
 * clients were told so, while it lingers.
 */
void asking_assert_answered(const struct asking *asking, uint8_t server);
void asking_assert_failed(const struct asking *asking, enum forward_failure failure,
                          uint8_t server);
void asking_assert_lingers(const struct asking *asking, enum forward_failure failure,
                           uint8_t server);
