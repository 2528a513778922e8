#pragma once
/**
 * A resolv.conf, word by word, for the daemon's upstreams and for `spacedns doctor`.
 *
 * As glibc does it, a line counts when its keyword is its first octet and a blank follows; other
 * lines are ignored. The last `search` or `domain` wins. `ndots` is 1 by default, 15 at most.
 * Nameservers are not checked: callers differ in how many they use and in which addresses they
 * accept.
 *
 * Sources: resolv.conf(5).
 * Threads: any.  Memory: the words lie in the file's text, which the reader owns.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "findings/location.h"

enum { RESOLV_CONF_SERVERS_MOST = 64, RESOLV_CONF_SEARCH_MOST = 32 };

struct resolv_conf_server {
    const char *address; /* "": the line names none */
    struct location at;  /* of the address */
};

struct resolv_conf {
    struct resolv_conf_server servers[RESOLV_CONF_SERVERS_MOST]; /* further ones are left out */
    size_t server_count;
    const char *search[RESOLV_CONF_SEARCH_MOST];
    size_t search_count;
    unsigned ndots;
    char *text;
};

/** Reads the file. Returns false with *err as file_read_text, and nothing to close. */
bool resolv_conf_read(const char *path, struct resolv_conf *conf, struct err *err);

void resolv_conf_close(struct resolv_conf *conf);
