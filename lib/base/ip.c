#include "base/ip.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

enum {
    TYPE_AT = 12, /* in the frame; the others are in the IP packet */
    TYPE_V4 = 0x0800,
    TYPE_V6 = 0x86dd,
    UDP = 17,
    UDP_OCTETS = 8,
    HOPS = 64,
    GROUP_BIT = 1, /* of a MAC address's first octet */

    V4_OCTETS = 20,
    V4_VERSION = 0x45, /* and five words, which leaves no room for options */
    V4_LENGTH_AT = 2,
    V4_FRAGMENT_AT = 6,
    V4_DO_NOT_FRAGMENT = 0x4000,
    V4_FRAGMENT_MASK = 0x3fff, /* there are more fragments, or this is not the first */
    V4_HOPS_AT = 8,
    V4_PROTOCOL_AT = 9,
    V4_SUM_AT = 10,
    V4_SOURCE_AT = 12,

    V6_OCTETS = 40,
    V6_VERSION = 6,
    V6_LENGTH_AT = 4,
    V6_NEXT_AT = 6,
    V6_HOPS_AT = 7,
    V6_SOURCE_AT = 8,

    UDP_LENGTH_AT = 4,
    UDP_SUM_AT = 6,

    V4_BOTH = 2 * 4, /* octets of both addresses */
    V6_BOTH = 2 * 16,
};

/* ---- sums ---- */

/*
 * Adds the octets as numbers of 32 bits in the machine's order; RFC 1071 section 2 shows that order
 * and width matter only at the end. At most 65,535 octets, so nothing overflows.
 */
static uint64_t add_octets(uint64_t sum, const uint8_t *octets, size_t length)
{
    uint32_t word;

    for (; length >= sizeof word; octets += sizeof word, length -= sizeof word) {
        memcpy(&word, octets, sizeof word);
        sum += word;
    }
    word = 0;
    memcpy(&word, octets, length);
    return sum + word;
}

/* Adds a number of 16 bits as its two octets would be. */
static uint64_t add_number(uint64_t sum, uint16_t number)
{
    uint8_t octets[2];

    store16(octets, number);
    return add_octets(sum, octets, sizeof octets);
}

/* The sum's 16 bits in the order of the wire, not complemented. */
static uint16_t fold(uint64_t sum)
{
    uint8_t octets[2];

    while (sum > UINT16_MAX)
        sum = (sum & UINT16_MAX) + (sum >> 16);
    uint16_t folded = (uint16_t)sum;
    memcpy(octets, &folded, sizeof octets);
    return load16(octets);
}

static uint64_t add_pseudo_header(const uint8_t *addresses, size_t octets, size_t udp_octets)
{
    return add_number(add_number(add_octets(0, addresses, octets), UDP), (uint16_t)udp_octets);
}

/* A part of a packet: its addresses, both in a row, and its datagram. */
struct datagram {
    const uint8_t *addresses;
    size_t address_octets; /* of both */
    const uint8_t *udp;
    size_t octets; /* of heads and payload */
};

static bool has_right_sum(const struct datagram *datagram)
{
    uint16_t sum = load16(datagram->udp + UDP_SUM_AT);
    uint64_t pseudo =
        add_pseudo_header(datagram->addresses, datagram->address_octets, datagram->octets);

    if (sum == 0)
        return datagram->address_octets == V4_BOTH;
    return fold(add_octets(pseudo, datagram->udp, datagram->octets)) == UINT16_MAX ||
           sum == fold(pseudo);
}

/* ---- reading ---- */

static enum ip_status check_v4(const uint8_t *packet, size_t room, struct datagram *datagram)
{
    if (room < V4_OCTETS || packet[0] != V4_VERSION ||
        (load16(packet + V4_FRAGMENT_AT) & V4_FRAGMENT_MASK) != 0 || packet[V4_PROTOCOL_AT] != UDP)
        return IP_FOREIGN;
    size_t length = load16(packet + V4_LENGTH_AT);
    if (length > room || length < V4_OCTETS || fold(add_octets(0, packet, V4_OCTETS)) != UINT16_MAX)
        return IP_DAMAGED;
    *datagram = (struct datagram){.addresses = packet + V4_SOURCE_AT,
                                  .address_octets = V4_BOTH,
                                  .udp = packet + V4_OCTETS,
                                  .octets = length - V4_OCTETS};
    return IP_GOOD;
}

static enum ip_status check_v6(const uint8_t *packet, size_t room, struct datagram *datagram)
{
    if (room < V6_OCTETS || packet[0] >> 4 != V6_VERSION || packet[V6_NEXT_AT] != UDP)
        return IP_FOREIGN;
    size_t length = load16(packet + V6_LENGTH_AT);
    if (length > room - V6_OCTETS)
        return IP_DAMAGED;
    *datagram = (struct datagram){.addresses = packet + V6_SOURCE_AT,
                                  .address_octets = V6_BOTH,
                                  .udp = packet + V6_OCTETS,
                                  .octets = length};
    return IP_GOOD;
}

/* A datagram may be shorter than its packet (RFC 768 does not forbid it), never longer. */
static bool check_udp(struct datagram *datagram)
{
    if (datagram->octets < UDP_OCTETS)
        return false;
    size_t length = load16(datagram->udp + UDP_LENGTH_AT);
    if (length < UDP_OCTETS || length > datagram->octets)
        return false;
    datagram->octets = length;
    return has_right_sum(datagram);
}

static void copy_heads(const uint8_t *frame, const struct datagram *datagram,
                       struct ip_heads *heads)
{
    size_t octets = datagram->address_octets / 2;

    *heads = (struct ip_heads){.source_port = load16(datagram->udp),
                               .destination_port = load16(datagram->udp + 2),
                               .is_ipv6 = octets == sizeof heads->source};
    memcpy(heads->destination_mac, frame, IP_MAC_OCTETS);
    memcpy(heads->source_mac, frame + IP_MAC_OCTETS, IP_MAC_OCTETS);
    memcpy(heads->source, datagram->addresses, octets);
    memcpy(heads->destination, datagram->addresses + octets, octets);
}

enum ip_status ip_read(const uint8_t *frame, size_t length, struct ip_heads *heads,
                       size_t *payload_octets)
{
    struct datagram datagram = {0};
    enum ip_status status = IP_FOREIGN;

    if (length < IP_ETHERNET_OCTETS)
        return IP_FOREIGN;
    const uint8_t *packet = frame + IP_ETHERNET_OCTETS;
    if (load16(frame + TYPE_AT) == TYPE_V4)
        status = check_v4(packet, length - IP_ETHERNET_OCTETS, &datagram);
    else if (load16(frame + TYPE_AT) == TYPE_V6)
        status = check_v6(packet, length - IP_ETHERNET_OCTETS, &datagram);
    if (status != IP_GOOD)
        return status;
    /* No host sends as a group, nor from port 0, to which no reply could go. */
    if (!check_udp(&datagram) || (frame[IP_MAC_OCTETS] & GROUP_BIT) != 0 ||
        load16(datagram.udp) == 0)
        return IP_DAMAGED;
    copy_heads(frame, &datagram, heads);
    *payload_octets = datagram.octets - UDP_OCTETS;
    return IP_GOOD;
}

/* ---- writing ---- */

static void exchange(uint8_t *a, uint8_t *b, size_t octets)
{
    uint8_t kept[16];

    memcpy(kept, a, octets);
    memcpy(a, b, octets);
    memcpy(b, kept, octets);
}

void ip_turn(struct ip_heads *heads)
{
    uint16_t port = heads->source_port;

    exchange(heads->source_mac, heads->destination_mac, IP_MAC_OCTETS);
    exchange(heads->source, heads->destination, sizeof heads->source);
    heads->source_port = heads->destination_port;
    heads->destination_port = port;
}

static void write_v4(uint8_t *packet, const struct ip_heads *heads, size_t udp_octets)
{
    memset(packet, 0, V4_OCTETS);
    packet[0] = V4_VERSION;
    store16(packet + V4_LENGTH_AT, (uint16_t)(V4_OCTETS + udp_octets));
    store16(packet + V4_FRAGMENT_AT, V4_DO_NOT_FRAGMENT);
    packet[V4_HOPS_AT] = HOPS;
    packet[V4_PROTOCOL_AT] = UDP;
    memcpy(packet + V4_SOURCE_AT, heads->source, 4);
    memcpy(packet + V4_SOURCE_AT + 4, heads->destination, 4);
    store16(packet + V4_SUM_AT, (uint16_t)~fold(add_octets(0, packet, V4_OCTETS)));
}

static void write_v6(uint8_t *packet, const struct ip_heads *heads, size_t udp_octets)
{
    memset(packet, 0, V6_SOURCE_AT);
    packet[0] = V6_VERSION << 4;
    store16(packet + V6_LENGTH_AT, (uint16_t)udp_octets);
    packet[V6_NEXT_AT] = UDP;
    packet[V6_HOPS_AT] = HOPS;
    memcpy(packet + V6_SOURCE_AT, heads->source, 16);
    memcpy(packet + V6_SOURCE_AT + 16, heads->destination, 16);
}

static void write_udp(uint8_t *udp, const struct ip_heads *heads, const struct datagram *datagram)
{
    store16(udp, heads->source_port);
    store16(udp + 2, heads->destination_port);
    store16(udp + UDP_LENGTH_AT, (uint16_t)datagram->octets);
    store16(udp + UDP_SUM_AT, 0);
    uint64_t pseudo =
        add_pseudo_header(datagram->addresses, datagram->address_octets, datagram->octets);
    uint16_t sum = (uint16_t)~fold(add_octets(pseudo, udp, datagram->octets));
    /* Zero would mean that there is none (RFC 768). */
    store16(udp + UDP_SUM_AT, sum == 0 ? UINT16_MAX : sum);
}

size_t ip_write(uint8_t *frame, const struct ip_heads *heads, size_t payload_octets)
{
    uint8_t *packet = frame + IP_ETHERNET_OCTETS;
    size_t ip_octets = heads->is_ipv6 ? V6_OCTETS : V4_OCTETS;
    struct datagram datagram = {.octets = UDP_OCTETS + payload_octets};

    assert(ip_octets + datagram.octets <= UINT16_MAX);
    memcpy(frame, heads->destination_mac, IP_MAC_OCTETS);
    memcpy(frame + IP_MAC_OCTETS, heads->source_mac, IP_MAC_OCTETS);
    store16(frame + TYPE_AT, heads->is_ipv6 ? TYPE_V6 : TYPE_V4);
    if (heads->is_ipv6)
        write_v6(packet, heads, datagram.octets);
    else
        write_v4(packet, heads, datagram.octets);
    datagram.addresses = packet + (heads->is_ipv6 ? V6_SOURCE_AT : V4_SOURCE_AT);
    datagram.address_octets = heads->is_ipv6 ? V6_BOTH : V4_BOTH;
    write_udp(packet + ip_octets, heads, &datagram);
    return IP_ETHERNET_OCTETS + ip_octets + datagram.octets;
}
