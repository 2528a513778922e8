#pragma once
/**
 * Zone files that are created, replaced and removed, completely or not at all.
 *
 *     lock ──► open ──► edit and check the text ──► replace: write draft, rename ──► close, unlock
 *     lock ──► check the text ──► create: write draft, link ──► unlock
 *
 * A text is checked before it is written: overlay.h shows it among the folder's other texts.
 *
 * The lock is on a hidden file of the folder (.spacedns.lock, mode 0600, or 0660 if a group may
 * write to the folder), so that concurrent commands run one after the other, none loses the other's
 * edit, and users who may only read the folder cannot block them. The system releases it when the
 * process ends in any way; the file stays.
 *
 * The new text is written to a hidden file in the same folder (.NAME.new, which the server never
 * reads), with the mode, the extended attributes (access lists and labels are such) and, where
 * possible, the owner of the old one, and synced. It is renamed over the old one, so the file is
 * complete at any moment. A symbolic link stays: its target is replaced. Hard links keep the old
 * text under their other names. Properties that could not be kept are in `loss`.
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
    const char *shown;   /* as shown to users; borrowed */
    char path[PATH_MAX]; /* with links resolved */
    char *text;
    size_t length;
    struct stat status; /* when it was read */
    int lock;           /* of the folder of a link's target; -1: none */
    struct err loss;    /* ERR_NONE, or the properties that zone_file_replace could not keep */
};

/**
 * Sets *err for a folder of zone files that could not be opened, by the error number. Returns
 * false.
 */
bool zone_folder_fail(const char *folder, int number, struct err *err);

/**
 * Locks a folder of zone files; waits ZONE_LOCK_MS at most. Returns the descriptor to close, or -1
 * with *err.
 */
int zone_file_lock(const char *folder, struct err *err);

/**
 * Reads a file to be replaced; call zone_file_close in either case. Refuses a read-only one.
 *
 * locked  descriptor of the folder that the caller has locked; a link's target folder is locked too
 */
bool zone_file_open(struct zone_file *file, const char *path, int locked, struct err *err);

void zone_file_close(struct zone_file *file);

/**
 * Replaces the file and fills file->loss. On failure the old file stays and the draft is removed. A
 * file that changed since it was opened is not replaced.
 */
bool zone_file_replace(struct zone_file *file, const char *text, size_t length, struct err *err);

/**
 * Removes the file from its folder. Of a symbolic link the link alone: its target stays. A file
 * that changed since it was opened is not removed.
 */
bool zone_file_remove(const struct zone_file *file, struct err *err);

/**
 * Creates a file of mode 0644 less the umask. Returns false with *err and without the file: code
 * ERR_RULE when another has the path.
 */
bool zone_file_create(const char *path, const char *text, size_t length, struct err *err);
