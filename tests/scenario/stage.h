#pragma once
/**
 * The stage of a story: inside this process, or a server over real sockets.
 *
 *     inside   zone files → snapshot_load → respond(), or a batch with a forwarder → responders
 *     live     zone files → spacednsd in a network namespace of its own ← UDP and TCP sockets
 *                               └──► sockets ──► responders
 *
 * Both begin with the same temporary folder of zone files and the same settings, and the same
 * responders (responders.h) act as upstreams.
 *
 * Live, every IPv4 address is local in the namespace, so a client can ask from 203.0.113.9. Where
 * no namespace can be made, only stories whose clients are on loopback can be played.
 *
 * Inside, time moves only while a question waits and by `later`.
 *
 * Threads: one; live, the responders have another.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "scenario/outward_live.h"
#include "support/packets.h"
#include "support/request.h"
#include "support/scratch.h"
#include "support/world.h"

enum {
    STAGE_SETTINGS_MOST = 16,
    STAGE_SETTING_OCTETS = 128,
    STAGE_TEXT_OCTETS = 1 << 16,
    STAGE_REPLY_OCTETS = 65535,
    STAGE_ADDRESSES_OCTETS = 128,
};

/** "external" and "nxdomain"; lists are separated by commas. */
struct stage_setting {
    char key[STAGE_SETTING_OCTETS];
    char value[STAGE_SETTING_OCTETS];
};

/** Upstreams of a zone; "." for everything else. */
struct stage_zone {
    char zone[STAGE_SETTING_OCTETS];
    char addresses[STAGE_ADDRESSES_OCTETS]; /* separated by blanks */
    bool allow_rebind;
};

struct etcd_store;
struct registry_rig;

enum stage_outcome { STAGE_DONE, STAGE_UNCHANGED, STAGE_REFUSED, STAGE_BROKEN };

struct stage {
    bool is_live;
    bool is_started;
    bool is_loopback;   /* live without a namespace: 127.0.0.1 and a free port */
    struct world world; /* its folder serves both kinds */
    struct stage_setting settings[STAGE_SETTINGS_MOST];
    size_t setting_count;
    struct stage_zone zones[CLOCKED_ZONES_MOST];
    size_t zone_count; /* 0: other names are not forwarded */
    struct responders responders;
    struct outward_live *outward; /* live: the thread of the responders */
    struct registry_rig *rig;     /* NULL: zone files; inside only, see registry.c */
    struct etcd_store *backup;    /* of its etcd; NULL: none */
    const char *selected;         /* the one space of registry.spaces; NULL: all */
    uint64_t generation;          /* at the last `registry serial` */
    struct scratch run;           /* live: the settings file */
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

/** Inside: makes the policy of the settings. */
void stage_apply_settings(struct stage *stage);

/** Loads again. The findings are in stage->text. */
enum stage_outcome stage_reload(struct stage *stage);

/** A request on its way: `ask.name` is NULL when it is octets that need no reply. */
struct stage_call {
    struct ask ask;
    uint8_t request[REQUEST_OCTETS_MOST];
    size_t request_length;
    struct awaited awaited;
    int handle; /* live: the socket */
};

/** Sends a request from ask.from to ask.to. Returns false when the connection is broken. */
bool stage_post(struct stage *stage, struct stage_call *call);

/**
 * Waits for the reply, which goes to awaited.reply, with room for STAGE_REPLY_OCTETS octets.
 * Returns false when the connection is broken.
 */
bool stage_await(struct stage *stage, struct stage_call *call);

/** Locks the responders while they are read or changed. */
void stage_hold_responders(struct stage *stage);

/** Unlocks them, with the changes in effect. */
void stage_release_responders(struct stage *stage);

/**
 * Sends `count` random and mutated packets, made from the request, to the server. The responses
 * must be replies that ldns reads, none longer than the client accepts.
 */
bool stage_storm(struct stage *stage, const struct ask *how, const uint8_t *request, size_t length,
                 unsigned count);

/** Ends the server, which must exit with 0, and removes everything. */
bool stage_close(struct stage *stage);

/** For stage.c: the registry's part (registry.c). */
void stage_close_registry(struct stage *stage);

/** The value of a setting, or NULL. */
const char *stage_find_setting(const struct stage *stage, const char *key);

/** For stage.c: the live half. */
bool live_enter(struct stage *stage, bool needs_namespace);
enum stage_outcome live_start(struct stage *stage);
enum stage_outcome live_reload(struct stage *stage);
bool live_post(struct stage *stage, struct stage_call *call);
bool live_await(struct stage *stage, struct stage_call *call);
bool live_storm(struct stage *stage, const struct ask *how, const uint8_t *request, size_t length,
                unsigned count);
bool live_stop(struct stage *stage);

/** A packet of the storm: random, or the request mutated. Returns its length, never 0. */
size_t stage_make_packet(struct dice *dice, const uint8_t *request, size_t length,
                         uint8_t out[PACKET_OCTETS_MOST]);

/** True when the octets are a valid reply. */
bool stage_is_sound_reply(const uint8_t *reply, size_t length, const struct ask *how);
