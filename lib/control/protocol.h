#pragma once
/**
 * What the operator's command and the running server say to each other over the control socket.
 *
 *     command   spacedns/1 explain api.example.com --from=10.20.3.4\n
 *     server    >name=api.example.com type=A\n      a line for standard output
 *               !a sentence\n                       a line for standard error
 *               =0\n                                the exit code; then the server hangs up
 *
 * A request is one line, the command line itself: words with one space between, each octet that is
 * no printable ASCII, a space or a % written as %XX. Both ends read it by commands.def, so a server
 * of another version says what it does not know.
 *
 * Threads: pure.  Memory: never allocates, but for what stdio does.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "control/command.h"

enum { REQUEST_OCTETS_MOST = 4096, REQUEST_WORDS_MOST = 64 };

/** Where the socket is when nobody says: used only when its folder is there. */
#define CONTROL_SOCKET_USUAL "/run/spacedns/control.sock"

/**
 * Writes an invocation as a request with its newline, leaving out what concerns the command's own
 * side (--zones, --settings, --socket, --color). Returns its octets, 0 when it is too long.
 */
size_t protocol_write_request(const struct invocation *invocation, char line[REQUEST_OCTETS_MOST]);

/**
 * Reads a request without its newline, zero-terminated at `length`; the invocation borrows the
 * line, which is changed. Returns false with *err, a sentence to who asked.
 */
bool protocol_read_request(char *line, size_t length, struct invocation *invocation,
                           struct err *err);

/** One of the two outputs of a command, whole. */
struct response_part {
    const char *octets;
    size_t length;
};

/** Writes a response. */
void protocol_write_response(struct response_part out, struct response_part err, int code,
                             FILE *to);

enum protocol_line { PROTOCOL_OUT, PROTOCOL_ERR, PROTOCOL_END, PROTOCOL_STRANGE };

/** What a line of a response is, its newline included. With PROTOCOL_END, *code is written. */
enum protocol_line protocol_read_response(const char *line, int *code);
