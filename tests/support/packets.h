#pragma once
/**
 * Packets that no client sends: random octets, and requests with octets changed, dropped and added.
 * They are the same in every run.
 *
 * Threads: one thread for each set of dice.
 */
#include <stddef.h>
#include <stdint.h>

enum { PACKET_OCTETS_MOST = 2048 };

struct dice {
    uint64_t state; /* not 0 */
};

/** A number from 0 to `below` - 1. */
uint32_t dice_roll(struct dice *dice, uint32_t below);

/** Random octets; half of them with a header that looks like a query's. Returns their length. */
size_t packet_make_random(struct dice *dice, uint8_t out[PACKET_OCTETS_MOST]);

/** Changes one to four things about a packet of at most 1024 octets. Returns its new length. */
size_t packet_mutate(struct dice *dice, uint8_t octets[PACKET_OCTETS_MOST], size_t length);
