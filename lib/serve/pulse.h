#pragma once
/**
 * A worker's pulse: evidence that its loop turns and that it answers.
 *
 *     control thread   pulse_request, wake ──┐                    ┌──► pulse_has_answered
 *     worker                                 └──► pulse_answer ───┘
 *
 * The worker answers a query of its own, upcheck.localspace from loopback, without sockets; it is
 * neither counted nor logged. What the answer says does not matter: a refusal is one, too.
 *
 * Threads: pulse_answer on the worker's, the rest on the control thread.  Memory: never allocates.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "answer/snapshot.h"

/** Who requests it; each has a pulse of its own, which the others do not delay. */
enum pulse_asker { PULSE_SERVICE, PULSE_HEALTH, PULSE_ASKERS };

struct pulse {
    _Atomic uint64_t requested; /* number of the last request */
    _Atomic uint64_t answered;
};

/** Requests an answer; the caller wakes the worker. */
void pulse_request(struct pulse *pulse);

/** Answers the last request, if there is one without an answer. */
void pulse_answer(struct pulse *pulse, const struct snapshot *snapshot);

/** True when the last request has been answered, or none was made. */
bool pulse_has_answered(const struct pulse *pulse);
