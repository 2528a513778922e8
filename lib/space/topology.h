#pragma once
/**
 * The platform's space topology: the JSON that dynos find in /etc/heroku/space-topology.json.
 *
 *     {"version": 1,
 *      "apps": [{"id": …, "domains": ["api.example.com", …],
 *                "formation": [{"id": …, "process_type": "web",
 *                               "dynos": [{"id": …, "number": 1, "private_ip": "10.0.130.56",
 *                                          "hostname": "1.web.APP.app.localspace",
 *                                          "host_entry": "10.0.130.56 1.web.APP… web.APP…"}]}]}]}
 *
 * Written, the keys stand in this order, apps as in the zone file, and everything inside an app is
 * sorted, so that equal spaces give equal octets. Only dynos that are up are in it, as on the
 * platform. Zone files have no ids for process types and dynos, and need none for apps: an absent
 * one is made from the names, always the same.
 *
 * Read, `formations` is taken for `formation`, unknown keys are passed over, keys given twice are
 * refused. A topology has less than a zone file: no app names (they are taken from the dynos'
 * hostnames, else from the default domain), and not which DNS target belongs to which domain.
 * Targets are then given to the domains in order, the last one to the rest; all of an app's targets
 * have the same addresses.
 *
 * Source: the platform's API schema, "space topology"; a real file.
 * Threads: pure.  Memory: what is read lives in the arena.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "space/model.h"

/*
 * The largest space, 200 apps with 1,000 domains each and a dyno at every address, has 15 MB and
 * half a million values. A value takes up to 250 octets while it is read, so both have a bound.
 */
enum { TOPOLOGY_VERSION = 1, TOPOLOGY_OCTETS_MOST = 16 << 20, TOPOLOGY_VALUES_MOST = 1 << 20 };

struct topology {
    struct app *apps; /* ids, names, domains and formations; places are nowhere */
    size_t app_count;
    size_t guessed_count; /* domains that got one of several DNS targets */
    size_t left_count;    /* DNS targets left over: a zone file has them only with a domain */
};

/** Writes the topology, indented. False without memory. */
bool topology_write(const struct space *space, const struct suffixes *suffixes, FILE *out);

/** What topology_write puts into `domains` of an app: sorted, each once. NULL without memory. */
const char **topology_domains(struct arena *arena, const struct app *app,
                              const struct suffixes *suffixes, size_t *count);

/** Sorts names and drops those given twice; returns how many are left. */
size_t topology_sort_names(const char **names, size_t count);

/** The process types of an app sorted by name. NULL without memory. */
const struct formation **topology_formations(struct arena *arena, const struct app *app);

/** The dynos that are up, sorted by number. NULL without memory. */
const struct dyno **topology_dynos(struct arena *arena, const struct formation *formation,
                                   size_t *count);

/** Writes "1.web.APP.app.localspace". */
const char *topology_hostname(struct arena *arena, const char *type, uint32_t number,
                              const char *app, const struct suffixes *suffixes);

struct topology_text {
    const char *file; /* how it is called in sentences */
    const char *octets;
    size_t length;
};

/**
 * Reads a topology.
 *
 * Returns false with *err: place, what is wrong, and what to do; at once, before anything is
 * parsed, when there are more octets or values than a topology can have. What the names and
 * addresses mean is not judged here: the apps go into a zone file, and the rules for those.
 */
bool topology_read(struct arena *arena, const struct topology_text *text,
                   const struct suffixes *suffixes, struct topology *topology, struct err *err);
