#pragma once
/**
 * A question as the operator puts it, and the decision on it, told.
 *
 *     explain api.example.com --from 10.20.3.4 --type AAAA
 *
 * decide() decides and explain() tells, as for the server's own answers: what is told here is what
 * a client gets. The operator's command and the running server both tell it by this file.
 *
 * Names are in presentation form: \. and \DDD stand for octets (RFC 1035 section 5.1).
 *
 * Threads: pure.  Memory: an asking points at nothing.
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "decide/alias.h"

/** Who asks. */
struct explain_source {
    struct path path;
    char ipv6[INET6_ADDRSTRLEN]; /* empty: the path has the address */
};

struct explain_request {
    struct query query;
    struct explain_source source;
};

/** Reads an address, IPv4 or IPv6, as the server sees a client that has it. */
bool explain_read_source(const char *text, struct explain_source *source);

/** False with *err for a name in letters beyond ASCII: what clients ask for is its Punycode form.
 */
bool asking_is_ascii(const char *name, struct err *err);

/** A question as the operator writes it. */
struct explain_words {
    const char *name;
    const char *type; /* NULL: A */
    const char *from;
    const char *to; /* NULL: any of the server's addresses */
};

/** Reads it. Returns false with *err, a sentence that says what to write. */
bool explain_request_read(const struct explain_words *words, struct explain_request *request,
                          struct err *err);

/** What one worker of a running server knows of a name that is forwarded. */
struct explain_worker {
    const char *upstreams;         /* "upstreams=10.0.0.2 up 3ms"; NULL: it has not told */
    const char *cached;            /* "cached=fresh ttl=23" */
    bool is_withheld;              /* what it keeps is not passed on */
    const struct alias_hops *hops; /* where aliases lead on by what it keeps; NULL: nowhere */
};

/** What its workers know, the first one number 1. */
struct explain_live {
    const struct explain_worker *workers;
    size_t count;
    json_t *json; /* the same for machines */
};

/**
 * Decides and tells: lines, the last one the verdict, or one JSON object. `live` may be NULL. Where
 * all workers know the same, it is told once, as _why tells it; else there is a line for those that
 * do: "workers=1,3 upstreams=10.0.0.2 up 3ms cached=no".
 */
void explain_print(const struct snapshot *snapshot, const struct explain_request *request,
                   const struct explain_live *live, bool is_json, FILE *out);

/** Tells who a client is: its class, and each space that it may ask for and why. */
void explain_print_client(const struct snapshot *snapshot, const struct explain_source *source,
                          bool is_json, FILE *out);
