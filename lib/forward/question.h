#pragma once
/**
 * The question to upstreams: equal questions share one fetch and one cache entry.
 *
 * Two questions are equal when name, type, class and the client's DO and CD bits are: an upstream
 * answers differently to each of them (RFC 4035 section 3.2).
 *
 * Threads: pure.  Memory: borrows the name.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "wire/query.h"

enum { QUESTION_DO = 1, QUESTION_CD = 2 };

struct question {
    uint64_t hash; /* of everything below, with the process's key */
    const struct name *name;
    uint16_t type;
    uint16_t class;
    uint8_t bits; /* QUESTION_DO, QUESTION_CD */
};

/** `name_hash` is a hash of the query's name, with a key that the process never changes. */
static inline struct question question_of(const struct query *query, uint64_t name_hash)
{
    uint8_t bits = (uint8_t)((query->dnssec_ok ? QUESTION_DO : 0) |
                             ((query->flags & FLAG_CD) != 0 ? QUESTION_CD : 0));
    uint64_t rest = (uint64_t)query->type << 32 | (uint64_t)query->class << 16 | bits;

    return (struct question){
        .hash = hash_mix(name_hash ^ rest, UINT64_C(0x9e3779b97f4a7c15)),
        .name = &query->name,
        .type = query->type,
        .class = query->class,
        .bits = bits,
    };
}
