#pragma once
/**
 * A link that ends at responders.h: no sockets, and the caller passes the time in.
 *
 * Like a connected socket, it drops what comes from another address.
 */
#include "forward/forward.h"
#include "forward/server_list.h"
#include "support/responders.h"

enum { LINK_FLIGHTS_MOST = 4096 };

/** A response or a failure to deliver later. */
struct flight {
    uint64_t due_ms;
    link_ticket ticket;
    bool is_failure;
    uint8_t *octets;
    size_t length;
};

struct responders_link {
    struct link link;
    struct responders *responders;
    struct responder *servers[RESOLVERS_MOST]; /* by number */
    uint64_t now_ms;
    struct flight flights[LINK_FLIGHTS_MOST];
    size_t flight_count;
};

/** Every server must be a responder. */
void responders_link_init(struct responders_link *link, struct responders *responders,
                          const struct server_list *servers);

/** When the next one is due; UINT64_MAX: none is left. */
uint64_t responders_link_next_ms(const struct responders_link *link);

/** Advances the clock and delivers what is due. */
void responders_link_deliver(struct responders_link *link, uint64_t now_ms);

void responders_link_close(struct responders_link *link);
