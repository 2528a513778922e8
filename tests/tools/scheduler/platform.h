#pragma once
/**
 * A made-up platform: spaces with apps, whose dynos a scheduler moves about, always the same way.
 *
 *     space bench-S, 10.S.0.0/16: apps bench-S-app-A, each with web.1 and web.2
 *                                 bench-S-probe, with worker.1, whose address tells who has what
 *
 * Of more than 256 spaces all but the first share networks, and each is asked at an address of its
 * own, 127.200.0.1 and up.
 *
 * A change gives a dyno another address or state; addresses are never shared. Of a space a zone
 * file has apps and routers, and no dynos unless it is asked for: those are keys.
 *
 * Threads: pure.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    PLATFORM_SPACES_MOST = 10000,
    PLATFORM_NETWORKS = 256, /* of 10.0.0.0/8; more spaces share them */
    PLATFORM_APPS_MOST = 200,
    PLATFORM_TEXT_MOST = 256,
    PLATFORM_PROBES = 200, /* addresses of a probe, one after the other */
};

struct platform {
    const char *prefix; /* of keys: "/spacedns/test/" */
    unsigned spaces;
    unsigned apps;  /* of each space */
    bool has_dynos; /* zone files have them, for a server without a registry */
};

/** Writes the zone file of a space, whose apps are internally routed. */
void platform_write_zone(const struct platform *platform, unsigned space, FILE *out);

/** The key of an app's web dynos, and what they are after `turn` changes; 0: both up. */
void platform_key(const struct platform *platform, unsigned space, unsigned app,
                  char key[PLATFORM_TEXT_MOST]);
size_t platform_value(unsigned space, unsigned app, unsigned turn, char value[PLATFORM_TEXT_MOST]);

/** The key of the probe of space 0, its value in a turn, and the address that it then has. */
void platform_probe_key(const struct platform *platform, char key[PLATFORM_TEXT_MOST]);
size_t platform_probe_value(unsigned turn, char value[PLATFORM_TEXT_MOST]);
uint32_t platform_probe_address(unsigned turn);

/** The name that has the probe's address: "worker.bench-0-probe.app.localspace". */
extern const char platform_probe_name[];
