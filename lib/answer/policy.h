#pragma once
/**
 * Settings that decide who may ask what.
 *
 * Threads: made by one, read by all.  Memory: texts and routes are in the settings' arena, which
 * each snapshot holds.
 */
#include <stdbool.h>
#include <stdint.h>

#include "answer/access.h"
#include "answer/routes.h"
#include "config/settings.h"

struct policy {
    struct suffixes suffixes;
    bool external_nxdomain;           /* outsiders get NXDOMAIN instead of REFUSED */
    unsigned localspace_to;           /* bit per client_class that may ask discovery names */
    struct recursion recursion_for;   /* client classes that may ask for any other name, or some */
    struct routes routes;             /* the upstreams for those names */
    struct nat64_prefix nat64_prefix; /* addresses with this prefix contain IPv4 addresses */
    struct local_access local;
    uint32_t kept_back_seconds; /* how long a name that is no longer declared is kept back */
    uint32_t kept_back_most;    /* the maximum number of kept-back names */
    uint32_t client_rate;       /* queries a second of a client of a space; 0: any number */
    uint32_t client_interval_us;
    uint32_t external_rate; /* replies a second over UDP to a network of outsiders; 0: any number */
    uint32_t external_interval_us;
    uint32_t external_slip; /* every so many replies above it are truncated; 0: none is */
    const char *server_id;  /* NSID, id.server */
    const char *version;    /* version.server */
    struct arena *arena;    /* NULL: texts and routes outlive every snapshot */
};

/**
 * Fills in the policy from the settings: the server and the operator's command answer alike.
 * Returns false if memory runs out.
 */
bool policy_set(struct policy *policy, const struct settings *settings);
