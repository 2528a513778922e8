#pragma once
/**
 * Shares of a backlog that is dropped: which of its requests are answered all the same.
 *
 * Who asks most loses most: of every client of a space, the first SHARE_OF_CLIENT requests in the
 * backlog are answered, whoever else has filled it, and of all clients together SHARE_OF_ALL, so
 * that answering them does not become a backlog. Clients are counted by a hash of their address,
 * with another key for each backlog: nobody shares a count with a flood for long. Outsiders have no
 * share: nothing bounds how many addresses they claim to have.
 *
 * Threads: the worker's.  Memory: in place.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"

enum { SHARE_ROWS = 4096, SHARE_OF_CLIENT = 16, SHARE_OF_ALL = 1024 };

struct share {
    struct hash_key key;
    uint32_t left;             /* of SHARE_OF_ALL */
    uint8_t taken[SHARE_ROWS]; /* up to SHARE_OF_CLIENT */
};

/** Draws a key; share_begin comes before the first request. */
void share_init(struct share *share);

/** Begins a backlog. */
void share_begin(struct share *share);

/** Takes a request into its client's share. Returns false when there is nothing left of it. */
bool share_take(struct share *share, uint32_t address);
