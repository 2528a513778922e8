#pragma once
/**
 * The folder of zone files, as a source: a text is a file, and its name is the file's path.
 *
 * Zone files end in .yaml or .yml and do not begin with a dot. A stamp has the file's device,
 * inode and size, and the times of its content and inode: cp -p and touch cannot set the latter. A
 * time so recent that another change could have the same proves nothing, so such a file has no
 * stamp, and the content decides.
 *
 * A file that was changed in the last FOLDER_BUSY_MS may be half written: if the caller can wait,
 * it is read until two reads agree (E-BUSY after FOLDER_WAIT_MS).
 *
 * The folder is not watched: an operator who edits several files says when they are ready.
 *
 * Threads: pure but for the file system.  Memory: borrows the path.
 */
#include "base/clock.h"
#include "source/source.h"

enum { FOLDER_BUSY_MS = 200, FOLDER_STEP_MS = 100, FOLDER_WAIT_MS = 2000 };

struct folder {
    struct source source; /* its root is the folder's path */
    const struct waiting_clock *clock;
};

/**
 * Makes a source of the folder; opens nothing yet.
 *
 * clock  NULL: the caller cannot wait, so each file is read once
 */
void folder_init(struct folder *folder, const char *path, const struct waiting_clock *clock);

/** True for the name of a zone file, without its folder. */
bool folder_is_zone_file(const char *name);
