#pragma once
/**
 * IPv4 addresses and CIDR blocks.
 *
 * An IPv4 address is a uint32_t in host order: 10.0.0.1 is 0x0a000001. A block is written
 * "10.0.0.0/16"; reading one keeps host bits, so that a rule can report them.
 *
 * Sources: RFC 4632 section 3.1 (prefix notation), RFC 1918 section 3 (private blocks).
 * Threads: pure.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cidr {
    uint32_t address; /* as written, host bits included */
    uint8_t bits;     /* 0..32 */
};

enum { CIDR_TEXT_MAX = 19, NAT64_TEXT_MAX = 72 };

/** Reads a strict dotted quad: four decimal numbers without leading zeros, nothing after them. */
bool ipv4_read(const char *text, uint32_t *address);

/** Reads "a.b.c.d/n" with n in 0..32. */
bool cidr_read(const char *text, struct cidr *cidr);

/** Writes the block with a closing zero octet; `out` has room for CIDR_TEXT_MAX octets. */
void cidr_write(struct cidr cidr, char *out);

/** Writes a dotted quad with a closing zero octet; `out` has room for CIDR_TEXT_MAX octets. */
void ipv4_write(uint32_t address, char *out);

/** An IPv6 prefix that IPv4 addresses are embedded in, for NAT64 (RFC 6052 section 2.2). */
struct nat64_prefix {
    uint8_t octets[16];
    uint8_t bits; /* 32, 40, 48, 56, 64 or 96; 0: no prefix */
};

/** Reads "2001:db8:64::/96". Returns false for other lengths, and when bits after it are set. */
bool nat64_prefix_read(const char *text, struct nat64_prefix *prefix);

/** Writes the prefix with a closing zero octet; `out` has room for NAT64_TEXT_MAX octets. */
void nat64_prefix_write(const struct nat64_prefix *prefix, char *out);

/** True for an address inside RFC 1918's three blocks. */
bool ipv4_is_private(uint32_t address);

/** True for a block that is wholly inside one of RFC 1918's three. */
bool cidr_is_private(struct cidr cidr);

static inline uint32_t cidr_mask(struct cidr cidr)
{
    return cidr.bits == 0 ? 0 : ~(uint32_t)0 << (32 - cidr.bits);
}

static inline uint32_t cidr_first(struct cidr cidr)
{
    return cidr.address & cidr_mask(cidr);
}

/** The last address of the block, inclusive (an exclusive end of 0.0.0.0/0 has no number). */
static inline uint32_t cidr_last(struct cidr cidr)
{
    return cidr_first(cidr) | ~cidr_mask(cidr);
}

static inline bool cidr_contains(struct cidr cidr, uint32_t address)
{
    return ((cidr.address ^ address) & cidr_mask(cidr)) == 0;
}

static inline bool cidr_overlaps(struct cidr a, struct cidr b)
{
    return cidr_first(a) <= cidr_last(b) && cidr_first(b) <= cidr_last(a);
}

static inline bool cidr_is_inside(struct cidr inner, struct cidr outer)
{
    return inner.bits >= outer.bits && cidr_contains(outer, inner.address);
}
