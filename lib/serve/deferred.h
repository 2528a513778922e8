#pragma once
/**
 * Requests that wait for an upstream's answer.
 *
 *     batch_finish ─(not cached)──►  deferred_keep, forward_ask ─► ... ─► batch_on_result
 *                                                    ▲              │ for each request
 *                                                    │            deferred_restore
 *                              another name (chain.h)└── respond ◄──┘
 *                             carrier->deliver ◄── reply ◄────┘
 *
 * The request itself is kept, in a fixed size: header, question, and an OPT record with the options
 * that we support. When the answer comes, the request is read and decided again with the current
 * snapshot, so a reply never mixes two generations and policy always applies. If aliases then lead
 * to another name that is not cached, the request waits again. An answer that it waited for is used
 * however short its TTL, so that each name of a chain is asked once.
 *
 * One client may have a quarter as many requests waiting as there are questions at once. The last
 * eighth of questions and slots is reserved for clients with fewer than two requests waiting, so
 * clients that flood cannot block the others. Clients are counted by two keyed hashes of their
 * address, of which the lower count applies, so that no client can choose whose share it uses up.
 *
 * How a reply reaches its client is the carrier's affair (carrier.h).
 *
 * Threads: the worker's.  Memory: everything in deferred_new.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/err.h"
#include "decide/alias.h"
#include "forward/forward.h"
#include "respond/respond.h"
#include "serve/carrier.h"
#include "wire/edns.h"

enum {
    /* Header, question, OPT with two empty options and a cookie. */
    DEFERRED_REQUEST_OCTETS = HEADER_OCTETS + NAME_MAX_OCTETS + 4 + OPT_OCTETS +
                              3 * OPTION_HEAD_OCTETS + COOKIE_OCTETS_MOST,
    DEFERRED_ASKS_MOST = ALIAS_LINKS_MOST + 1, /* the names of the longest chain */
};

/** One request that waits. */
struct pending_request {
    union { /* first: a waiter is its pending_request */
        struct waiter waiter;
        SLIST_ENTRY(pending_request) free_link; /* while it is free */
    };
    struct carrier *carrier;
    struct late_client client;
    uint64_t begun_ns; /* when it arrived */
    uint32_t since_s;  /* when it was kept, in forward.h's seconds */
    uint8_t asks;      /* questions that it has waited for, including the current one */
    uint64_t asked[DEFERRED_ASKS_MOST]; /* their hashes: its own question, and aliases' targets */
    struct path path;
    uint16_t keepalive_100ms;
    uint8_t transport; /* enum transport */
    uint16_t request_length;
    uint8_t request[DEFERRED_REQUEST_OCTETS];
};

struct deferred;

/** Allocates two slots for each of `questions` at once. Returns NULL with *err. */
struct deferred *deferred_new(size_t questions, struct err *err);

/** NULL is allowed. */
void deferred_free(struct deferred *deferred);

/**
 * Keeps an exchange's request; the caller sets carrier and client. Returns NULL when no slot is
 * free or the client has used its share. `questions_left` is how many more questions can be
 * forwarded.
 */
struct pending_request *deferred_keep(struct deferred *deferred, const struct exchange *exchange,
                                      size_t questions_left);

/** Frees the slot. */
void deferred_drop(struct deferred *deferred, struct pending_request *pending_request);

/** An exchange with the kept request and room for any reply, ready for respond_prepare. */
struct exchange *deferred_restore(struct deferred *deferred,
                                  const struct pending_request *pending_request);
