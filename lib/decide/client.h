#pragma once
/**
 * The client: a source address and its memberships.
 *
 * The class comes from the packet's source address, the address it was sent to and the interface it
 * came by, never from anything inside the packet (EDNS Client Subnet can be forged).
 *
 * Threads: pure.  Memory: a client borrows from the snapshot it was classified by.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/snapshot.h"

/** Source, destination and interface of a request, as the socket reports them. */
struct path {
    uint32_t source;         /* IPv4, host order */
    uint32_t destination;    /* IPv4, host order; 0 when it is IPv6 */
    uint32_t interface;      /* that it came by, as the system numbers them; 0: not known */
    bool is_ipv6;            /* the source is IPv6 and neither ::1 nor a mapped IPv4 address */
    uint8_t source_ipv6[16]; /* then: the source */
};

struct client {
    uint32_t address;
    const struct view *view; /* NULL before the first snapshot */
    const struct membership *memberships;
    uint32_t count; /* 0: external */
};

/** Classifies a client. An IPv6 client is external: spaces are IPv4 networks. */
void client_classify(const struct snapshot *snapshot, const struct path *path,
                     struct client *client);

/** The client's membership of a space, or NULL. */
const struct membership *client_membership(const struct client *client, uint16_t segment);

/** True when any membership has one of the classes in the mask (bit per client_class). */
bool client_has_class(const struct client *client, unsigned classes);

/** The classes of its memberships (bit per client_class). */
unsigned client_classes(const struct client *client);

/** The client's closest class: space before peered before vpn; external without memberships. */
enum client_class client_class(const struct client *client);

/** "space", "peered", "vpn", "external". */
const char *class_text(enum client_class class);
