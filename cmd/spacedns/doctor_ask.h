#pragma once
/**
 * Queries to a nameserver as clients send them: over UDP or TCP, with or without EDNS, several at
 * once from one socket. ldns writes the queries and reads the replies.
 *
 * Sockets and deadlines are our own, because those of ldns's resolver do not serve here: it takes
 * the first packet that comes for the reply, does not see that nothing listens (its sockets are not
 * connected), and waits anew for each octet that comes over TCP.
 *
 * Sources: RFC 1035 section 4, RFC 7766 section 8 (length before each message), RFC 6891 (OPT),
 * RFC 8914 (extended errors).
 * Threads: blocks the caller, at most DOCTOR_PATIENCE_MS for each call.
 * Memory: none is left; running out of it ends the program.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "wire/name.h"

enum {
    DOCTOR_PATIENCE_MS = 3000, /* after a third of it, unanswered questions are sent again */
    DOCTOR_ADDRESSES = 16,
    DOCTOR_TEXT_MAX = 4096,
    DOCTOR_EDE_MAX = 256,
};

struct doctor_question {
    struct name name;
    uint16_t type;
    bool with_edns; /* 1232 octets */
};

enum doctor_state { DOCTOR_NO_ANSWER, DOCTOR_ANSWERED, DOCTOR_ERROR };

struct doctor_answer {
    enum doctor_state state;
    int error; /* errno, with DOCTOR_ERROR */
    uint16_t rcode;
    bool has_edns;
    uint32_t addresses[DOCTOR_ADDRESSES]; /* sorted */
    size_t address_count;
    char text[DOCTOR_TEXT_MAX]; /* strings of TXT records, a line each */
    char ede[DOCTOR_EDE_MAX];   /* text of the last extended error */
};

enum { QUESTIONS_AT_ONCE = 2 };

/** Sends up to QUESTIONS_AT_ONCE questions over UDP at once, and waits for the answers. */
void doctor_ask_udp(const struct endpoint *server, const struct doctor_question *question,
                    size_t count, struct doctor_answer *answers);

/** Sends one question over TCP, and waits for the answer. */
void doctor_ask_tcp(const struct endpoint *server, const struct doctor_question *question,
                    struct doctor_answer *answer);
