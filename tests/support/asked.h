#pragma once
/**
 * A command as it comes by the control socket, from its line to its answer, without a socket. The
 * program of tests links it by
 *
 *     wrap: call_finish
 *
 * Threads: one.
 */
#include "control/control_socket.h"

enum { ASKED_UNFINISHED = -1, ASKED_LINE_MOST = 256 };

struct asked {
    struct call call; /* first, so that a call's address is its command's */
    char line[ASKED_LINE_MOST];
    int code; /* ASKED_UNFINISHED, or the answer's */
    char *out;
    char *err;
    size_t out_length;
    size_t err_length;
};

/** Makes the call of a line, words between blanks. */
struct call *asked_begin(struct asked *asked, const char *line);

/** The call was answered with that code, and with those words on either stream. */
void asked_expect(const struct asked *asked, int code, const char *part);

void asked_close(struct asked *asked);
