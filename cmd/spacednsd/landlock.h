#pragma once
/**
 * Landlock: the files that this process may use, from now on and for good.
 *
 *     begin ─► allow, for each path ─► enforce
 *
 * A path is a folder with all that is below it, now or later, or one file. Whatever is not allowed
 * cannot be opened, made, renamed, removed or executed; a path can still be looked at (stat,
 * access, readlink). What the kernel has beyond files is used, too: no TCP port can be bound, and
 * no process outside can be signalled.
 *
 * No library is needed: three system calls. What a kernel does not know is left out.
 *
 * Sources: landlock(7); Documentation/userspace-api/landlock.rst of Linux, for the versions of the
 * interface (ABI 1 to 6).
 * Threads: one; threads made later inherit it.  Memory: a descriptor until `enforce`.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum landlock_use {
    LANDLOCK_READ, /* read files, list folders */
    LANDLOCK_OWN,  /* and make, write, rename and remove files, sockets and folders */
};

struct landlock {
    int ruleset;
    unsigned abi; /* version of the kernel's interface */
    uint64_t handled;
};

/** Returns false with *err, a clause: why this kernel or container has no Landlock. */
bool landlock_begin(struct landlock *landlock, struct err *err);

/** Allows a path. One that is not there is left out. */
void landlock_allow(const struct landlock *landlock, const char *path, enum landlock_use use);

/** Confines this thread and those that it starts. Returns false with *err, a clause. */
bool landlock_enforce(struct landlock *landlock, struct err *err);
