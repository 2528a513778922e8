#pragma once
/**
 * The whole server without I/O: request octets in, reply octets out.
 *
 *     read (wire/query) → decide (decide/decide) → write (serve/render, or forward/relay)
 *
 * In steps, so that a batch can let memory arrive while it works on the next request, and so that
 * what is not ours can be asked elsewhere in between: respond_prepare reads and classifies and asks
 * for the index slots to be fetched; respond_decide decides; respond_write writes what is ours,
 * respond_relay what an upstream answered. respond_finish decides and writes; respond does it all.
 *
 * Threads: pure but for the exchange.  Memory: allocates nothing; reads no clock; makes no call to
 * the system.
 */
#include <stddef.h>
#include <stdint.h>

#include "decide/decide.h"
#include "forward/forward.h"
#include "wire/query.h"
#include "wire/reply.h"

enum transport { TRANSPORT_UDP, TRANSPORT_TCP };

/** One request on its way to a reply. */
struct exchange {
    /* Set by the caller. */
    const uint8_t *request;
    size_t request_length;
    struct path path;
    enum transport transport;
    uint16_t keepalive_100ms;      /* idle timeout offered over TCP (RFC 7828); 0: none */
    uint8_t *reply;                /* room for UDP_OCTETS_MOST or TCP_OCTETS_MOST octets */
    uint32_t rotation;             /* grows by one per exchange: turns the order of addresses */
    const struct forward *forward; /* NULL: names that are not ours are asked of nobody */

    /* Set by respond_prepare. */
    enum query_status status;
    uint64_t hash;
    struct query query;
    struct client client;
    struct question question; /* with `forward` */

    /* Set by respond_decide. */
    struct verdict verdict;

    /* Set by what writes. */
    bool is_deferred;    /* by batch_finish: the reply comes later */
    size_t reply_length; /* 0: no reply */
    uint16_t rcode;      /* with EDNS extension */
    uint16_t answer_count;
    uint32_t ttl_seconds; /* of the answer, or the negative TTL */
};

/** Reads the request, classifies the client, asks for index slots. `snapshot` may be NULL. */
void respond_prepare(const struct snapshot *snapshot, struct exchange *exchange);

/** Asks for the entry that the slots name; between the two halves, once the slots are there. */
void respond_prefetch(const struct snapshot *snapshot, const struct exchange *exchange);

/** Asks for the name that the entry names; between the halves too, once the entry is there. */
void respond_prefetch_text(const struct snapshot *snapshot, const struct exchange *exchange);

/**
 * Decides what the reply shall be, also for what is no readable query. With SITUATION_FORWARD the
 * answer is an upstream's: respond_relay has it written, respond_write says that there is none.
 * With SITUATION_ALIAS it goes on at another name (chain.h), as does an upstream's answer that
 * leads to a name of ours.
 */
void respond_decide(const struct snapshot *snapshot, struct exchange *exchange);

/**
 * Writes the reply that the verdict asks for. Returns its length, 0 when there is none: a response,
 * or octets too few for a header. A reply over UDP is at most what the client takes, 512 to 1232
 * octets.
 */
size_t respond_write(const struct snapshot *snapshot, struct exchange *exchange);

/**
 * Writes the reply with what upstreams answered, or why they did not; settles the verdict's rcode
 * and reason. An answer with an address of a space served here becomes one without data unless the
 * route allows it: whoever owns a name elsewhere could point it into the space (DNS rebinding).
 * Returns the reply's length.
 */
size_t respond_relay(const struct snapshot *snapshot, struct exchange *exchange,
                     const struct forward_result *found);

/* ---- for chain.h ---- */

/** The most octets that the exchange's reply can have. */
size_t respond_octets_most(const struct exchange *exchange);

/**
 * Fills in what goes into OPT: to insiders who serves, and the reason, whose text is written into
 * `reason` (EDE_TEXT_OCTETS of room) and borrowed; NULL: no reason.
 */
void respond_fill_options(const struct snapshot *snapshot, const struct exchange *exchange,
                          struct text *reason, struct reply_options *options);

/** True when a response to what the verdict forwards carries an address of a space, and may not. */
bool respond_withholds(const struct snapshot *snapshot, const struct verdict *verdict,
                       const struct response *response);

/** Settles the verdict by what was found. Returns the response to pass on, NULL for none. */
const struct response *respond_settle(const struct snapshot *snapshot,
                                      const struct forward_result *found, struct verdict *verdict);

/* ---- all at once, with nobody to ask ---- */

/** Decides and writes. Returns the reply's length. */
size_t respond_finish(const struct snapshot *snapshot, struct exchange *exchange);

/** Reads, decides and writes. */
size_t respond(const struct snapshot *snapshot, struct exchange *exchange);
