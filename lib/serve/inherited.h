#pragma once
/**
 * Sockets to listen on that another process has bound: the service manager, or the server that this
 * one takes over from.
 *
 *     udp.0 udp.1 tcp.0 tcp.1     a name for each socket: its scheme, and its worker
 *     dns.socket                  any other name: worker 0, and the scheme of the socket's type
 *
 * A socket tells its address itself (getsockname). With fewer workers than before, one gets several
 * sockets of an address; with more, the others bind their own beside them (SO_REUSEPORT).
 *
 * Sources: sd_listen_fds(3); systemd.socket(5).
 * Threads: the control thread, at start.  Memory: a list; descriptors that no worker has taken are
 * closed by inherited_close.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/endpoint.h"
#include "base/err.h"
#include "config/listen_address.h"

enum { INHERITED_NAME_OCTETS = 32 };

struct inherited_socket {
    enum listen_scheme scheme;
    size_t worker;
    struct endpoint endpoint;
    int descriptor;                   /* -1: taken */
    char name[INHERITED_NAME_OCTETS]; /* cut if it is longer */
};

/** Zeroed: none. */
struct inherited {
    struct inherited_socket *items;
    size_t count;
    size_t capacity;
};

/** Writes the name of a worker's socket. */
void inherited_write_name(enum listen_scheme scheme, size_t worker,
                          char name[INHERITED_NAME_OCTETS]);

/**
 * Adds a socket and takes the descriptor over. Returns false with *err, a sentence with the remedy,
 * and the descriptor closed, when it is no socket to listen on for DNS.
 */
bool inherited_add(struct inherited *inherited, const char *name, int descriptor, struct err *err);

/** True if some worker's socket of this scheme and address was added, taken or not. */
bool inherited_has(const struct inherited *inherited, enum listen_scheme scheme,
                   const struct endpoint *endpoint);

/** Takes the next socket for one of `workers` workers. Returns its descriptor; -1: none is left. */
int inherited_take(struct inherited *inherited, enum listen_scheme scheme,
                   const struct endpoint *endpoint, size_t worker, size_t workers);

/** The next socket after `after` (NULL: the first) that nobody has taken; NULL: none. */
const struct inherited_socket *inherited_next_left(const struct inherited *inherited,
                                                   const struct inherited_socket *after);

/** Closes what nobody has taken, and empties the list. */
void inherited_close(struct inherited *inherited);
