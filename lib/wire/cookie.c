#include "wire/cookie.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "base/bytes.h"

enum {
    VERSION_AT = COOKIE_CLIENT_OCTETS,
    TIME_AT = 12,
    MAC_AT = 16,
    MAC_OCTETS = COOKIE_OCTETS - MAC_AT,
    VERSION = 1,
};

_Static_assert(crypto_shorthash_BYTES == MAC_OCTETS, "RFC 9018 section 4.4");
_Static_assert(crypto_shorthash_KEYBYTES == COOKIE_SECRET_OCTETS, "RFC 9018 section 4.4");

/* The MAC of a cookie's first octets. */
static void make_mac(const uint8_t *cookie, const struct cookie_client *client,
                     const uint8_t *secret, uint8_t *mac)
{
    uint8_t input[MAC_AT + sizeof client->address];

    memcpy(input, cookie, MAC_AT);
    memcpy(input + MAC_AT, client->address, client->length);
    crypto_shorthash(mac, input, MAC_AT + (size_t)client->length, secret);
}

/* Compares in constant time, so that nobody can find a MAC octet by octet. */
static bool has_mac(const uint8_t *cookie, const struct cookie_client *client,
                    const uint8_t *secret)
{
    uint8_t mac[MAC_OCTETS];
    uint64_t made, sent;

    make_mac(cookie, client, secret, mac);
    memcpy(&made, mac, sizeof made);
    memcpy(&sent, cookie + MAC_AT, sizeof sent);
    return made == sent;
}

/* Returns the number of the secret that the cookie was made with; `count` for none. */
static uint32_t find_secret(const struct cookie_secrets *secrets, const uint8_t *cookie,
                            const struct cookie_client *client)
{
    uint32_t number = 0;

    while (number < secrets->count && !has_mac(cookie, client, secrets->octets[number]))
        number++;
    return number;
}

/* Seconds since the cookie was made; negative: it comes from ahead (RFC 9018 section 4.3). */
static int32_t age_of(const struct cookie_server *server, const uint8_t *cookie)
{
    return (int32_t)(server->now_s - load32(cookie + TIME_AT));
}

static void make(const struct cookie_server *server, const struct cookie_client *client,
                 uint8_t *cookie)
{
    memset(cookie + VERSION_AT, 0, TIME_AT - VERSION_AT);
    cookie[VERSION_AT] = VERSION;
    store32(cookie + TIME_AT, server->now_s);
    make_mac(cookie, client, server->secrets.octets[0], cookie + MAC_AT);
}

/*
 * Checks form, time and MAC. The reserved octets may have any value: the MAC covers them (RFC 9018
 * section 4.2).
 */
static enum cookie_state check(const struct cookie_server *server,
                               const struct cookie_client *client, const uint8_t *cookie,
                               size_t length, bool *is_fresh)
{
    *is_fresh = false;
    if (length == COOKIE_CLIENT_OCTETS)
        return COOKIE_NEW;
    if (length != COOKIE_OCTETS || cookie[VERSION_AT] != VERSION)
        return COOKIE_WRONG;
    int32_t age_s = age_of(server, cookie);
    if (age_s > COOKIE_AGE_MOST_S || age_s < -COOKIE_AHEAD_MOST_S)
        return COOKIE_WRONG;
    uint32_t secret = find_secret(&server->secrets, cookie, client);
    if (secret == server->secrets.count)
        return COOKIE_WRONG;
    *is_fresh = secret == 0 && age_s < COOKIE_RENEW_S;
    return COOKIE_RIGHT;
}

enum cookie_state cookie_check(const struct cookie_server *server,
                               const struct cookie_client *client, const uint8_t *cookie,
                               size_t length, uint8_t *reply)
{
    bool is_fresh;

    assert(server->secrets.count > 0);
    enum cookie_state state = check(server, client, cookie, length, &is_fresh);
    memmove(reply, cookie, is_fresh ? COOKIE_OCTETS : COOKIE_CLIENT_OCTETS);
    if (!is_fresh)
        make(server, client, reply);
    return state;
}
