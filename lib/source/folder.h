#pragma once
/**
 * The folder of zone files: lists and reads its files.
 *
 * Zone files end in .yaml or .yml and do not begin with a dot. A file has changed when its device,
 * inode, size, or the time of its content or inode differs; a time so recent that another change
 * could have the same is not trusted, and the content decides.
 *
 * A file that was changed in the last FOLDER_BUSY_MS may be half written: if the caller can wait,
 * it is read until two reads agree (E-BUSY after FOLDER_WAIT_MS).
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
    const char **files; /* folder and name, as shown to users; sorted */
    size_t count;
};

enum { FOLDER_BUSY_MS = 200, FOLDER_STEP_MS = 100, FOLDER_WAIT_MS = 2000 };

/** Lists the zone files. Returns false with *err when the folder cannot be read or has none. */
bool folder_list(struct arena *arena, const char *path, struct folder *folder, struct err *err);

/** Adds a file that does not exist yet, unless it is listed. Returns false without memory. */
bool folder_add(struct arena *arena, struct folder *folder, const char *file);

/** The properties that identify an unchanged file. */
struct file_identity {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
    struct timespec changed; /* of the inode: cp -p and touch cannot set it */
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

/** True when the file on disk has this identity; does not read the file. */
bool folder_is_same(const char *path, const struct file_identity *identity);

/**
 * Reads a whole file. Returns false with a finding in the report (E-FILE, E-LIMIT, E-BUSY).
 *
 * clock  NULL: the caller cannot wait, so the file is read once
 */
bool folder_read(const char *path, const struct hash_key *key, const struct waiting_clock *clock,
                 struct zone_text *text, struct report *report);
