#pragma once
/**
 * Prints the state of a running server: what it serves, its upstreams, its counters.
 *
 *     generation               7
 *     last_reload              refused 3 h ago: zones/a.yaml:18:22: E-ROUTER-DYNO: ...
 *     last_good                ! zones/a.yaml as accepted at 2026-11-29T10:00:00Z: 18:22: E-TTL: …
 *     silent_workers           2 4
 *     upstream_ports           system, 28232 ports, 14.7 bits
 *     upstream                 10.0.0.2 up 3-5ms for corp.example, .
 *     cache                    1200 entries in 98304 of 67108864 octets
 *     raised_ttl               2 apps, up to 60 s: sleepy-river-2739 of test-space
 *     limited                  1 client, 3 networks in the last minute, most of all 10.0.130.56 …
 *     udp_requests             12345
 *
 * The server fills a struct status in; it is a picture of a moment, without handles or threads.
 *
 * Threads: one.  Memory: a status borrows everything.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "answer/load.h"
#include "answer/snapshot.h"
#include "answer/state.h"
#include "config/settings.h"
#include "registry/registry.h"
#include "stats/stats.h"

/** An upstream as one worker sees it. */
struct status_view {
    size_t worker; /* its number, from 1 */
    const char *state;
    uint32_t rtt_ms;
    bool has_rtt;
};

struct status_upstream {
    const char *text;
    uint64_t routes;   /* bit per number of a route in the snapshot's policy that names it */
    const char *worst; /* state of any worker: they report at different moments */
    bool is_failing;   /* so says the worst state; no round trip is printed in lines */
    struct status_view *views;
    size_t view_count;
};

/** The sum over all workers' caches. */
struct status_cache {
    uint64_t entries, octets, octets_most, evicted;
};

/** The apps with a raised negative TTL, of any worker. */
struct status_raised {
    size_t apps;
    uint32_t longest_seconds;
    const char *app; /* that has the longest; not read without apps */
    const char *space;
};

enum { STATUS_WHO_OCTETS = 64 };

/** Who was limited within the last minute. */
struct status_limited {
    size_t clients;        /* of spaces */
    size_t networks;       /* of outsiders */
    bool has_more_clients; /* there were more than the workers have room for */
    bool has_more_networks;
    char worst[STATUS_WHO_OCTETS]; /* who sent the most requests above the rate: */
    uint64_t requests;
    uint32_t ago_s; /* since the last of them */
};

/** The last reload that was not a dry run. */
struct status_reload {
    const char *end; /* "done"; NULL: none yet */
    uint64_t ago_s;
    const char *cause; /* NULL: none */
};

/** What the process may still do. */
struct status_privileges {
    const char *user;
    const char *capabilities; /* names, "none", or why they are not known */
    bool has_no_new;          /* no_new_privs is set */
    const char *landlock;     /* "ABI 6", "off", or why there is none */
    const char *seccomp;      /* "kill", "log", "off", or why there is none */
};

/** A network interface of the setting xdp. */
struct status_interface {
    const char *name;
    bool is_used;
    const char *state; /* how it is used, or why not */
};

struct status {
    int pid;
    uint64_t uptime_s;
    const struct snapshot *snapshot; /* that is served */
    const struct settings *settings; /* in force */
    const char *control_socket;
    const struct state *state;
    const char *state_problem;   /* NULL: none */
    const char *upgrade_problem; /* why an upgrade is not possible; NULL: it is */
    struct status_reload last;
    const struct registry_status *registry; /* NULL: a folder is served */
    const struct load_last_good *last_good; /* files that are not served as they are */
    size_t last_good_count;
    struct status_privileges privileges;
    const struct status_interface *interfaces; /* of the setting xdp */
    size_t interface_count;
    size_t worker_count;
    const size_t *silent; /* numbers of the workers that have not reported, from 1 */
    size_t silent_count;
    const struct status_upstream *upstreams;
    size_t upstream_count;
    struct status_cache cache;
    struct status_raised raised;
    struct status_limited limited;
    struct totals totals;
};

/** Prints lines: the state, then the counters that are not zero. */
void status_print_text(const struct status *status, FILE *out);

/** Prints one JSON object, with every counter. */
void status_print_json(const struct status *status, FILE *out);
