#pragma once
/**
 * Finds out, on a dyno or a laptop, why names do not resolve there. Reads resolv.conf as a client
 * does, queries each nameserver in each way that clients use, and prints which hop fails.
 *
 * Threads: blocks the caller, a few seconds for each nameserver that does not answer.
 * Memory: none is left; running out of it ends the program.
 */
#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

#define DIAGNOSIS_RESOLV_CONF "/etc/resolv.conf"

struct diagnosis_request {
    const char *resolv_conf;
    const char *suffix; /* of the space's discovery names */
    const char *name;   /* NULL: the way to the servers alone */
    bool is_json;
    FILE *out;
};

enum diagnosis_result { DIAGNOSIS_WELL, DIAGNOSIS_ILL, DIAGNOSIS_REFUSED };

/**
 * Prints one line for each step. Returns DIAGNOSIS_REFUSED with *err when nothing could be tried:
 * ERR_SYNTAX is about the request, other codes about resolv.conf.
 */
enum diagnosis_result diagnosis_run(const struct diagnosis_request *request, struct err *err);

/**
 * Asks the nameservers, one after the other, who the client is, and prints the first answer: the
 * strings of _whoami, a line each. Returns DIAGNOSIS_ILL with *err when none of them is a server of
 * the space that knows this client.
 */
enum diagnosis_result diagnosis_whoami(const struct diagnosis_request *request, struct err *err);
