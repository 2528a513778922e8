#pragma once
/**
 * The platform's space topology: the JSON in /etc/heroku/space-topology.json on dynos.
 *
 *     {"version": 1,
 *      "apps": [{"id": …, "domains": ["api.example.com", …],
 *                "formation": [{"id": …, "process_type": "web",
 *                               "dynos": [{"id": …, "number": 1, "private_ip": "10.0.130.56",
 *                                          "hostname": "1.web.APP.app.localspace",
 *                                          "host_entry": "10.0.130.56 1.web.APP… web.APP…"}]}]}]}
 *
 * Writing: the keys are in this order, apps in the order of the zone file, and everything inside an
 * app is sorted, so that equal spaces give equal octets. Only dynos that are up are written, as on
 * the platform. Zone files have no ids for process types and dynos, and need none for apps: a
 * missing id is derived from the names, always the same.
 *
 * Reading: `formations` is accepted for `formation`, unknown keys are ignored, duplicate keys are
 * refused. A topology has less than a zone file. It has no app names: they are taken from the
 * dynos' hostnames, else from the default domain. It does not assign DNS targets to domains: the
 * targets are assigned to the domains in order, the last one to the rest; all targets of an app
 * have the same addresses.
 *
 * Source: the platform's API schema, "space topology"; a real file.
 * Threads: pure.  Memory: a topology that is read lives in the arena.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "space/model.h"

/*
 * The largest space, 200 apps with 1,000 domains each and a dyno at every address, has 15 MB and
 * half a million values. A value takes up to 250 octets during reading, so both have a bound.
 */
enum { TOPOLOGY_VERSION = 1, TOPOLOGY_OCTETS_MOST = 16 << 20, TOPOLOGY_VALUES_MOST = 1 << 20 };

struct topology {
    struct app *apps; /* ids, names, domains and formations; without locations */
    size_t app_count;
    size_t guessed_count; /* domains that were assigned one of several DNS targets */
    size_t left_count;    /* DNS targets left over: a zone file needs a domain for each */
};

/** Writes the topology, indented. Returns false if memory runs out. */
bool topology_write(const struct space *space, const struct suffixes *suffixes, FILE *out);

/** Returns the `domains` of an app: sorted, without duplicates. Returns NULL if memory runs out. */
const char **topology_domains(struct arena *arena, const struct app *app,
                              const struct suffixes *suffixes, size_t *count);

/** Sorts names and removes duplicates; returns the number left. */
size_t topology_sort_names(const char **names, size_t count);

/** Returns the process types of an app, sorted by name. Returns NULL if memory runs out. */
const struct formation **topology_formations(struct arena *arena, const struct app *app);

/** Returns the dynos that are up, sorted by number. Returns NULL if memory runs out. */
const struct dyno **topology_dynos(struct arena *arena, const struct formation *formation,
                                   size_t *count);

/** Writes "1.web.APP.app.localspace". */
const char *topology_hostname(struct arena *arena, const char *type, uint32_t number,
                              const char *app, const struct suffixes *suffixes);

struct topology_text {
    const char *file; /* its name in messages */
    const char *octets;
    size_t length;
};

/**
 * Reads a topology.
 *
 * Returns false with *err: the location, the fault and the remedy. Text with more octets or values
 * than a topology can have is refused before it is parsed. The meaning of names and addresses is
 * not checked here, but by the rules for the zone file that the apps are written to.
 */
bool topology_read(struct arena *arena, const struct topology_text *text,
                   const struct suffixes *suffixes, struct topology *topology, struct err *err);
