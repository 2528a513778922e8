#pragma once
/**
 * DNS cookies: a server's cookie shows that its client receives what is sent to its address.
 *
 *      0       8   9     12     16     24
 *      | client  | 1 | 0 0 0 | time | MAC |    the data of COOKIE in our replies
 *                '---- the server's ------'
 *
 * The MAC is SipHash-2-4, keyed with a secret, over the 16 octets before it and the client's
 * address: all servers that share a secret accept each other's cookies, whatever their make. Time
 * is in seconds since 1970 modulo 2^32, and compared as such (RFC 1982).
 *
 * Sources: RFC 7873 section 5.2 (servers); RFC 9018 section 4 (form, times), section 5 (secrets).
 * Threads: pure functions.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    COOKIE_CLIENT_OCTETS = 8,
    COOKIE_SERVER_LEAST = 8, /* of a server's cookie behind the client's, whatever its make ... */
    COOKIE_OCTETS_MOST = 40, /* ... and the most of both */
    COOKIE_OCTETS = 24,      /* both, of this form */
    COOKIE_SECRET_OCTETS = 16,
    COOKIE_SECRETS_MOST = 2,
    COOKIE_AGE_MOST_S = 3600,  /* older cookies are wrong ... */
    COOKIE_AHEAD_MOST_S = 300, /* ... and those from further ahead */
    COOKIE_RENEW_S = 1800,     /* replies to older ones have a new cookie */
};

/** The first secret makes cookies, and every one verifies them. None: cookies are off. */
struct cookie_secrets {
    uint32_t count;
    uint8_t octets[COOKIE_SECRETS_MOST][COOKIE_SECRET_OCTETS];
};

/** What cookies are made from and checked with. */
struct cookie_server {
    struct cookie_secrets secrets;
    uint32_t now_s; /* since 1970, modulo 2^32 */
};

/** A client's address in network order: 4 octets, or 16. */
struct cookie_client {
    uint8_t address[16];
    uint8_t length;
};

/** What a request had. */
enum cookie_state {
    COOKIE_NONE,  /* no cookie, or cookies are off */
    COOKIE_NEW,   /* a client's alone */
    COOKIE_WRONG, /* a server's that is not ours, not for this client, or out of its time */
    COOKIE_RIGHT,
};

/**
 * Checks a request's cookie and makes the one for the reply: the same while it is right, young and
 * made with the first secret.
 *
 * server  with secrets
 * cookie  the request's, `length` octets: 8, or 16 to 40
 * reply   COOKIE_OCTETS; may be `cookie`
 */
enum cookie_state cookie_check(const struct cookie_server *server,
                               const struct cookie_client *client, const uint8_t *cookie,
                               size_t length, uint8_t *reply);
