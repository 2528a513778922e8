#pragma once
/**
 * Explains the decision on an operator's question.
 *
 *     explain api.example.com --from 10.20.3.4 --type AAAA
 *
 * decide() decides and explain() explains, as for the server's answers, so the result is what a
 * client gets. The operator's command and the running server both use this file.
 *
 * Names are in presentation form: \. and \DDD stand for octets (RFC 1035 section 5.1).
 *
 * Threads: pure.  Memory: an explain_request borrows nothing.
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "decide/alias.h"
#include "decide/outcome.h"

enum { EXPLAIN_WHO_OCTETS = 64 };

/** The client. */
struct explain_source {
    struct path path;
    char device[DEVICE_OCTETS_MOST + 1]; /* the interface it comes by; empty: none that is named */
    char ipv6[INET6_ADDRSTRLEN];         /* empty: the path has the address */
};

struct explain_request {
    struct query query;
    struct explain_source source;
};

/** Reads the IPv4 or IPv6 address of a client, as the server sees it. False if it is neither. */
bool explain_read_source(const char *text, struct explain_source *source);

/** The values of --from, --to and --device; each NULL if it is not given. */
struct explain_client {
    const char *from;
    const char *to;     /* NULL: any of the server's addresses */
    const char *device; /* NULL: none that a connection names */
};

/** Reads the client. Returns false with *err, which names the option and the value. */
bool explain_read_client(const struct explain_client *words, struct explain_source *source,
                         struct err *err);

/** The client's path, with the interface that its device has for a snapshot. */
struct path explain_path(const struct snapshot *snapshot, const struct explain_source *source);

/** A question as the operator writes it. */
struct explain_question {
    const char *name;
    const char *type; /* NULL: A */
    struct explain_client client;
};

/**
 * True for a web address, which people paste where a name is wanted.
 *
 * host  set to its host, of *length octets
 */
bool explain_is_web_address(const char *name, const char **host, int *length);

/** Reads the question. Returns false with *err, a sentence with the remedy. */
bool explain_request_read(const struct explain_question *words, struct explain_request *request,
                          struct err *err);

/** The state of one worker of the running server for a forwarded name. */
struct explain_worker {
    const char *upstreams;                  /* "upstreams=10.0.0.2 up 3ms"; NULL: no report */
    const char *cached;                     /* "cached=fresh ttl=23" */
    bool has_answer;                        /* that is one, fresh or stale */
    const struct upstream_outcome *outcome; /* what it has cached and is no answer; NULL: none */
    const struct alias_hops *hops;          /* CNAMEs of its cached answer; NULL: none */
};

/** The client's requests above its rate within the last minute, of all workers. */
struct explain_limited {
    char who[EXPLAIN_WHO_OCTETS]; /* that the rate is of: the client's address, or its network */
    uint64_t requests;            /* 0: it is not limited */
    uint32_t since_s;             /* seconds since the first of them ... */
    uint32_t ago_s;               /* ... and since the last */
};

/** The state of all workers, numbered from 1. */
struct explain_live {
    const struct explain_worker *workers;
    size_t count;
    json_t *json;                /* the same as JSON */
    uint32_t raised_ttl_seconds; /* the longest of any worker; 0: not raised */
    struct explain_limited limited;
};

/**
 * Decides and prints: lines, of which the last is the verdict, or one JSON object. `live` may be
 * NULL. If all workers have the same state, it is printed once, in the form of _why; else there is
 * a line for each group of equal workers: "workers=1,3 upstreams=10.0.0.2 up 3ms cached=no". A
 * raised negative TTL, and that the client is limited, are lines of their own for every name.
 */
void explain_print(const struct snapshot *snapshot, const struct explain_request *request,
                   const struct explain_live *live, bool is_json, FILE *out);

/** Prints a client's class, and each space that it is inside of, with the reason. */
void explain_print_client(const struct snapshot *snapshot, const struct explain_source *source,
                          bool is_json, FILE *out);
