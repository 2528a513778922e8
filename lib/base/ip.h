#pragma once
/**
 * One UDP datagram in an Ethernet frame: its heads, read and written, checksums included.
 *
 *     ┌──────────────────────┬──────────────────────────┬──────────┬────────────────────┐
 *     │ Ethernet, 14 octets  │ IPv4, 20; or IPv6, 40    │ UDP, 8   │ payload │ padding  │
 *     └──────────────────────┴──────────────────────────┴──────────┴────────────────────┘
 *     ip_read ─► struct ip_heads ─► ip_turn ─► ip_write (around a payload in its place)
 *
 * Only whole datagrams are read: a frame with a VLAN tag, IPv4 options, IPv6 extension headers, or
 * one of several fragments is IP_FOREIGN, as is everything but UDP.
 *
 * A sum of UDP is right, or 0 over IPv4, where it was not computed, or the pseudo header's alone:
 * such frames come from this very host, whose kernel leaves the rest to a network card that they
 * never reach.
 *
 * Sources: RFC 791 section 3.1 (IPv4), RFC 8200 section 3 and 8.1 (IPv6, its sum of UDP), RFC 768
 *          (UDP), RFC 1071 (the sum); IEEE 802.3 (the least length of a frame).
 * Threads: pure functions.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IP_MAC_OCTETS = 6,
    IP_ETHERNET_OCTETS = 14,
    IP_HEADS_V4 = IP_ETHERNET_OCTETS + 20 + 8, /* all heads of a frame */
    IP_HEADS_V6 = IP_ETHERNET_OCTETS + 40 + 8,
};

enum ip_status {
    IP_GOOD,
    IP_FOREIGN, /* not one whole UDP datagram without options */
    IP_DAMAGED, /* a length or sum is wrong, or it comes from no single host */
};

/** Where a datagram comes from and goes to. An IPv4 address has four octets, the rest are 0. */
struct ip_heads {
    uint8_t source_mac[IP_MAC_OCTETS];
    uint8_t destination_mac[IP_MAC_OCTETS];
    uint8_t source[16];
    uint8_t destination[16];
    uint16_t source_port;
    uint16_t destination_port;
    bool is_ipv6;
};

/** Octets before the payload. */
static inline size_t ip_heads_octets(const struct ip_heads *heads)
{
    return heads->is_ipv6 ? IP_HEADS_V6 : IP_HEADS_V4;
}

/**
 * Reads the heads of a frame. The payload stands ip_heads_octets after its beginning.
 *
 * heads, payload_octets  written only with IP_GOOD
 */
enum ip_status ip_read(const uint8_t *frame, size_t length, struct ip_heads *heads,
                       size_t *payload_octets);

/** Exchanges source and destination: the heads of a reply. */
void ip_turn(struct ip_heads *heads);

/**
 * Writes heads and sums around a payload that stands in its place already. The packet is not to be
 * fragmented and lives for 64 hops. Returns the octets of the frame.
 */
size_t ip_write(uint8_t *frame, const struct ip_heads *heads, size_t payload_octets);
