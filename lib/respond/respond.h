#pragma once
/**
 * The whole server without I/O: from request octets to reply octets.
 *
 *     read (wire/query) → decide (decide/decide) → write (respond/render, or forward/relay)
 *
 * It runs in steps, so that a batch works on other requests while memory is fetched, and so that
 * other names can be forwarded in between: respond_prepare reads and classifies and prefetches the
 * index slots; respond_decide decides; respond_write writes our own answer, respond_relay an
 * upstream's. respond_finish decides and writes; respond does all of it.
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

struct limits;
struct dead_apps;

enum transport { TRANSPORT_UDP, TRANSPORT_TCP };

/** What the reply needed of upstreams; of an alias chain, its last forwarded name. */
enum upstream_use {
    UPSTREAM_UNUSED, /* nothing: the answer is our own */
    UPSTREAM_ASKED,  /* an answer that was waited for, or there is none */
    UPSTREAM_CACHED, /* a cached answer, fresh */
    UPSTREAM_STALE,  /* a cached answer, stale */
};

/** One request and its reply. */
struct exchange {
    /* Set by the caller. */
    const uint8_t *request;
    size_t request_length;
    struct path path;
    enum transport transport;
    uint16_t keepalive_100ms;            /* idle timeout offered over TCP (RFC 7828); 0: none */
    uint8_t *reply;                      /* room for UDP_OCTETS_MOST or TCP_OCTETS_MOST octets; may
                                            be the request's, which the reply then replaces */
    uint32_t rotation;                   /* grows by one per exchange: rotates the addresses */
    const struct forward *forward;       /* NULL: other names are not forwarded */
    const struct cookie_server *cookies; /* NULL: cookies are ignored */
    struct limits *limits;               /* NULL: the client is not limited */
    struct dead_apps *dead_apps;         /* NULL: their negative TTL does not rise */

    /* Set by respond_prepare. */
    enum query_status status;
    enum cookie_state cookie;            /* the request's; COOKIE_RIGHT: no forged source */
    uint8_t reply_cookie[COOKIE_OCTETS]; /* the reply's, unless COOKIE_NONE */
    uint64_t hash; /* of the name; 0: nothing is to be looked up, as for outsiders */
    struct query query;
    struct client client;

    /* Set by respond_prefetch. */
    bool is_guessed;
    struct index_entry guess; /* what index_guess said of the hash */

    /* Set by respond_decide. */
    struct verdict verdict;
    bool is_limited; /* the client is above a limit (limits.h) */
    bool is_terse;   /* of an outsider: the reply must not be longer than the request */

    /* Set by the functions that write. */
    bool is_deferred;               /* by batch_finish: the reply comes later */
    enum upstream_use upstream_use; /* by batch_finish */
    const char *upstream; /* by batch_finish, if one was used: the text of the server that answered
                             or failed, borrowed for the batch; NULL: none, or not known */
    size_t reply_length;  /* 0: no reply */
    uint16_t rcode;       /* with the EDNS extension bits */
    uint16_t answer_count;
    uint32_t ttl_seconds; /* of the answer, or the negative TTL */
};

/** Reads the request, classifies the client, prefetches index slots. `snapshot` may be NULL. */
void respond_prepare(const struct snapshot *snapshot, struct exchange *exchange);

/**
 * Prefetches the entry that the slots name; between the two halves, once the slots are cached. A
 * name that is not ours may be an upstream's: then it is the cache's slots that are prefetched.
 */
void respond_prefetch(const struct snapshot *snapshot, struct exchange *exchange);

/** Prefetches what that entry, or the cache's, points to; once it is cached itself. */
void respond_prefetch_text(const struct snapshot *snapshot, const struct exchange *exchange);

/**
 * Decides the reply, also for a request that is not a readable query; a client above a limit gets
 * another reply, or none (limits.h). With SITUATION_FORWARD an
 * upstream answers: respond_relay writes its answer, respond_write the failure. With
 * SITUATION_ALIAS the answer continues at another name (chain.h), as does an upstream's answer that
 * leads to a name of ours.
 */
void respond_decide(const struct snapshot *snapshot, struct exchange *exchange);

/** Makes the verdict BADCOOKIE: the client is to ask again with the reply's cookie. */
void respond_want_cookie(struct exchange *exchange);

/**
 * Writes the verdict's reply. Returns its length, 0 when there is none: for a response, or less
 * than a header. A reply over UDP is at most as long as the client accepts, 512 to 1232 octets.
 */
size_t respond_write(const struct snapshot *snapshot, struct exchange *exchange);

/**
 * Writes the reply with an upstream's answer, or with what its failure is decided to get
 * (decide/outcome.h). Returns the reply's length.
 */
size_t respond_relay(const struct snapshot *snapshot, struct exchange *exchange,
                     const struct forward_result *found);

/* ---- for chain.h ---- */

/** The maximum length of the exchange's reply. */
size_t respond_octets_most(const struct exchange *exchange);

/**
 * Fills in the options of OPT: NSID for insiders, and the reason, whose text is written into
 * `reason` (EDE_TEXT_OCTETS of room) and borrowed; NULL: no reason.
 */
void respond_fill_options(const struct snapshot *snapshot, const struct exchange *exchange,
                          struct text *reason, struct reply_options *options);

/**
 * Decides what the forwarded name gets (decide/outcome.h). Returns the response to relay, NULL for
 * none.
 */
const struct response *respond_decide_outcome(const struct snapshot *snapshot,
                                              const struct forward_result *found,
                                              struct verdict *verdict);

/* ---- in one call, without a forwarder ---- */

/** Decides and writes. Returns the reply's length. */
size_t respond_finish(const struct snapshot *snapshot, struct exchange *exchange);

/** Reads, decides and writes. */
size_t respond(const struct snapshot *snapshot, struct exchange *exchange);
