#pragma once
/**
 * Where a story is played: inside this process, or against a server over real sockets.
 *
 *     inside   zone files → snapshot_load → respond()
 *     live     zone files → spacednsd in a network namespace of its own ← UDP and TCP sockets
 *
 * Both begin with the same temporary folder of zone files and the same settings.
 *
 * Live, every IPv4 address is local in the namespace, so a client can ask from 203.0.113.9. Where
 * no namespace can be made, only stories whose clients are on loopback can be played.
 *
 * Threads: one.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "support/folder.h"
#include "support/packets.h"
#include "support/request.h"
#include "support/world.h"

enum {
    STAGE_SETTINGS_MOST = 16,
    STAGE_SETTING_OCTETS = 128,
    STAGE_TEXT_OCTETS = 1 << 16,
    STAGE_REPLY_OCTETS = 65535,
};

/** "external" and "nxdomain"; lists are separated by commas. */
struct stage_setting {
    char key[STAGE_SETTING_OCTETS];
    char value[STAGE_SETTING_OCTETS];
};

enum stage_outcome { STAGE_DONE, STAGE_UNCHANGED, STAGE_REFUSED, STAGE_BROKEN };

struct stage {
    bool is_live;
    bool is_started;
    bool is_loopback;   /* live without a namespace: 127.0.0.1 and a free port */
    struct world world; /* its folder serves both kinds */
    struct stage_setting settings[STAGE_SETTINGS_MOST];
    size_t setting_count;
    struct folder run; /* live: the settings file */
    pid_t server;
    int server_errors; /* live: the server's standard error */
    uint16_t port;
    char *text; /* findings and log lines of the last start or reload */
    size_t text_length;
};

/** Makes an empty stage. Returns false when it cannot be played here (skip the story). */
bool stage_init(struct stage *stage, bool is_live, bool needs_namespace);

/** Loads, or starts the server. */
enum stage_outcome stage_start(struct stage *stage);

/** Loads again. The findings are in stage->text. */
enum stage_outcome stage_reload(struct stage *stage);

/**
 * Sends octets from how->from to how->to and waits for the reply.
 *
 * length  in: of the request; out: of the reply, 0 when none came
 *
 * Returns false when the way there is broken.
 */
bool stage_exchange(struct stage *stage, const struct ask *how, const uint8_t *request,
                    size_t *length, uint8_t reply[STAGE_REPLY_OCTETS]);

/**
 * Throws `count` random and mutated packets, made from the request, at the server. What comes back
 * must be replies that ldns reads, none longer than the client takes.
 */
bool stage_storm(struct stage *stage, const struct ask *how, const uint8_t *request, size_t length,
                 unsigned count);

/** Ends the server, which must leave with 0, and removes everything. */
bool stage_close(struct stage *stage);

/** The value of a setting, or NULL. */
const char *stage_find_setting(const struct stage *stage, const char *key);

/** For stage.c: the live half. */
bool live_enter(struct stage *stage, bool needs_namespace);
enum stage_outcome live_start(struct stage *stage);
enum stage_outcome live_reload(struct stage *stage);
bool live_exchange(struct stage *stage, const struct ask *how, const uint8_t *request,
                   size_t *length, uint8_t reply[STAGE_REPLY_OCTETS]);
bool live_storm(struct stage *stage, const struct ask *how, const uint8_t *request, size_t length,
                unsigned count);
bool live_stop(struct stage *stage);

/** A packet of the storm: random, or the request mutated. Returns its length, never 0. */
size_t stage_make_packet(struct dice *dice, const uint8_t *request, size_t length,
                         uint8_t out[PACKET_OCTETS_MOST]);

/** True when the octets are a reply that no client could complain about. */
bool stage_is_sound_reply(const uint8_t *reply, size_t length, const struct ask *how);
