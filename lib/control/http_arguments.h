#pragma once
/**
 * Reads the arguments of a request over HTTP, by paths.def.
 *
 *     ?name=api.example.com&from=10.0.130.56     pairs, with & between
 *     %2A.example.com                            %XX is an octet, + a blank
 *
 * A pair without a value is as if it were left out, for that is what forms send. An argument that
 * the path has not, that comes twice, is wrongly encoded, has the octet 0 or is longer than its
 * bound is refused.
 *
 * Sources: RFC 3986 section 2.1; the URL Standard, application/x-www-form-urlencoded.
 * Threads: pure.  Memory: everything is in struct http_arguments.
 */
#include "base/err.h"
#include "control/http_paths.h"

enum { HTTP_ARGUMENT_OCTETS = 2048 }; /* all texts of one path, with their ends */

struct http_arguments {
    const char *texts[ARGUMENT_COUNT]; /* NULL: left out; into octets */
    uint64_t numbers[ARGUMENT_COUNT];  /* of NUMBER and FLAG */
    size_t used;
    char octets[HTTP_ARGUMENT_OCTETS];
};

/**
 * Reads them.
 *
 * segment  as http_path_find has found it
 * query    what stands behind the `?`; NULL: there is none
 *
 * Returns false with *err, a sentence that names the argument and those that there are.
 */
bool http_arguments_read(enum http_path path, const char *segment, const char *query,
                         struct http_arguments *arguments, struct err *err);
