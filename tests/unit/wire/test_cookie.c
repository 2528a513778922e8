#include "wire/cookie.h"

#include <stdio.h>
#include <string.h>

#include "support/suite.h"

/* Reads hex digits; blanks are skipped. Returns the count of octets. */
static size_t read_hex(const char *text, uint8_t *out)
{
    size_t count = 0;
    unsigned octet;
    int read;

    while (sscanf(text, " %2x%n", &octet, &read) == 1) {
        out[count++] = (uint8_t)octet;
        text += read;
    }
    return count;
}

static struct cookie_server server_with(const char *first, const char *second, uint32_t now_s)
{
    struct cookie_server server = {.secrets.count = second == NULL ? 1 : 2, .now_s = now_s};

    ck_assert_uint_eq(read_hex(first, server.secrets.octets[0]), 16);
    if (second != NULL)
        ck_assert_uint_eq(read_hex(second, server.secrets.octets[1]), 16);
    return server;
}

static struct cookie_client client_at(const char *address)
{
    struct cookie_client client = {.length = 0};

    client.length = (uint8_t)read_hex(address, client.address);
    return client;
}

#define SECRET_1 "e5e973e5a6b2a43f48e7dc849e37bfcf"
#define SECRET_2 "dd3bdf9344b678b185a6f5cb60fca715"
#define SECRET_3 "445536bcd2513298075a5d379663c962"
#define CLIENT_1 "c6336464" /* 198.51.100.100 */
#define CLIENT_2 "cb0071cb" /* 203.0.113.203 */
#define CLIENT_3 "20010db80220000159ded0f4876982b8"

/* RFC 9018 appendix A. */
static const struct {
    const char *first, *second, *client;
    uint32_t now_s;
    const char *request;
    enum cookie_state state;
    const char *reply;
} vectors[] = {
    /* A.1, a client learns a cookie */
    {SECRET_1, NULL, CLIENT_1, 1559731985, "2464c4abcf10c957", COOKIE_NEW,
     "2464c4abcf10c957010000005cf79f111f8130c3eee29480"},
    /* A.2, 40 minutes later it gets a fresh one */
    {SECRET_1, NULL, CLIENT_1, 1559734385, "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
     COOKIE_RIGHT, "2464c4abcf10c957010000005cf7a871d4a564a1442aca77"},
    /* A.3, another client has one with reserved octets other than zero */
    {SECRET_1, NULL, CLIENT_2, 1559730385, "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
     COOKIE_RIGHT, NULL},
    {SECRET_1, NULL, CLIENT_2, 1559734700, "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
     COOKIE_WRONG, "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e"},
    /* A.4, IPv6, after the secret has rolled over */
    {SECRET_3, SECRET_2, CLIENT_3, 1559741961, "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
     COOKIE_RIGHT, "22681ab97d52c298010000005cf7c609a6bb79d16625507a"},
};

TEST_OVER(cookies_are_those_of_rfc_9018, vectors)
{
    struct cookie_server server =
        server_with(vectors[_i].first, vectors[_i].second, vectors[_i].now_s);
    struct cookie_client client = client_at(vectors[_i].client);
    uint8_t request[COOKIE_OCTETS_MOST], reply[COOKIE_OCTETS], expected[COOKIE_OCTETS];
    size_t length = read_hex(vectors[_i].request, request);

    ck_assert_int_eq(cookie_check(&server, &client, request, length, reply), vectors[_i].state);
    if (vectors[_i].reply == NULL)
        return;
    ck_assert_uint_eq(read_hex(vectors[_i].reply, expected), COOKIE_OCTETS);
    ck_assert_mem_eq(reply, expected, COOKIE_OCTETS);
}

/* A cookie that the server makes at `made_s` for a client at CLIENT_1. */
static void make(const char *secret, uint32_t made_s, uint8_t *cookie)
{
    struct cookie_server server = server_with(secret, NULL, made_s);
    struct cookie_client client = client_at(CLIENT_1);

    ck_assert_int_eq(
        cookie_check(&server, &client, (const uint8_t *)"a client", COOKIE_CLIENT_OCTETS, cookie),
        COOKIE_NEW);
}

/* RFC 9018 section 4.3; `now_s` of 100 is shortly after the clock's 32 bits were used up. */
static const struct {
    int32_t age_s;
    enum cookie_state state;
    bool is_kept;
} ages[] = {
    {0, COOKIE_RIGHT, true},          {1799, COOKIE_RIGHT, true},
    {1800, COOKIE_RIGHT, false},      {3600, COOKIE_RIGHT, false},
    {3601, COOKIE_WRONG, false},      {86400, COOKIE_WRONG, false},
    {-1, COOKIE_RIGHT, true},         {-300, COOKIE_RIGHT, true},
    {-301, COOKIE_WRONG, false},      {-3600, COOKIE_WRONG, false},
    {INT32_MAX, COOKIE_WRONG, false}, {INT32_MIN, COOKIE_WRONG, false},
};
enum { AGE_COUNT = sizeof ages / sizeof ages[0] };

TEST_LOOP(a_cookie_is_right_for_an_hour_and_renewed_after_half, 0, 2 * AGE_COUNT)
{
    uint32_t now_s = _i < AGE_COUNT ? 1559731985 : 100;
    uint8_t cookie[COOKIE_OCTETS], reply[COOKIE_OCTETS];
    struct cookie_server server = server_with(SECRET_1, NULL, now_s);
    struct cookie_client client = client_at(CLIENT_1);

    make(SECRET_1, now_s - (uint32_t)ages[_i % AGE_COUNT].age_s, cookie);
    ck_assert_int_eq(cookie_check(&server, &client, cookie, sizeof cookie, reply),
                     ages[_i % AGE_COUNT].state);
    ck_assert(ages[_i % AGE_COUNT].is_kept == (memcmp(cookie, reply, sizeof cookie) == 0));
    ck_assert_int_eq(cookie_check(&server, &client, reply, sizeof reply, reply), COOKIE_RIGHT);
}

/* Every bit of all 24 octets counts, and so does the client's address. */
TEST_LOOP(a_forged_cookie_is_wrong, 0, 8 * COOKIE_OCTETS)
{
    uint8_t cookie[COOKIE_OCTETS], reply[COOKIE_OCTETS];
    struct cookie_server server = server_with(SECRET_1, SECRET_2, 1559731985);
    struct cookie_client client = client_at(CLIENT_1);

    make(SECRET_1, 1559731985, cookie);
    cookie[_i / 8] ^= (uint8_t)(1U << _i % 8);
    ck_assert_int_eq(cookie_check(&server, &client, cookie, sizeof cookie, reply), COOKIE_WRONG);
    ck_assert_int_eq(cookie_check(&server, &client, reply, sizeof reply, reply), COOKIE_RIGHT);
}

TEST(a_cookie_of_another_address_is_wrong)
{
    uint8_t cookie[COOKIE_OCTETS], reply[COOKIE_OCTETS];
    struct cookie_server server = server_with(SECRET_1, NULL, 1559731985);
    struct cookie_client other = client_at(CLIENT_2), longer = client_at(CLIENT_1 "00");

    make(SECRET_1, 1559731985, cookie);
    ck_assert_int_eq(cookie_check(&server, &other, cookie, sizeof cookie, reply), COOKIE_WRONG);
    ck_assert_int_eq(cookie_check(&server, &longer, cookie, sizeof cookie, reply), COOKIE_WRONG);
}

/* Of all lengths that a COOKIE may have, only 24 octets can be ours. */
TEST_LOOP(a_cookie_of_another_length_is_wrong, 16, COOKIE_OCTETS_MOST + 1)
{
    uint8_t cookie[COOKIE_OCTETS_MOST] = {0}, reply[COOKIE_OCTETS];
    struct cookie_server server = server_with(SECRET_1, NULL, 1559731985);
    struct cookie_client client = client_at(CLIENT_1);

    make(SECRET_1, 1559731985, cookie);
    ck_assert_int_eq(cookie_check(&server, &client, cookie, (size_t)_i, reply),
                     _i == COOKIE_OCTETS ? COOKIE_RIGHT : COOKIE_WRONG);
}

/* RFC 9018 section 5: the previous secret still verifies, and no longer makes. */
TEST(a_rolled_over_secret_is_still_right)
{
    uint8_t cookie[COOKIE_OCTETS], reply[COOKIE_OCTETS];
    struct cookie_server before = server_with(SECRET_1, NULL, 1559731985);
    struct cookie_server staged = server_with(SECRET_1, SECRET_2, 1559731985);
    struct cookie_server after = server_with(SECRET_2, SECRET_1, 1559731985);
    struct cookie_server later = server_with(SECRET_3, SECRET_2, 1559731985);
    struct cookie_client client = client_at(CLIENT_1);

    make(SECRET_1, 1559731985, cookie);
    ck_assert_int_eq(cookie_check(&staged, &client, cookie, sizeof cookie, reply), COOKIE_RIGHT);
    ck_assert_mem_eq(reply, cookie, sizeof cookie);
    ck_assert_int_eq(cookie_check(&after, &client, cookie, sizeof cookie, reply), COOKIE_RIGHT);
    ck_assert_int_eq(cookie_check(&before, &client, reply, sizeof reply, cookie), COOKIE_WRONG);
    ck_assert_int_eq(cookie_check(&staged, &client, reply, sizeof reply, cookie), COOKIE_RIGHT);
    ck_assert_int_eq(cookie_check(&later, &client, reply, sizeof reply, cookie), COOKIE_RIGHT);
    make(SECRET_1, 1559731985, cookie);
    ck_assert_int_eq(cookie_check(&later, &client, cookie, sizeof cookie, reply), COOKIE_WRONG);
}
