#pragma once
/**
 * resolv.conf as glibc reads it.
 *
 * Three nameservers at most; the last `search` or `domain` wins; `ndots` is 1 by default, 15 at
 * most; without a nameserver, one on this host is used.
 *
 * Sources: resolv.conf(5).
 * Threads: pure.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/endpoint.h"
#include "base/err.h"

enum { NAMESERVERS_MOST = 3, SEARCH_MOST = 32, SEARCH_TEXT_MAX = 256 };

struct resolv_conf {
    struct endpoint servers[NAMESERVERS_MOST];
    size_t server_count;
    bool names_none; /* the only server is the one on this host */
    size_t ignored;  /* nameservers over the third, or unreadable */
    char search[SEARCH_MOST][SEARCH_TEXT_MAX];
    size_t search_count;
    unsigned ndots;
};

/** Reads the file. Returns false with *err when it cannot be read. */
bool resolv_conf_read(const char *path, struct resolv_conf *conf, struct err *err);

/**
 * How many useless queries a lookup of the name sends before its own two (A and AAAA): the search
 * list comes first when the name has fewer dots than ndots.
 */
unsigned resolv_conf_waste(const struct resolv_conf *conf, const char *name);
