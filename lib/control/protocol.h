#pragma once
/**
 * The protocol of the control socket, between the operator's command and the running server.
 *
 *     command   spacedns/1 explain api.example.com --from=10.20.3.4\n
 *     server    >name=api.example.com type=A\n      a line for standard output
 *               !a sentence\n                       a line for standard error
 *               =0\n                                the exit code; then the server disconnects
 *
 * A request is one line, the command line itself: words separated by one space. Octets that are not
 * printable ASCII, spaces and % are written as %XX. Both ends use commands.def, so a server of
 * another version reports the words that it does not know.
 *
 * Threads: pure.  Memory: allocates nothing, except in stdio.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "control/command.h"

enum { CONTROL_REQUEST_OCTETS_MOST = 4096, REQUEST_WORDS_MOST = 64 };

/** The default path of the socket, used only if its folder exists. */
#define CONTROL_SOCKET_DEFAULT "/run/spacedns/control.sock"

/**
 * Writes an invocation as a request with its newline, without the options for the command itself
 * (--zones, --settings, --socket, --color). Returns its octets, 0 if it is too long.
 */
size_t protocol_write_request(const struct invocation *invocation,
                              char line[CONTROL_REQUEST_OCTETS_MOST]);

/**
 * Reads a request without its newline, zero-terminated at `length`. Changes the line, which the
 * invocation borrows. Returns false with *err, a sentence for the client.
 */
bool protocol_read_request(char *line, size_t length, struct invocation *invocation,
                           struct err *err);

/** One of the two outputs of a command, complete. */
struct response_part {
    const char *octets;
    size_t length;
};

/** Writes the lines of a response to come, which has no code yet. */
void protocol_write_lines(struct response_part out, struct response_part err, FILE *to);

/** Writes a response. */
void protocol_write_response(struct response_part out, struct response_part err, int code,
                             FILE *to);

enum protocol_line { PROTOCOL_OUT, PROTOCOL_ERR, PROTOCOL_END, PROTOCOL_UNKNOWN };

/** Returns the kind of a response line, given with its newline. PROTOCOL_END also sets *code. */
enum protocol_line protocol_read_response(const char *line, int *code);
