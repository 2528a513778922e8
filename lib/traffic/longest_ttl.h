#pragma once
/**
 * How long an answer with a dyno may last that is not known one by one: the longest TTL.
 *
 * A TTL that is lowered shortens no answer that was given before, so the time until which clients
 * may hold one of those is kept beside the TTL in force:
 *
 *     TTL 300 ──published 10──► still 300 ──every worker has it──► 10, and until then + 300
 *
 * Threads: one.  Memory: the caller's.
 */
#include <stdint.h>

#include "answer/snapshot.h"

enum { LONGEST_TTL_USUAL_S = 300 }; /* the most that a space may have (space/parse.c) */

struct longest_ttl {
    uint32_t ttl_s;   /* in force */
    uint32_t until_s; /* answers under longer ones before may last so long, since 1970 */
    uint32_t most_s;  /* the longest of those that may still last; 0: none */
};

/** The longest TTL of an answer with a dyno, in any space; of static records, too. */
uint32_t longest_ttl_of(const struct snapshot *snapshot);

/** It may be answered with from now on. Returns true when it is longer than those before. */
bool longest_ttl_raise(struct longest_ttl *longest, uint32_t ttl_s);

/** From now on, all answers are given with it. */
void longest_ttl_set(struct longest_ttl *longest, uint32_t ttl_s, uint32_t now_s);

/** Adds what another server knew; its TTL may be in force still. */
void longest_ttl_add(struct longest_ttl *longest, const struct longest_ttl *more);

/** Until when an answer of now or before may be in use; counted from the end of this second. */
uint32_t longest_ttl_until(const struct longest_ttl *longest, uint32_t now_s);

/**
 * The clock was set back to now_s: what was answered before lasts no longer than what is returned,
 * which is LONGEST_TTL_USUAL_S from now, or the longest TTL.
 */
uint32_t longest_ttl_set_back(struct longest_ttl *longest, uint32_t now_s);
