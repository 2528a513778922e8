#include "forward/response.h"
#include "forward/rr.h"
#include "wire/name.h"
#include "wire/types.h"

enum { PARAMETER_IPV4HINT = 4, PARAMETER_IPV6HINT = 6, IPV4_OCTETS = 4, IPV6_OCTETS = 16 };

/* Who is told of addresses. */
struct visitor {
    response_on_address *visit;
    void *context;
};

static bool visit_ipv4(const struct visitor *visitor, struct reader addresses)
{
    /* Bounded by the record: four octets at a time. */
    while (reader_left(&addresses) >= IPV4_OCTETS)
        if (visitor->visit(visitor->context, read32(&addresses)))
            return true;
    return false;
}

/* Among IPv6 addresses, those that are IPv4 ones in disguise (RFC 4291 section 2.5.5.2). */
static bool visit_ipv6(const struct visitor *visitor, struct reader addresses)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    /* Bounded by the record: sixteen octets at a time. */
    while (reader_left(&addresses) >= IPV6_OCTETS) {
        const uint8_t *address = read_span(&addresses, IPV6_OCTETS);
        if (memcmp(address, mapped, sizeof mapped) == 0 &&
            visitor->visit(visitor->context, load32(address + sizeof mapped)))
            return true;
    }
    return false;
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
    case TYPE_SVCB:
    case TYPE_HTTPS:
        return visit_hints(visitor, data);
    default:
        return false;
    }
}

bool response_find_address(const struct response *response, response_on_address *visit,
                           void *context)
{
    struct visitor visitor = {.visit = visit, .context = context};
    struct reader in = reader_over(response_body(response), response->body_octets);
    struct rr record;

    /* Bounded by the body: a record takes 11 octets or more. */
    while (reader_left(&in) > 0 && rr_next(&in, &record))
        if (visit_record(&visitor, &record))
            return true;
    return false;
}
