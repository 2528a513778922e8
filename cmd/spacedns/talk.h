#pragma once
/**
 * One command said to a running server over its control socket, and what comes back.
 *
 * Whatever stands in the way is one sentence with its remedy, in `problem`.
 *
 * Sources: control/protocol.h.
 * Threads: one; a call waits for the server, but not for ever.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "control/command.h"

struct talk {
    const char *path; /* of the socket */
    FILE *out;        /* what the server says goes here */
    FILE *err;
    int code;           /* the command's exit code */
    struct err problem; /* why there is no code */
    bool is_absent;     /* no server is there, as far as one can see */
};

/** Says the command. Returns false with the problem. */
bool talk_run(struct talk *talk, const struct invocation *invocation);

/** Asks where the server's zone files are; `out` and `err` stay unused. As talk_run. */
bool talk_ask_zones(struct talk *talk, char *zones, size_t size);
