#pragma once
/**
 * Where the server serves HTTP: its sockets, and its life. What it answers is in api.h.
 *
 *     open (binds, before the sandbox) ─► start (accepts) ─► close
 *
 * An address that the settings name is served, or the server does not start. The initial one is
 * left out with the warning http_failed when another program has its port, so that several servers
 * may run on one host.
 *
 * Events: http_failed, http_ready.
 *
 * Threads: the control thread.  Memory: a request until it is responded to.
 */
#include <stdbool.h>

#include "base/err.h"
#include "spacednsd/api.h"

enum { WEB_SOCKET_MODE = 0660 };

struct web {
    struct api api;
    struct http *http; /* NULL: off */
    size_t count;      /* of its listeners */
    struct process process;
    char *paths[HTTP_LISTENERS_MOST]; /* of unix sockets, removed at the end; NULL: none */
};

/** What web_open needs of the server; all borrowed. */
struct web_options {
    uv_loop_t *loop;
    const struct settings *settings;
    struct server *server;
    const struct status_source *source;
    struct inspection *inspection;
    const bool *is_ready;
    int *inherited; /* sockets of the server before; those that are used become -1 */
    size_t inherited_count;
};

/** Zeroes it; web_close is right from here on. */
void web_init(struct web *web);

/** Binds what the settings want. Returns false with *err, a sentence with the remedy. */
bool web_open(struct web *web, const struct web_options *options, struct err *err);

/** Accepts requests from now on, and logs where. */
void web_start(struct web *web);

/** There is something new in the query log. */
void web_send_lines(struct web *web);

/** Calls for each listening socket, for another process. */
typedef void web_on_socket(void *context, int descriptor);
void web_walk_sockets(const struct web *web, web_on_socket *on_socket, void *context);

/** Leaves the paths to another process: web_close does not remove them. */
void web_hand_over(struct web *web);

/** Closes it, once the inspection is stopped. */
void web_close(struct web *web);
