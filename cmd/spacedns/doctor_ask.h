#pragma once
/**
 * Questions to a nameserver, as clients ask them: over UDP or TCP, with or without EDNS, several at
 * once from one socket.
 *
 * Sources: RFC 1035 section 4, RFC 7766 section 8 (length before each message), RFC 6891 (OPT),
 * RFC 8914 (extended errors).
 * Threads: blocks the caller, DOCTOR_PATIENCE_MS at most for each call.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "wire/name.h"

enum {
    DOCTOR_PATIENCE_MS = 3000, /* after a third of it, what is missing is asked once more */
    DOCTOR_ADDRESSES = 16,
    DOCTOR_TEXT_MAX = 4096,
    DOCTOR_EDE_MAX = 256,
};

struct asked {
    struct name name;
    uint16_t type;
    bool with_edns; /* 1232 octets */
};

enum heard { ANSWER_NONE, ANSWER_RECEIVED, ANSWER_ERROR };

struct doctor_answer {
    enum heard heard;
    int error; /* errno, with ANSWER_ERROR */
    uint16_t rcode;
    bool has_edns;
    uint32_t addresses[DOCTOR_ADDRESSES]; /* sorted */
    size_t address_count;
    char text[DOCTOR_TEXT_MAX]; /* strings of TXT records, a line each */
    char ede[DOCTOR_EDE_MAX];   /* text of the last extended error */
};

enum { ASKED_AT_ONCE = 2 };

/** Asks up to ASKED_AT_ONCE questions over UDP, without waiting between them. */
void doctor_ask_udp(const struct endpoint *server, const struct asked *asked, size_t count,
                    struct doctor_answer *answers);

/** Asks one question over TCP. */
void doctor_ask_tcp(const struct endpoint *server, const struct asked *asked,
                    struct doctor_answer *answer);
