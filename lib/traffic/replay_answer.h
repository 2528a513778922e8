#pragma once
/**
 * What a question would get, in a form that can be compared: a part of replay.h.
 *
 *     question ──► a request over TCP ──► respond() by a snapshot ──► reply ──► answer
 *
 * It is the server's own reply, so nothing that a client sees is missing: code, reason, records
 * with their TTLs, whose order does not matter, also behind aliases. What differs without a change
 * is left out: the serial of SOA records, and what names about the server itself say.
 *
 * A name that is forwarded has no reply here. Instead, its upstreams are compared.
 *
 * Threads: one at a time for a replay_ask.  Memory: a replay_ask has the room for a reply.
 */
#include "base/text.h"
#include "decide/client.h"
#include "decide/reason.h"
#include "decide/verdict.h"
#include "respond/respond.h"

enum replay_kind {
    REPLAY_EMPTY,     /* no records */
    REPLAY_ADDRESSES, /* A records, and CNAME records that lead to them */
    REPLAY_RECORDS,
    REPLAY_FORWARDED,
};

struct replay_answer {
    enum replay_kind kind;
    enum reason reason;
    uint16_t rcode;
    uint32_t count; /* addresses, or records */
    uint32_t ttl_seconds;
    uint64_t content; /* of the records without TTLs, or the upstreams */
    uint64_t ttls;    /* of the records with TTLs */
};

/** A question. */
struct replay_question {
    const struct path *path;
    const struct name *name;
    uint16_t type;
};

enum { REPLAY_REQUEST_OCTETS = 12 + NAME_MAX_OCTETS + 4 + 11 };

struct replay_ask {
    struct exchange exchange; /* of the last question; its verdict says whose name it is */
    uint8_t request[REPLAY_REQUEST_OCTETS];
    uint8_t reply[TCP_OCTETS_MOST];
};

/** Asks by a snapshot. */
void replay_answer_find(struct replay_ask *ask, const struct snapshot *snapshot,
                        const struct replay_question *question, struct replay_answer *answer);

enum replay_difference {
    REPLAY_SAME,
    REPLAY_OTHER_TTL,     /* the same records, or none, with another TTL */
    REPLAY_OTHER_CONTENT, /* as many records, or other upstreams */
    REPLAY_OTHER,         /* anything else */
};

enum replay_difference replay_answer_compare(const struct replay_answer *before,
                                             const struct replay_answer *after);

/** Appends "Q14 instead of 2 addresses". */
void replay_answer_add_change(struct text *text, enum replay_difference difference,
                              const struct replay_answer *before,
                              const struct replay_answer *after);

/** Appends "2 addresses", "Q14", "no record", "an answer from upstream". */
void replay_answer_add(struct text *text, const struct replay_answer *answer);
