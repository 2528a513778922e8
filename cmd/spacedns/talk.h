#pragma once
/**
 * Sends one command to a running server over its control socket and reads the answer.
 *
 * An error is one sentence with its remedy, in `problem`.
 *
 * Sources: control/protocol.h.
 * Threads: one; a call waits for the server, with a timeout.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "base/err.h"
#include "control/command.h"

struct talk {
    const char *path; /* of the socket */
    FILE *out;        /* gets the server's output */
    FILE *err;
    int code;           /* the command's exit code */
    struct err problem; /* why there is no code */
    bool is_absent;     /* no server listens there */
};

/** Sends the command. Returns false with the problem. */
bool talk_run(struct talk *talk, const struct invocation *invocation);

/**
 * Requests the server's status, as talk_run; ignores `out` and `err`. Returns an object whose
 * "zones" is a text, to be released, or NULL with the problem.
 */
json_t *talk_ask_status(struct talk *talk);
