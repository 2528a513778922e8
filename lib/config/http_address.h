#pragma once
/**
 * Addresses to serve HTTP at, as an operator writes them:
 *
 *     127.0.0.1:9153    10.0.0.2    [::1]:9153    an address, with port 9153 if none is given
 *     unix:/run/spacedns/http.sock                 a unix socket
 *     none                                         HTTP is off
 *
 * Threads: pure.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/endpoint.h"
#include "base/err.h"
#include "config/setting_origin.h"

enum {
    HTTP_PORT = 9153,
    HTTP_PATH_MOST = 107, /* octets of a unix socket's path */
    HTTP_ADDRESS_OCTETS = HTTP_PATH_MOST + sizeof "unix:",
};

struct http_address {
    struct endpoint endpoint;
    const char *path; /* of a unix socket; NULL: the endpoint */
    struct setting_origin origin;
};

struct http_addresses {
    struct http_address *items;
    size_t count;
    size_t capacity;
    bool is_none;    /* `none` was given */
    bool is_initial; /* nobody has set them: another server of this host may have them */
};

/**
 * Reads one address; its origin is not changed, and a path is borrowed from the text. Returns false
 * with a sentence in *err for what is neither an address nor a path from the root.
 */
bool http_address_read(const char *text, struct http_address *address, struct err *err);

/** Writes "127.0.0.1:9153" or "unix:/run/spacedns/http.sock"; room for HTTP_ADDRESS_OCTETS. */
void http_address_write(const struct http_address *address, char *out);

/** True when only this host can reach it: a unix socket, or an address of loopback. */
bool http_address_is_local(const struct http_address *address);

bool http_address_equals(const struct http_address *address, const struct http_address *other);
