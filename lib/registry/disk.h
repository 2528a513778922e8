#pragma once
/**
 * STATE/registry: where a replica was, so that a start needs no registry and a resume no full read.
 *
 *     spacedns registry 1
 *     settings HASH ROOT/CELL/            of cell, selection and channel
 *     position CLUSTER ID REVISION SEEN HASH HAS-DELETION
 *     pause REVISION
 *     z SPACE MOD CREATE CHECKSUM         what is served (its text: STATE/zones, answer/state.h)
 *     newest SPACE MOD CREATE GONE        the document is another one (MOD 0: it is gone)
 *     next SPACE MOD CREATE IS-REMOVAL
 *     f SPACE REVISION ID REGION CIDR DATA-CIDR GENERATION SHIELD COUNT IS-COMPARED    and words
 *                                         of its apps
 *     d SPACE APP TYPE REVISION OCTETS    and the value
 *     held SPACE APP TYPE REVISION        a deletion that is held
 *     checksum HASH                       of all octets before
 *
 * It is written beside, synced and renamed. What is torn, of another version, or of another cell is
 * not used: everything is read from the registry then. Of another selection or channel of the cell,
 * or of a cell of this name below another root, what is selected now is read; the fit says so.
 *
 * Threads: disk_write on any, with content that nobody changes meanwhile.
 * Memory: disk_read holds the file while it reads.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/snapshot.h"
#include "base/err.h"
#include "registry/follow.h"
#include "registry/mirror.h"

/** The name of the file in the state folder. */
#define DISK_FILE "registry"

/** How a file that was read fits the settings. */
enum disk_fit_kind {
    DISK_FITS,
    DISK_OTHER_CHOICE, /* of another selection or channel: something may be missing */
    DISK_OTHER_ROOT,   /* the cell's name is the same, but it may be another one */
};

struct disk_fit {
    enum disk_fit_kind kind;
    char prefix[KEY_ROOT_MOST + 1]; /* that it was written for; "/spacedns/eu/", escaped */
};

struct disk_version {
    uint64_t mod_revision; /* 0: none */
    uint64_t create_revision;
};

struct disk_space {
    char *name;
    struct disk_version served, newest, candidate;
    uint64_t checksum; /* of what is served */
    uint64_t gone_revision;
    bool is_newest_other;       /* than what is served */
    bool is_removal;            /* the candidate */
    struct mirror_fixed *fixed; /* held; NULL: none */
    bool is_compared;           /* what is served agrees with it */
};

struct disk_content {
    uint64_t settings;
    char prefix[KEY_ROOT_MOST + 1];
    struct follow_position position;
    uint64_t pause_revision;
    uint64_t generation; /* of the snapshot */
    struct disk_space *spaces;
    size_t space_count;
    const struct snapshot *snapshot; /* its segments have the keys in force; NULL: none */
    struct dyno_key **waiting;       /* owned */
    size_t waiting_count;
    struct dyno_key **held; /* owned */
    size_t held_count;
};

/** A number for what a file depends on. */
uint64_t disk_settings(const struct mirror *mirror);

/** Copies what the file will have of a mirror. Returns false without memory. */
bool disk_content_init(struct disk_content *content, const struct mirror *mirror,
                       const struct follow_position *position);
void disk_content_close(struct disk_content *content);

bool disk_write(const char *state_path, const struct disk_content *content, struct err *err);

/**
 * Reads the file into an empty mirror. Returns false with *err when it cannot be used: the mirror
 * has to be made anew then, as part of it may have been read. Code ERR_NONE: there is no file.
 */
bool disk_read(const char *state_path, struct mirror *mirror, struct follow_position *position,
               struct disk_fit *fit, struct err *err);
