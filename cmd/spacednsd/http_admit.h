#pragma once
/**
 * Who may ask over HTTP, and how: by the headers of a request, before its path is looked at.
 *
 *     405  another method than GET and HEAD
 *     401  over TCP, without the token that the settings have
 *     421  over TCP, without a token: not for this host by its address, or as localhost
 *     400  with a body, or another version than HTTP/1.0 and HTTP/1.1
 *
 * Without a token the server listens on loopback alone, and 421 keeps a page in a browser from
 * reading here by a name that it leads to loopback. What is public needs no token.
 *
 * Sources: RFC 9110; RFC 6750 (tokens).
 * Threads: pure.  Memory: never allocates.
 */
#include "spacednsd/http.h"

/** A request; each header NULL if it has none. */
struct http_asking {
    const char *version;
    const char *method;
    const char *host;
    const char *authorization;
    const char *content_length;
    const char *transfer_encoding;
    bool is_unix;
    bool is_public;
};

struct http_refusal {
    enum http_status status;
    const char *sentence; /* without quotes and newlines */
    const char *header;   /* of the response; NULL: none */
    const char *value;
};

/** Returns why a request is refused; NULL: it is not. `token` NULL: none is needed. */
const struct http_refusal *http_admit(const struct http_asking *asking, const char *token);
