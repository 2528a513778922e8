#pragma once
/**
 * Responders: they stand for upstreams and behave as a test says, inside a process on a scripted
 * link, or live on sockets.
 *
 *     responders_add(&responders, "10.9.0.1");
 *     facts_learn(&responders.facts, "www.example.org. A 300 192.0.2.80");
 *     responders_behave(&responders, "10.9.0.1", "700ms well");
 *
 * All know the same facts. What a responder does for each query is a list of words, done in turn;
 * each but the waiting ones sends one response:
 *
 *     well            what is known, with TC over UDP when it does not fit
 *     silent          nothing
 *     700ms           waits before what follows
 *     wrong-id        a poisoned answer under another id
 *     wrong-question  one to another question
 *     wrong-source    a poisoned answer from another port
 *     folds-case      what is known, with the question in lower case
 *     silent-on-quiet no reply to names that begin with "quiet", else well
 *     truncated       over UDP nothing but TC; over TCP well
 *     oversized       over UDP nothing but TC; over TCP as many addresses as 64 KB hold
 *     pushes          an address, and what nobody asked for: addresses and servers of
 *                     api.example.com, one of its own in the class CH
 *     malforms        an address of six octets
 *     mumbles         an address, with an explanation that is no UTF-8
 *     garbage         the right header and question, and nonsense behind them
 *     short           five octets
 *     servfail, refused, notimp
 *                     the code, and nothing known
 *     knows-no-edns   FORMERR to queries with OPT, else well
 *     authentic       well, with AD
 *     closed, tcp-closed
 *                     nobody listens, or nobody on TCP; may stand beside others
 *
 * Every query is looked over: one that no forwarder should send leaves a complaint.
 *
 * Threads: one at a time.  Memory: responders_close frees it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/facts.h"

enum {
    RESPONDERS_MOST = 8,
    RESPONDER_DEEDS_MOST = 6,
    RESPONDER_ADDRESS_MOST = 32,
    RESPONDER_OVERSIZED_RECORDS = 4000,
};

struct deed {
    const struct manner *manner;
    unsigned wait_ms; /* before it */
};

struct responder {
    char address[RESPONDER_ADDRESS_MOST];
    struct deed deeds[RESPONDER_DEEDS_MOST];
    size_t deed_count;
    bool is_closed, is_tcp_closed;
    unsigned asked[2]; /* queries over UDP, over TCP */
};

struct responders {
    struct responder items[RESPONDERS_MOST];
    size_t count;
    struct facts facts;
    void (*on_asked)(void *context, const ldns_pkt *query); /* NULL: nobody listens */
    void *context;
    char complaint[256]; /* empty: every query was as it should be */
};

/** A query to one. */
struct responder_query {
    const uint8_t *octets;
    size_t length;
    bool over_stream;
};

/** What a responder sends, and when. */
struct utterance {
    unsigned after_ms; /* since the query came */
    bool is_from_elsewhere;
    const uint8_t *octets; /* good until the callback returns */
    size_t length;
};

typedef void responders_on_utterance(void *context, const struct utterance *utterance);

/** Adds a responder, which behaves well. Returns false when there are too many. */
bool responders_add(struct responders *responders, const char *address);

/** Finds one; NULL: none. */
struct responder *responders_find(struct responders *responders, const char *address);

/** Changes what one does. Returns false when a word is unknown or the address is. */
bool responders_behave(struct responders *responders, const char *address, const char *words);

/** True when somebody listens. */
bool responder_listens(const struct responder *responder, bool over_stream);

/** Hands a query in; what comes of it is told before this returns. */
void responders_ask(struct responders *responders, struct responder *responder,
                    const struct responder_query *query, responders_on_utterance *say,
                    void *context);

void responders_close(struct responders *responders);
