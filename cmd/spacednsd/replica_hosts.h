#pragma once
/**
 * The addresses of the registry's endpoints.
 *
 * A name is looked up once, at the start: later the sandbox keeps the server from the files that
 * name services read. A member whose address changes is found again after a restart; an endpoint
 * that is written as an address needs no such thing.
 *
 * Events: registry_unresolved.
 *
 * Threads: replica_hosts_init before any other thread exists; the rest on the control thread.
 * Memory: replica_hosts_close.
 */
#include "base/endpoint.h"
#include "config/settings.h"

enum { REPLICA_ADDRESSES_MOST = 8 }; /* of a name */

struct replica_host {
    const char *text; /* of the setting; borrowed */
    struct endpoint addresses[REPLICA_ADDRESSES_MOST];
    size_t count; /* 0: its name has no address */
    size_t next;  /* the one to be tried */
};

struct replica_hosts {
    struct replica_host *items;
    size_t count;
};

/** Looks up the names of registry.endpoints, which may take seconds. Returns false without memory.
 */
bool replica_hosts_init(struct replica_hosts *hosts, const struct settings *settings);

/**
 * Finds the address to be tried next of an endpoint, each in turn. Returns NULL if it has none.
 */
const struct endpoint *replica_hosts_next(struct replica_hosts *hosts, const char *endpoint);

/** The text of an endpoint, which lives as long as the settings; NULL: none is equal. */
const char *replica_hosts_text(const struct replica_hosts *hosts, const char *endpoint);

void replica_hosts_close(struct replica_hosts *hosts);
