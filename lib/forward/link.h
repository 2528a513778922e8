#pragma once
/**
 * The transport to upstreams, as an interface: octets to a server, octets back. The code above it
 * has neither sockets nor a clock, so that tests can script what servers do.
 *
 *     fetch table ──send──► link ──► socket, TCP or TLS connection
 *     fetch table ◄──on_response, on_failure── link
 *
 * An attempt is one question sent to one server once. Callbacks identify it by its ticket; after
 * link->forget(ticket) there are none. A UDP attempt has a socket of its own with a random port
 * (RFC 5452 section 9.2). The socket is connected, so that the kernel accepts only datagrams from
 * the server's address and port; it stays open through any number of mismatched responses until
 * forget. Attempts over TCP and TLS share one connection per server, and the link keeps their ids
 * apart (RFC 7766 section 6.2.1): it writes an id of its own into the query's first two octets and
 * restores the attempt's id in the response.
 *
 * Threads: one worker's.  Memory: the implementation's; octets are good until the callback returns.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/upstream.h"

typedef uint32_t link_ticket;

/** Why an attempt gets no response. */
enum link_failure {
    LINK_UNREACHABLE, /* no route, connection broken */
    LINK_REFUSED,     /* the port is closed */
    LINK_TLS,       /* the handshake failed: no TLS there, or the certificate is not the server's */
    LINK_EXHAUSTED, /* no descriptors or memory on our side */
};

/** The callbacks. */
struct link_listener {
    void (*on_response)(void *context, link_ticket ticket, const uint8_t *octets, size_t length);
    void (*on_failure)(void *context, link_ticket ticket, enum link_failure failure);
    /**
     * After a few of the others, outside of them: something else may be done before more follow;
     * `is_last`: none follow for now. NULL: nothing.
     */
    void (*on_rest)(void *context, bool is_last);
    void *context;
};

/** What is sent: one question to one server once. */
struct link_query {
    link_ticket ticket;
    uint8_t server; /* the number of an upstream given to the link when it was made */
    bool over_stream;
    uint64_t client; /* whose share of the connections it counts in; equal for one client */
    const uint8_t *octets;
    size_t length;
};

/** The operations, filled in by the implementation. */
struct link {
    /**
     * Sends a query, whose octets are good until it returns. Returns false when nothing could be
     * sent for lack of descriptors or memory; otherwise on_response or on_failure may follow, never
     * before this returns. Allowed from within both, also with a ticket that was just forgotten.
     */
    bool (*send)(struct link *link, const struct link_query *query);

    /**
     * Ends an attempt: to be called once for each that was sent, also after on_failure. Allowed
     * from within on_response and on_failure.
     */
    void (*forget)(struct link *link, link_ticket ticket);

    struct link_listener listener; /* set by the caller before the first send */
};
