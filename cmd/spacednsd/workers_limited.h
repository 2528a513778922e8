#pragma once
/**
 * The clients and networks that were limited within the last minute (respond/limited.h), of all
 * workers: a client's requests come to several of them, by its port.
 *
 * Threads: the control thread.  Memory: in the arena; an explain_limited borrows nothing.
 */
#include <stdbool.h>

#include "base/arena.h"
#include "inspect/explain_request.h"
#include "inspect/status_print.h"
#include "serve/server.h"

/** Fills in whom the workers limited. Returns false when out of memory. */
bool workers_read_limited(const struct server *server, struct arena *arena,
                          struct status_limited *out);

/** Finds the client that `path` is classified as by a snapshot; zero when it was not limited. */
void workers_find_limited(const struct server *server, const struct snapshot *snapshot,
                          const struct path *path, struct explain_limited *out);
