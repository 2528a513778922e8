#include "forward/response.h"
#include "forward/rr.h"
#include "wire/name.h"
#include "wire/types.h"

enum {
    PARAMETER_IPV4HINT = 4,
    PARAMETER_IPV6HINT = 6,
    IPV4_OCTETS = 4,
    IPV6_OCTETS = 16,
    SIXTOFOUR_BITS = 16, /* of 2002::/16, which an IPv4 address follows (RFC 3056 section 2) */
    A6_EMBEDDED_BITS_MOST = 96,
    UNUSED_OCTET = 8, /* RFC 6052 section 2.2 */
};

/* The callback for addresses. */
struct visitor {
    response_on_address *visit;
    void *context;
    const struct nat64_prefix *nat64; /* NULL: any prefix */
};

/* The prefix lengths that RFC 6052 section 2.2 allows. */
static const uint8_t nat64_bits[] = {32, 40, 48, 56, 64, 96};

enum { NAT64_LENGTHS = sizeof nat64_bits };

/* The IPv4 address behind a prefix of so many bits. */
static uint32_t embedded(const uint8_t *address, unsigned bits)
{
    unsigned at = bits / 8;
    uint32_t value = 0;

    for (int i = 0; i < IPV4_OCTETS; i++, at++) {
        if (at == UNUSED_OCTET)
            at++;
        value = value << 8 | address[at];
    }
    return value;
}

static bool visit_ipv4(const struct visitor *visitor, struct reader addresses)
{
    /* Bounded by the record: four octets at a time. */
    while (reader_left(&addresses) >= IPV4_OCTETS)
        if (visitor->visit(visitor->context, read32(&addresses)))
            return true;
    return false;
}

static bool visit_lengths(const struct visitor *visitor, const uint8_t *address, unsigned least)
{
    for (unsigned i = 0; i < NAT64_LENGTHS; i++)
        if (nat64_bits[i] >= least &&
            visitor->visit(visitor->context, embedded(address, nat64_bits[i])))
            return true;
    return false;
}

/*
 * An IPv6 address that leads to an IPv4 one: mapped and compatible (RFC 4291 section 2.5.5),
 * translated (RFC 2765 section 2.1), 6to4, an ISATAP interface (RFC 5214 section 6.1), translated
 * with the well-known prefix (RFC 6052), with those of RFC 8215 or with our own.
 */
static bool visit_ipv6_address(const struct visitor *visitor, const uint8_t *address)
{
    static const uint8_t compatible[12] = {0}, mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t translated[12] = {[8] = 0xff, [9] = 0xff};
    static const uint8_t isatap[3] = {0, 0x5e, 0xfe}; /* after an octet with the u bit */
    static const uint8_t known[12] = {0, 0x64, 0xff, 0x9b}, local[6] = {0, 0x64, 0xff, 0x9b, 0, 1};
    static const uint8_t sixtofour[2] = {0x20, 0x02};
    const struct nat64_prefix *nat64 = visitor->nat64;

    if (nat64 == NULL)
        return visitor->visit(visitor->context, embedded(address, SIXTOFOUR_BITS)) ||
               visit_lengths(visitor, address, 0);
    if (memcmp(address, compatible, sizeof compatible) == 0 ||
        memcmp(address, mapped, sizeof mapped) == 0 ||
        memcmp(address, translated, sizeof translated) == 0 ||
        memcmp(address, known, sizeof known) == 0)
        return visitor->visit(visitor->context, embedded(address, 8 * sizeof known));
    if (memcmp(address + 9, isatap, sizeof isatap) == 0 &&
        visitor->visit(visitor->context, embedded(address, 8 * sizeof known)))
        return true;
    if (memcmp(address, sixtofour, sizeof sixtofour) == 0 &&
        visitor->visit(visitor->context, embedded(address, SIXTOFOUR_BITS)))
        return true;
    if (memcmp(address, local, sizeof local) == 0 &&
        visit_lengths(visitor, address, 8 * sizeof local))
        return true;
    return nat64->bits != 0 && memcmp(address, nat64->octets, nat64->bits / 8U) == 0 &&
           visitor->visit(visitor->context, embedded(address, nat64->bits));
}

static bool visit_ipv6(const struct visitor *visitor, struct reader addresses)
{
    /* Bounded by the record: sixteen octets at a time. */
    while (reader_left(&addresses) >= IPV6_OCTETS)
        if (visit_ipv6_address(visitor, read_span(&addresses, IPV6_OCTETS)))
            return true;
    return false;
}

/*
 * The end of an IPv6 address whose beginning is at another name (RFC 2874 section 3.1). That is not
 * known here, so the last four octets count as an IPv4 address.
 */
static bool visit_a6(const struct visitor *visitor, struct reader in)
{
    unsigned prefix_bits = read8(&in);
    size_t length = (8U * IPV6_OCTETS - prefix_bits + 7U) / 8U;
    const uint8_t *end = read_span(&in, length);

    if (prefix_bits == 0 && end != NULL)
        return visit_ipv6_address(visitor, end);
    return prefix_bits <= A6_EMBEDDED_BITS_MOST && end != NULL &&
           visitor->visit(visitor->context, load32(end + length - IPV4_OCTETS));
}

/* Priority, target, then parameters: key, length, value (RFC 9460 section 2.2). */
static bool visit_hints(const struct visitor *visitor, struct reader in)
{
    bool is_ended = false;

    read16(&in);
    name_skip(&in);
    /* Bounded by the record: four octets or more at a time. */
    while (reader_left(&in) > 0 && !is_ended) {
        uint16_t key = read16(&in);
        uint16_t length = read16(&in);
        const uint8_t *value = read_span(&in, length);
        if (value == NULL)
            return false;
        struct reader addresses = reader_over(value, length);
        is_ended = (key == PARAMETER_IPV4HINT && visit_ipv4(visitor, addresses)) ||
                   (key == PARAMETER_IPV6HINT && visit_ipv6(visitor, addresses));
    }
    return is_ended;
}

static bool visit_record(const struct visitor *visitor, const struct rr *record)
{
    struct reader data = reader_over(record->data, record->length);

    switch (record->type) {
    case TYPE_A:
        return visit_ipv4(visitor, data);
    case TYPE_AAAA:
        return visit_ipv6(visitor, data);
    case TYPE_A6:
        return visit_a6(visitor, data);
    case TYPE_SVCB:
    case TYPE_HTTPS:
        return visit_hints(visitor, data);
    default: /* types of records */
        return false;
    }
}

static bool visit_records(const struct response *response, const struct visitor *visitor)
{
    struct reader in = reader_over(response_body(response), response->body_octets);
    struct rr record;

    /* Bounded by the body: a record takes 11 octets or more. */
    while (reader_left(&in) > 0 && rr_next(&in, &record))
        if (visit_record(visitor, &record))
            return true;
    return false;
}

bool response_find_address(const struct response *response, const struct nat64_prefix *nat64,
                           response_on_address *visit, void *context)
{
    return visit_records(response,
                         &(struct visitor){.visit = visit, .context = context, .nat64 = nat64});
}

static bool is_private(void *context, uint32_t address)
{
    (void)context;
    return ipv4_is_private(address);
}

bool response_may_hold_private(const struct response *response)
{
    return visit_records(response, &(struct visitor){.visit = is_private});
}
