#pragma once
/**
 * The path of a listening unix socket.
 *
 * A socket left behind by a dead process is replaced; one that a process answers, or a file of
 * another kind, is not.
 *
 * Sources: unix(7).
 * Threads: one.  Memory: descriptors, which are the caller's.
 */
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/err.h"

enum { SOCKET_MODE_BITS = 0777 };

/**
 * Creates a socket at a path, which stands in `setting`. Returns its descriptor, not listening yet,
 * or -1 with *err. Changes the process's umask for a moment, so no other thread may create files
 * meanwhile.
 */
int socket_path_bind(const char *setting, const char *path, mode_t mode, struct err *err);

/** Sets *err to the sentence of a socket that cannot listen, with errno's number; returns false. */
bool socket_path_fail(const char *setting, const char *path, int number, struct err *err);

/** Reads the path that a descriptor is bound to. Returns false when it has none. */
bool socket_path_read(int descriptor, struct sockaddr_un *address);

/** True when a file with that mode is at the path. */
bool socket_path_has_mode(const char *path, mode_t mode);
