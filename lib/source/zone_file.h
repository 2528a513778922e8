#pragma once
/**
 * Zone files that are replaced whole, or not at all.
 *
 *     lock ──► open ──► edit the text ──► replace: write beside, check, rename ──► close, unlock
 *
 * The lock is on a hidden file of the folder (.spacedns.lock, mode 0600, or 0660 where a group may
 * write the folder), so that two commands at once come one after the other, none loses the other's
 * edit, and nobody who may only read the folder holds them up. The system lets go of it when its
 * holder ends, however that happens; the file stays.
 *
 * The new text is written to a hidden file in the same folder (.NAME.new, which the server never
 * reads), with the mode, the extended attributes (access lists and labels are such) and, where
 * possible, the owner of the old one, and forced to the disk. It takes the old one's place in one
 * step, so at no moment is half a file there. A symbolic link stays: what it points at is replaced.
 * A hard link does not: its other names keep the old text. What could not be kept is in `loss`.
 *
 * Threads: one.  Memory: a zone file owns its text.
 */
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"

enum { ZONE_LOCK_MS = 10000 };

struct zone_file {
    const char *shown;   /* as named to people; borrowed */
    char path[PATH_MAX]; /* without links */
    char *text;
    size_t length;
    struct stat status; /* as it was read */
    int lock;           /* of the folder that a link leads to; -1 without */
    struct err loss;    /* code ERR_NONE, or what zone_file_replace could not keep */
};

/** Says why the folder of zone files could not be opened, by its error number. Returns false. */
bool zone_folder_fail(const char *folder, int number, struct err *err);

/**
 * Locks a folder of zone files; waits ZONE_LOCK_MS at most. Returns the descriptor to close, or -1
 * with *err.
 */
int zone_file_lock(const char *folder, struct err *err);

/**
 * Reads a file that is to be replaced; zone_file_close is due whatever comes back. Refuses one that
 * may not be written.
 *
 * locked  descriptor of the folder that the caller has locked; where a link leads to another one,
 *         that one is locked too
 */
bool zone_file_open(struct zone_file *file, const char *path, int locked, struct err *err);

void zone_file_close(struct zone_file *file);

/** Judges the file at `draft`, which is to take the zone file's place. False with *err: it stays.
 */
typedef bool zone_file_check(void *context, const char *draft, struct err *err);

/**
 * Replaces the file and fills file->loss. On failure it is what it was, and nothing is left beside
 * it. A file that changed since it was opened is not replaced.
 */
bool zone_file_replace(struct zone_file *file, const char *text, size_t length,
                       zone_file_check *check, void *context, struct err *err);
