#pragma once
/**
 * The folder of zone files: what is in it, and what each file holds.
 *
 * Zone files end in .yaml or .yml and do not begin with a dot. A file is told from its earlier self
 * by device, inode, size, and the times of its content and of its inode; a time so recent that
 * another change could carry the same one is not trusted, and then the content decides.
 *
 * A file that was changed in the last FOLDER_BUSY_MS may be half written: where somebody can wait,
 * it is read until two readings agree (E-BUSY after FOLDER_WAIT_MS).
 *
 * Threads: pure but for the file system.  Memory: malloc; texts of a listing in its arena.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "findings/report.h"

struct folder {
    const char **files; /* folder and name, as shown to people; sorted */
    size_t count;
};

enum { FOLDER_BUSY_MS = 200, FOLDER_STEP_MS = 100, FOLDER_WAIT_MS = 2000 };

/** Lists the zone files. False with *err when the folder cannot be read or has none. */
bool folder_list(struct arena *arena, const char *path, struct folder *folder, struct err *err);

/** Adds a file that is not there yet, unless it is. False without memory. */
bool folder_add(struct arena *arena, struct folder *folder, const char *file);

/** What an unchanged file is recognised by. */
struct file_identity {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
    struct timespec changed; /* what cp -p and touch cannot set */
    bool is_settled;         /* the times are old enough to be trusted */
    bool is_marked;          /* ends with `...` (space/zone_text.h) */
    uint64_t content;        /* keyed hash */
};

/** A file that has been read. */
struct zone_text {
    char *octets; /* malloc'ed */
    size_t length;
    struct file_identity identity;
};

/** True when the file on disk is the one that `identity` was taken of, without reading it. */
bool folder_is_same(const char *path, const struct file_identity *identity);

/**
 * Reads a whole file. What is wrong goes into the report (E-FILE, E-LIMIT, E-BUSY), and false comes
 * back.
 *
 * clock  NULL: nobody can wait, so the file is taken as it is
 */
bool folder_read(const char *path, const struct hash_key *key, const struct waiting_clock *clock,
                 struct zone_text *text, struct report *report);
