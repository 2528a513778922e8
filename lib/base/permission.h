#pragma once
/**
 * Why a file may not be used: which user may not do what, and what allows it.
 *
 *     Permission denied: user spacedns may not read it (owner 0, group 0, mode 0600); allow it:
 *     chgrp spacedns /etc/spacedns/zones/a.yaml; chmod g+r /etc/spacedns/zones/a.yaml
 *
 * A system call's "Permission denied" says neither which folder of a path refused nor whom; this
 * finds both by looking at the path again.
 *
 * Sources: path_resolution(7), access(2).
 * Threads: any. The names of the process's user and group are looked up once: where a process will
 * not be able to look them up later (a sandbox), permission_user must be called before.
 * Memory: never allocates, except for that.
 */
#include <stdbool.h>

enum { PERMISSION_TEXT_MOST = 400, PERMISSION_NAME_MOST = 64 };

enum permission {
    PERMISSION_READ,  /* read a file */
    PERMISSION_LIST,  /* list a folder, and read what is in it */
    PERMISSION_WRITE, /* create and remove files in a folder */
    PERMISSION_OWN,   /* the same, and it and all in it should be the user's own */
};

/** True for the errors that this explains: EACCES, EPERM. */
bool permission_is_denied(int number);

/**
 * Writes strerror(number), and for a denied permission why, as above. Not escaped; cut at the end
 * of `out`, which is returned.
 */
const char *permission_error(int number, const char *path, enum permission wanted,
                             char out[PERMISSION_TEXT_MOST]);

/** The name of the process's user, or the number of one without a name. */
const char *permission_user(void);
