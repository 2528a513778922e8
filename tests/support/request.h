#pragma once
/**
 * Requests, made octet by octet after the RFCs and never by the code under test.
 *
 *     uint8_t octets[REQUEST_OCTETS_MOST];
 *     size_t length = request_write(&(struct ask){.name = "api.example.com."}, octets);
 *
 * A member left at zero means the usual: type A, class IN, RD set, EDNS with 1232 octets.
 *
 * Sources: RFC 1035 section 4.1, RFC 6891 section 6.1, RFC 5001, RFC 7828, RFC 7873.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REQUEST_OCTETS_MOST = 1024, REQUEST_ID = 0x4d2, ASK_COOKIE_OCTETS = 48 };

enum ask_transport { ASK_UDP, ASK_TCP };

/** A question and how to ask it. */
struct ask {
    const char *name; /* presentation form, case kept; escapes \DDD allowed */
    uint16_t type;    /* 0: A */
    uint16_t class;   /* 0: IN */
    uint16_t id;      /* 0: REQUEST_ID */
    const char *from; /* source address; NULL: 10.0.130.56, the first web dyno */
    const char *to;   /* destination address; NULL: 10.0.0.2 */
    const char *by;   /* name of the interface that it comes by; NULL: none that is known */
    enum ask_transport transport;
    bool no_edns;
    bool no_rd;
    bool cd;
    bool dnssec_ok;
    bool nsid;
    bool keepalive;
    bool no_question;
    uint8_t cookie_octets; /* 0: none */
    uint8_t cookie[ASK_COOKIE_OCTETS];
    uint8_t opcode;
    uint8_t edns_version;
    uint16_t edns_octets; /* 0: 1232 */
};

/** Writes the request. Returns its length; a name that ldns cannot read ends the program. */
size_t request_write(const struct ask *ask, uint8_t *out);

/** Reads "A", "HTTPS" or "TYPE4711" with ldns's table; an unknown word ends the program. */
uint16_t request_type(const char *text);
