#pragma once
/**
 * From request octets to a query.
 *
 * A request is the octets that arrived; a query is a parsed request: one question and the EDNS
 * options. Records in the answer and authority sections are skipped, so that an OPT record is found
 * where it is allowed (the additional section) and refused where it is not.
 *
 *      0  1  2  3  4  5  6  7  8  9 10 11 | question .............. | records ...
 *      id    flags QD    AN    NS    AR     12             question_end
 *
 * Sources: RFC 1035 section 4.1; RFC 6891 section 6.1 (OPT), 6.2.5 (sizes); RFC 9619 (one
 * question); RFC 5001 (NSID); RFC 7828 (TCP keepalive); RFC 7873 (cookies); RFC 8906 (what servers
 * must answer).
 * Threads: pure functions.  Memory: never allocates; a query points at nothing.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/cookie.h"
#include "wire/name.h"

enum {
    HEADER_OCTETS = 12,
    UDP_OCTETS_PLAIN = 512, /* without EDNS (RFC 1035 section 4.2.1) */
    UDP_OCTETS_MOST = 1232, /* with EDNS: no fragments on an IPv6 path of 1280 */
    TCP_OCTETS_MOST = 65535,
};

/** The result of query_read; each but the first two names the code to reply with. */
enum query_status {
    QUERY_READ,      /* the query is complete */
    QUERY_DROPPED,   /* no reply: shorter than a header, or itself a response */
    QUERY_MALFORMED, /* FORMERR */
    QUERY_OPCODE,    /* NOTIMP; the reply has an OPT if the request had a readable one */
    QUERY_VERSION,   /* BADVERS: an EDNS version above 0; the question is readable */
    QUERY_COOKIE,    /* a cookie and no question (RFC 7873 section 5.4); FORMERR without cookies */
};

struct query {
    uint16_t id;
    uint16_t flags; /* the request's second 16 bits, as they came */
    uint16_t type;
    uint16_t class;
    uint16_t question_end; /* offset just after the question; 12 when it is not readable */
    uint16_t udp_octets;   /* largest UDP reply the client accepts, clamped to 512..1232 */
    bool has_opt;
    bool dnssec_ok;
    bool has_options; /* any of the following */
    bool wants_nsid;
    bool wants_keepalive;
    uint8_t cookie_octets; /* 0: none; 8: the client's alone; 16 to 40: a server's behind it */
    uint8_t cookie[COOKIE_OCTETS_MOST];
    struct name name; /* folded to lower case */
};

/** Header bits in `flags` (RFC 1035 section 4.1.1, RFC 4035 section 3). */
enum {
    FLAG_QR = 0x8000,
    FLAG_OPCODE = 0x7800,
    FLAG_AA = 0x0400,
    FLAG_TC = 0x0200,
    FLAG_RD = 0x0100,
    FLAG_RA = 0x0080,
    FLAG_AD = 0x0020,
    FLAG_CD = 0x0010,
};

/**
 * Reads a request.
 *
 * query  id and flags are set unless the request was dropped; the name, type and class when the
 *        status is QUERY_READ or QUERY_VERSION, and with QUERY_OPCODE when `question_end` is
 *        behind the header
 *
 * FORMERR is for: a question count other than one, a compression pointer in the question, a message
 * that ends early or goes on after the last record, OPT twice, outside the additional section or
 * with an owner that is not the root, options that run past their record, a cookie of a length that
 * none has (RFC 7873 section 5.2.2). Of several cookies the first counts.
 */
enum query_status query_read(const uint8_t *request, size_t length, struct query *query);
