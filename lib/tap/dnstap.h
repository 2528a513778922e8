#pragma once
/**
 * Writes dnstap messages: what arrived, what was answered, and why, for programs that collect them.
 *
 *     Dnstap { message { ... policy { ... } } identity version type }
 *
 * Only the fields that this server knows are written, by hand: the length of a message is known
 * once it is written, so it is put before it then, and nothing is measured or copied twice.
 *
 * Sources: dnstap.proto of dnstap.info (fields and their numbers); Protocol Buffers, "Encoding"
 * (fields come in any order).
 * Threads: pure.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Whose view: of names of ours (AUTH), of forwarded ones (CLIENT). */
enum dnstap_kind {
    DNSTAP_AUTH_QUERY = 1,
    DNSTAP_AUTH_RESPONSE = 2,
    DNSTAP_CLIENT_QUERY = 5,
    DNSTAP_CLIENT_RESPONSE = 6,
};

enum dnstap_protocol { DNSTAP_UDP = 1, DNSTAP_TCP = 2 };

/** What was done; DNSTAP_NO_ACTION: nothing that dnstap has a word for. */
enum dnstap_action {
    DNSTAP_NO_ACTION = 0,
    DNSTAP_NXDOMAIN = 1,
    DNSTAP_NODATA = 2,
    DNSTAP_PASS = 3,
    DNSTAP_DROP = 4,
    DNSTAP_TRUNCATE = 5,
};

/** What it depended on. */
enum dnstap_match { DNSTAP_QNAME = 1, DNSTAP_CLIENT_IP = 2 };

enum { DNSTAP_ADDRESS_OCTETS = 16, DNSTAP_TEXT_OCTETS = 64 };

/** Who sends: the last fields, the same in every message, written once. */
struct dnstap_origin {
    uint8_t length;
    uint8_t octets[2 * (DNSTAP_TEXT_OCTETS + 2) + 2];
};

/** Why the answer is not what was asked for. */
struct dnstap_policy {
    const char *rule; /* "Q10", at most DNSTAP_TEXT_OCTETS; NULL: no policy */
    enum dnstap_action action;
    enum dnstap_match match;
};

/** A message; everything is borrowed. */
struct dnstap_message {
    enum dnstap_kind kind;
    enum dnstap_protocol protocol;
    const struct dnstap_origin *origin;
    bool is_ipv6;
    uint8_t client[DNSTAP_ADDRESS_OCTETS]; /* the first four octets for IPv4 */
    uint16_t port;                         /* the client's */
    uint32_t server;                       /* IPv4, host order; 0: not known */
    int64_t query_us;                      /* since 1970 */
    int64_t response_us;                   /* not read for queries */
    const uint8_t *query;
    size_t query_length;
    const uint8_t *response;
    size_t response_length; /* 0: a query without a reply */
    struct dnstap_policy policy;
};

/**
 * Writes who sends. Each text is cut after DNSTAP_TEXT_OCTETS; NULL or empty: none is sent.
 *
 * identity  of this server, as NSID has it
 */
void dnstap_write_origin(const char *identity, const char *version, struct dnstap_origin *out);

/** Room that is enough for the message. */
size_t dnstap_octets_most(const struct dnstap_message *message);

/** A message as it is sent; it may begin a few octets after `out`. */
struct dnstap_octets {
    uint8_t *first;
    size_t length;
};

/** Writes the message into dnstap_octets_most octets; `first` is less than 4 after `out`. */
struct dnstap_octets dnstap_write(const struct dnstap_message *message, uint8_t *out);
