#include "tap/dnstap.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

/* The numbers of the fields. */
enum { IDENTITY = 1, VERSION = 2, MESSAGE = 14, TYPE = 15 };
enum {
    KIND = 1,
    SOCKET_FAMILY = 2,
    SOCKET_PROTOCOL = 3,
    QUERY_ADDRESS = 4,
    RESPONSE_ADDRESS = 5,
    QUERY_PORT = 6,
    QUERY_SECONDS = 8,
    QUERY_NANOSECONDS = 9,
    QUERY_MESSAGE = 10,
    RESPONSE_SECONDS = 12,
    RESPONSE_NANOSECONDS = 13,
    RESPONSE_MESSAGE = 14,
    POLICY = 15,
};
enum { POLICY_TYPE = 1, POLICY_RULE = 2, POLICY_ACTION = 3, POLICY_MATCH = 4 };

/* How a field's value is written. */
enum wire_type { VARINT = 0, OCTETS = 2, FIXED32 = 5 };

enum { TYPE_MESSAGE = 1, INET = 1, INET6 = 2, IPV4_OCTETS = 4 };
enum { US_PER_SECOND = 1000000, NS_PER_US = 1000 };

/* Before the message: its field, and a length of up to three octets. */
enum { LENGTH_OCTETS_MOST = 3, BEFORE_MESSAGE = 1 + LENGTH_OCTETS_MOST, MESSAGE_MOST = 1 << 21 };

/* All fields but the origin, texts and DNS messages, with what comes before each: below this. */
enum { FIELDS_MOST = 160 };

static const char policy_type[] = "spacedns";

/* A field is one octet, for all numbers here are below 16. */
static inline uint8_t *put_field(uint8_t *at, unsigned field, enum wire_type type)
{
    *at = (uint8_t)(field << 3 | (unsigned)type);
    return at + 1;
}

static inline uint8_t *put_varint(uint8_t *at, uint64_t value)
{
    for (; value > 0x7f; value >>= 7) /* ten octets at most */
        *at++ = (uint8_t)(value | 0x80);
    *at++ = (uint8_t)value;
    return at;
}

static inline uint8_t *put_number(uint8_t *at, unsigned field, uint64_t value)
{
    return put_varint(put_field(at, field, VARINT), value);
}

/* A number below 128. */
static inline uint8_t *put_small(uint8_t *at, unsigned field, unsigned value)
{
    at = put_field(at, field, VARINT);
    *at = (uint8_t)value;
    return at + 1;
}

static inline uint8_t *put_octets(uint8_t *at, unsigned field, const void *octets, size_t length)
{
    at = put_varint(put_field(at, field, OCTETS), length);
    memcpy(at, octets, length);
    return at + length;
}

static inline uint8_t *put_text(uint8_t *at, unsigned field, const char *text)
{
    if (text == NULL || *text == '\0')
        return at;
    return put_octets(at, field, text, strnlen(text, DNSTAP_TEXT_OCTETS));
}

static inline uint8_t *put_fixed32(uint8_t *at, unsigned field, uint32_t value)
{
    const uint32_t little = htole32(value);

    at = put_field(at, field, FIXED32);
    memcpy(at, &little, sizeof little);
    return at + sizeof little;
}

/* Five octets, from 1978 to 3058; nothing for other times. */
static inline uint8_t *put_seconds(uint8_t *at, unsigned field, uint64_t seconds)
{
    enum { SECONDS_OCTETS = 5 };

    if (seconds >> 28 == 0 || seconds >> 35 != 0)
        return at;
    at = put_field(at, field, VARINT);
    for (unsigned i = 0; i < SECONDS_OCTETS - 1; i++)
        at[i] = (uint8_t)(seconds >> 7 * i | 0x80);
    at[SECONDS_OCTETS - 1] = (uint8_t)(seconds >> 28);
    return at + SECONDS_OCTETS;
}

static inline uint8_t *put_time(uint8_t *at, unsigned seconds, unsigned nanoseconds,
                                int64_t wall_us)
{
    at = put_seconds(at, seconds, (uint64_t)wall_us / US_PER_SECOND);
    return put_fixed32(at, nanoseconds, (uint32_t)((uint64_t)wall_us % US_PER_SECOND) * NS_PER_US);
}

static uint8_t *put_addresses(uint8_t *at, const struct dnstap_message *message)
{
    at = put_small(at, SOCKET_FAMILY, message->is_ipv6 ? INET6 : INET);
    at = put_small(at, SOCKET_PROTOCOL, message->protocol);
    if (message->is_ipv6)
        at = put_octets(at, QUERY_ADDRESS, message->client, DNSTAP_ADDRESS_OCTETS);
    else
        at = put_octets(at, QUERY_ADDRESS, message->client, IPV4_OCTETS);
    if (message->server != 0) {
        const uint32_t server = htobe32(message->server);
        at = put_octets(at, RESPONSE_ADDRESS, &server, sizeof server);
    }
    return put_number(at, QUERY_PORT, message->port);
}

/* It is shorter than 128 octets, so that its length is one octet. */
static uint8_t *put_policy(uint8_t *at, const struct dnstap_policy *policy)
{
    uint8_t *length = put_field(at, POLICY, OCTETS);
    uint8_t *first = length + 1;

    at = put_octets(first, POLICY_TYPE, policy_type, sizeof policy_type - 1);
    at = put_octets(at, POLICY_RULE, policy->rule, strnlen(policy->rule, DNSTAP_TEXT_OCTETS));
    if (policy->action != DNSTAP_NO_ACTION)
        at = put_small(at, POLICY_ACTION, policy->action);
    at = put_small(at, POLICY_MATCH, policy->match);
    *length = (uint8_t)(at - first);
    return at;
}

static uint8_t *put_message(uint8_t *at, const struct dnstap_message *message)
{
    at = put_small(at, KIND, message->kind);
    at = put_addresses(at, message);
    at = put_time(at, QUERY_SECONDS, QUERY_NANOSECONDS, message->query_us);
    at = put_octets(at, QUERY_MESSAGE, message->query, message->query_length);
    if (message->response_length > 0) {
        at = put_time(at, RESPONSE_SECONDS, RESPONSE_NANOSECONDS, message->response_us);
        at = put_octets(at, RESPONSE_MESSAGE, message->response, message->response_length);
    }
    return message->policy.rule == NULL ? at : put_policy(at, &message->policy);
}

/* Writes the message's field and length, to end where it begins. Returns where they begin. */
static uint8_t *put_before(uint8_t *message, size_t length)
{
    assert(length < MESSAGE_MOST);
    size_t before = length < 1 << 7 ? 2 : length < 1 << 14 ? 3 : BEFORE_MESSAGE;
    put_varint(put_field(message - before, MESSAGE, OCTETS), length);
    return message - before;
}

void dnstap_write_origin(const char *identity, const char *version, struct dnstap_origin *out)
{
    uint8_t *at = put_text(out->octets, IDENTITY, identity);

    at = put_text(at, VERSION, version);
    at = put_small(at, TYPE, TYPE_MESSAGE);
    out->length = (uint8_t)(at - out->octets);
}

size_t dnstap_octets_most(const struct dnstap_message *message)
{
    return FIELDS_MOST + sizeof message->origin->octets + DNSTAP_TEXT_OCTETS +
           message->query_length + message->response_length;
}

struct dnstap_octets dnstap_write(const struct dnstap_message *message, uint8_t *out)
{
    uint8_t *body = out + BEFORE_MESSAGE;
    uint8_t *at = put_message(body, message);
    uint8_t *first = put_before(body, (size_t)(at - body));

    memcpy(at, message->origin->octets, message->origin->length);
    at += message->origin->length;
    return (struct dnstap_octets){.first = first, .length = (size_t)(at - first)};
}
