#pragma once
/**
 * What is asked of upstreams: equal questions are joined and share one place in the cache.
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
    uint64_t hash; /* of everything below, under the process's key */
    const struct name *name;
    uint16_t type;
    uint16_t class;
    uint8_t bits; /* QUESTION_DO, QUESTION_CD */
};

/** `name_hash` is a keyed hash of the query's name, the same for the whole life of the process. */
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
