#pragma once
/**
 * Requests whose answer is an upstream's and not at hand: kept until it comes.
 *
 *     batch_finish ─(nothing kept)─► deferred_keep, forward_ask ─► ... ─► batch_on_result
 *                                                    ▲              │ for each who waits
 *                                                    │            deferred_restore
 *                              another name (chain.h)└── respond ◄──┘
 *                          reply_sink->deliver ◄── reply ◄────┘
 *
 * What is kept is the request itself, brought to a fixed size: header, question, and an OPT with
 * what we understand of it. When the answer is there, the request is read and decided anew by the
 * snapshot of that moment, so a reply never mixes two generations and policy is always first. Where
 * aliases then lead to another name that nothing is kept for, the request waits again. What it
 * has waited for it takes however short the TTL, so that each name of a chain is asked once.
 *
 * No client has more than a quarter of the questions waiting, and the last eighth of the room is
 * for clients that have next to nothing waiting: one whose questions pile up, or several, leave the
 * others theirs. Clients are told apart by two keyed hashes of their address, of which the lesser
 * count is believed, so that nobody can choose whose share he uses up.
 *
 * A reply_sink brings a reply to its client after its turn: over the socket that the request came
 * from, with the same addresses; or over its connection, if that is still open.
 *
 * Threads: the worker's.  Memory: everything in deferred_new.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/address.h"
#include "base/err.h"
#include "decide/alias.h"
#include "forward/forward.h"
#include "respond/respond.h"

enum {
    CLIENT_CONTROL_OCTETS = CMSG_SPACE(sizeof(struct in6_pktinfo)),
    /* Header, question, OPT with two options of no length. */
    DEFERRED_REQUEST_OCTETS = HEADER_OCTETS + NAME_MAX_OCTETS + 4 + 11 + 2 * 4,
    DEFERRED_ASKS_MOST = ALIAS_LINKS_MOST + 1, /* the names of the longest chain */
};

/** What a reply_sink needs to reach a client later. */
struct late_client {
    struct endpoint endpoint;
    uint32_t serial;       /* of the connection: its place may have been taken by another */
    size_t control_octets; /* 0: none */
    _Alignas(struct cmsghdr) uint8_t control[CLIENT_CONTROL_OCTETS];
};

struct reply_sink {
    /** Notes how to reach the client of the batch's exchange with this number. */
    void (*keep)(struct reply_sink *reply_sink, size_t number, struct late_client *client);

    /** Sends a reply. Returns false when the client can no longer be reached. */
    bool (*deliver)(struct reply_sink *reply_sink, const struct late_client *client,
                    const uint8_t *reply, size_t length);
};

/** One request that waits. */
struct pending_request {
    struct waiter waiter; /* first: a waiter is its pending_request */
    struct reply_sink *reply_sink;
    struct late_client client;
    int64_t begun_us; /* when it came; only with a log */
    uint32_t since_s; /* when it was kept, in forward.h's seconds */
    uint8_t asks; /* questions that it has waited for, the one that it waits for being the last */
    uint64_t asked[DEFERRED_ASKS_MOST]; /* their hashes: of its own, and of aliases' targets */
    struct path path;
    uint16_t keepalive_100ms;
    uint8_t transport; /* enum transport */
    uint16_t request_length;
    uint8_t request[DEFERRED_REQUEST_OCTETS];
};

struct deferred;

/**
 * Room for those who wait for so many questions at once, two for each. Returns NULL with *err.
 */
struct deferred *deferred_new(size_t questions, struct err *err);

/** NULL is allowed. */
void deferred_free(struct deferred *deferred);

/**
 * Keeps an exchange's request; the caller sets reply_sink and client. NULL when there is no room,
 * or the client has had its share. `questions_left` is how many more can be asked.
 */
struct pending_request *deferred_keep(struct deferred *deferred, const struct exchange *exchange,
                                      size_t questions_left);

/** Gives the room back. */
void deferred_drop(struct deferred *deferred, struct pending_request *pending_request);

/** An exchange with the kept request and room for any reply, ready for respond_prepare. */
struct exchange *deferred_restore(struct deferred *deferred,
                                  const struct pending_request *pending_request);
