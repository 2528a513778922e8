#pragma once
/**
 * The narrow way out: octets to a server, octets back. Everything above it works without sockets,
 * on a clock that is handed in, so that tests script what servers do.
 *
 *     pending ──send──► link ──► socket, TCP or TLS connection
 *     pending ◄──on_response, on_failure── link
 *
 * An attempt is one question sent to one server once. Its ticket comes back with what happens to
 * it; after link->forget(ticket) nothing more is heard of it. A UDP attempt has a socket of its own
 * with a random port (RFC 5452 section 9.2), connected, so that the kernel lets in only what comes
 * from the server's own address and port; it stays open through any number of wrong responses until
 * it is forgotten. Attempts over TCP and TLS share one connection per server, and the link keeps
 * their ids apart (RFC 7766 section 6.2.1): it writes an id of its own into the query's first two
 * octets and hands responses out with the id of the attempt put back.
 *
 * Threads: one worker's.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/upstream.h"

typedef uint32_t link_ticket;

/** What can happen to an attempt instead of a response. */
enum link_failure {
    LINK_UNREACHABLE, /* no route, connection broken */
    LINK_REFUSED,     /* nobody listens at the port */
    LINK_TLS,       /* the handshake failed: no TLS there, or the certificate is not the server's */
    LINK_EXHAUSTED, /* no descriptors or memory on our side */
};

/** Who hears of it. */
struct link_listener {
    void (*on_response)(void *context, link_ticket ticket, const uint8_t *octets, size_t length);
    void (*on_failure)(void *context, link_ticket ticket, enum link_failure failure);
    void *context;
};

/** What can be done; a link fills this in and stands behind it. */
struct link {
    /**
     * Sends a query. `server` is the number of an upstream given to the link when it was made.
     * Returns false when nothing could be sent for want of descriptors or memory; otherwise
     * on_response or on_failure may follow, never before this returns. Allowed from within both,
     * also with the ticket that was forgotten a moment ago.
     */
    bool (*send)(struct link *link, link_ticket ticket, uint8_t server, bool over_stream,
                 const uint8_t *query, size_t length);

    /**
     * Ends an attempt: called once for each that was sent, also after on_failure. Allowed from
     * within on_response and on_failure.
     */
    void (*forget)(struct link *link, link_ticket ticket);

    struct link_listener listener; /* set by who uses it, before the first send */
};
