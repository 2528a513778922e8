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

/** Prints a line of the server's output, escaped for a terminal, without its newline. */
typedef void talk_on_line(void *context, FILE *out, const char *line);

struct talk {
    const char *path; /* of the socket */
    FILE *out;        /* gets the server's output */
    FILE *err;
    bool is_endless;       /* lines come for as long as the server runs, and somebody reads `out`;
                              each is flushed */
    talk_on_line *on_line; /* NULL: lines are printed as they are */
    void *context;
    int descriptor;     /* private: the socket */
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
