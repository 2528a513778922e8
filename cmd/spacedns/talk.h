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

enum { TALK_WATCHED = 2 };

/** What else is watched while lines come. */
struct talk_watch {
    int descriptors[TALK_WATCHED];
    bool (*on_input)(
        void *context); /* one is readable, or a signal came; false: end, with code 0 */
};

struct talk {
    const char *path; /* of the socket */
    FILE *out;        /* gets the server's output */
    FILE *err;
    bool is_endless;       /* lines come for as long as the server runs, and somebody reads `out`;
                              each is flushed */
    talk_on_line *on_line; /* NULL: lines are printed as they are */
    bool is_raw;           /* lines are given to on_line unescaped, and nothing is printed */
    const struct talk_watch *watch; /* NULL: nothing else; only when endless */
    void (*on_end)(void *context);  /* NULL, or called before the end is reported */
    void *context;
    bool is_ended;      /* nothing more is read; the code is 0 */
    int descriptor;     /* private: the socket */
    int code;           /* the command's exit code */
    struct err problem; /* why there is no code */
    bool is_absent;     /* no server listens there */
};

/** Sends the command. Returns false with the problem. */
bool talk_run(struct talk *talk, const struct invocation *invocation);

/**
 * Requests the server's status, as talk_run; ignores `out` and `err`. Returns an object, to be
 * released, whose "zones" is a text or whose "registry" is an object; or NULL with the problem.
 */
json_t *talk_ask_status(struct talk *talk);
