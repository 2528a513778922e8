#pragma once
/**
 * What glibc makes of a resolv.conf (config/resolv_conf.h): three nameservers at most; without a
 * nameserver, one on this host is used.
 *
 * Sources: resolv.conf(5).
 * Threads: pure.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/endpoint.h"
#include "base/err.h"

enum { NAMESERVERS_MOST = 3 };

struct doctor_conf {
    struct endpoint servers[NAMESERVERS_MOST];
    size_t server_count;
    bool names_none; /* the only server is the one on this host */
    size_t ignored;  /* nameservers over the third, or unreadable */
    size_t search_count;
    unsigned ndots;
};

/** Reads the file. Returns false with *err when it cannot be read. */
bool doctor_conf_read(const char *path, struct doctor_conf *conf, struct err *err);

/**
 * How many useless queries a lookup of the name sends before its own two (A and AAAA): the search
 * list comes first when the name has fewer dots than ndots.
 */
unsigned doctor_conf_waste(const struct doctor_conf *conf, const char *name);
