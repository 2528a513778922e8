#pragma once
/**
 * Compiled zone files in the state folder: the segments and the index of a snapshot, so that a
 * start need not parse the files that did not change.
 *
 *     STATE/compiled    head │ table of parts │ segments (segment_image.h) │ shards of the index
 *
 * It is a cache of what this very program made of the files under the same suffixes. A load with it
 * as `before` (load.h) compares each file with its segment as a reload does, by stamp, then by
 * content; so what is served is exact, and a compiled state that is behind the files is of use,
 * too.
 *
 * The head and each part have checksums, and every octet of the file is in one of them. A file that
 * is not as it was written, is another program's or somebody else's is not used at all.
 *
 * It has the key of the hashes of names and texts, which is therefore that of the process that
 * wrote it: a start with it draws no new one. Nobody but its owner can read it (mode 0600).
 *
 * Threads: compiled_hold and compiled_release on the control thread, while no load is under way;
 * compiled_write on any thread.  Memory: compiled_hold shares segments and shards.
 */
#include <stdatomic.h>
#include <stdbool.h>

#include "answer/snapshot.h"
#include "base/err.h"
#include "space/model.h"

/** What is to be written. */
struct compiled;

/**
 * Reads a state folder's file, on several threads. Returns a snapshot of segments and index alone,
 * or NULL: ERR_NONE in *err: there is none that could be used, ERR_SYSTEM: it is damaged.
 */
struct snapshot *compiled_read(const char *state_dir, const struct suffixes *suffixes,
                               unsigned threads, struct err *err);

/**
 * Holds a snapshot's segments and index. NULL without memory, and while entries of the index wait
 * (index.h): the file has none of these.
 */
struct compiled *compiled_hold(const struct snapshot *snapshot);

/** Releases them. NULL is allowed. */
void compiled_release(struct compiled *compiled);

/**
 * Replaces the file in the state folder. Writes nothing unless the disk has room for twice its
 * size, so that it never takes the last of it. Returns false with *err; the former file stays then.
 * Ends soon after *is_stopping is set, with code ERR_NONE.
 */
bool compiled_write(const struct compiled *compiled, int folder, const atomic_bool *is_stopping,
                    struct err *err);
