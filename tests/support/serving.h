#pragma once
/**
 * The parts of a worker without its thread: a loop, a batch, a mailbox, counters.
 *
 *     struct serving serving;
 *     serving_init(&serving);
 *     ... udp_init(&udp, &serving.batch) ...
 *     serving_turn(&serving);
 *
 * Without a snapshot every query is answered with SERVFAIL, which suffices for tests of transports.
 */
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "serve/batch.h"

struct serving {
    uv_loop_t loop;
    struct mailbox mailbox;
    struct stats stats;
    struct batch batch;
    unsigned adopted; /* how often a snapshot was adopted */
};

void serving_init(struct serving *serving);

/** Closes the loop; a handle that stays open ends the program. */
void serving_close(struct serving *serving);

/** One turn of the loop that does not wait. */
void serving_turn(struct serving *serving);

/** A counter's value. */
uint64_t serving_count(const struct serving *serving, enum counter counter);

/** Writes a query with this id, for a name that no zone has. Returns its length. */
size_t serving_query(uint16_t id, uint8_t *out);

/** The loopback address with a free port that the kernel has chosen for a socket. */
struct endpoint serving_local(int descriptor);

/** False on a host without IPv6 on loopback, where tests of IPv6 do nothing. */
bool serving_has_ipv6(void);
