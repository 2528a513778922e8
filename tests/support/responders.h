#pragma once
/**
 * Responders: simulated upstreams that behave as a test configures, in process on a scripted link
 * or live on sockets.
 *
 *     responders_add(&responders, "10.9.0.1");
 *     facts_learn(&responders.facts, "www.example.org. A 300 192.0.2.80");
 *     responders_behave(&responders, "10.9.0.1", "700ms well");
 *
 * All serve the same facts. A list of words sets what a responder does for each query, in order;
 * each word but the delays sends one response:
 *
 *     well            the facts, with TC over UDP when they do not fit
 *     silent          nothing
 *     700ms           delays what follows
 *     wrong-id        a poisoned answer under another id
 *     wrong-question  a response to another question
 *     wrong-source    a poisoned answer from another port
 *     folds-case      the facts, with the question in lower case
 *     silent-on-quiet no reply to names that begin with "quiet", else well
 *     truncated       over UDP only TC; over TCP well
 *     oversized       over UDP only TC; over TCP as many addresses as 64 KB hold
 *     pushes          an address, and records not asked for: addresses and servers of
 *                     api.example.com, one of its own in the class CH
 *     malforms        an address of six octets
 *     mumbles         an address, with an explanation that is no UTF-8
 *     garbage         the right header and question, then random octets
 *     short           five octets
 *     servfail, refused, notimp
 *                     the code, without records
 *     knows-no-edns   FORMERR to queries with OPT, else well
 *     authentic       well, with AD
 *     closed, tcp-closed
 *                     nothing listens, or not on TCP; may be combined with others
 *
 * Every query is checked: one that a forwarder must not send sets `complaint`.
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
    unsigned wait_ms; /* delay before it */
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
    void (*on_asked)(void *context, const ldns_pkt *query); /* may be NULL */
    void *context;
    char complaint[256]; /* empty: every query was correct */
};

/** A query to a responder. */
struct responder_query {
    const uint8_t *octets;
    size_t length;
    bool over_stream;
};

/** What a responder sends, and when. */
struct responder_reply {
    unsigned after_ms; /* since the query came */
    bool is_from_elsewhere;
    const uint8_t *octets; /* valid until the callback returns */
    size_t length;
};

typedef void responders_on_reply(void *context, const struct responder_reply *reply);

/** Adds a responder that answers well. Returns false when there are too many. */
bool responders_add(struct responders *responders, const char *address);

/** Finds a responder. Returns NULL when there is none. */
struct responder *responders_find(struct responders *responders, const char *address);

/** Sets what a responder does. Returns false when a word or the address is unknown. */
bool responders_behave(struct responders *responders, const char *address, const char *words);

/** True when the responder listens. */
bool responder_listens(const struct responder *responder, bool over_stream);

/** Handles a query; calls on_reply for each response before this returns. */
void responders_ask(struct responders *responders, struct responder *responder,
                    const struct responder_query *query, responders_on_reply *on_reply,
                    void *context);

void responders_close(struct responders *responders);
