#include "config/http_address.h"

#include <string.h>

#include "support/suite.h"

/* A text, and the address in its usual form. */
static const struct {
    const char *text;
    const char *written;
    bool is_local;
} addresses[] = {
    {"127.0.0.1", "127.0.0.1:9153", true},
    {"127.9.9.9:80", "127.9.9.9:80", true},
    {"::1", "[::1]:9153", true},
    {"[::1]:8080", "[::1]:8080", true},
    {"::ffff:127.0.0.1", "127.0.0.1:9153", true},
    {"10.0.0.2", "10.0.0.2:9153", false},
    {"0.0.0.0:9153", "0.0.0.0:9153", false},
    {"::", "[::]:9153", false},
    {"unix:/run/spacedns/http.sock", "unix:/run/spacedns/http.sock", true},
};

TEST_OVER(an_address_is_of_a_host_or_a_path, addresses)
{
    struct http_address address = {.origin.file = "here"};
    char written[HTTP_ADDRESS_OCTETS];
    struct err err;

    ck_assert_msg(http_address_read(addresses[_i].text, &address, &err), "%s", err.text);
    http_address_write(&address, written);
    ck_assert_str_eq(written, addresses[_i].written);
    ck_assert_int_eq(http_address_is_local(&address), addresses[_i].is_local);
    ck_assert_str_eq(address.origin.file, "here");
    ck_assert(http_address_equals(&address, &address));
}

static const struct {
    const char *text;
    const char *problem;
} refused[] = {
    {"", "`` is not an address for HTTP; give one like 127.0.0.1:9153"},
    {"localhost", "`localhost` is not an address for HTTP"},
    {"127.0.0.1:0", "`127.0.0.1:0` is not an address for HTTP"},
    {"http://127.0.0.1", "`http://127.0.0.1` is not an address for HTTP"},
    {"unix:", "`unix:` has no path from the root"},
    {"unix:/", "`unix:/` has no path from the root"},
    {"unix:http.sock", "`unix:http.sock` has no path from the root"},
};

TEST_OVER(anything_else_is_refused_with_the_remedy, refused)
{
    struct http_address address;
    struct err err;

    ck_assert(!http_address_read(refused[_i].text, &address, &err));
    ck_assert_ptr_nonnull(strstr(err.text, refused[_i].problem));
}

TEST(a_path_is_as_long_as_a_socket_address_can_be)
{
    char text[sizeof "unix:" + HTTP_PATH_MOST + 1] = "unix:/";
    struct http_address address;
    struct err err;

    memset(text + strlen(text), 'a', HTTP_PATH_MOST - 1);
    ck_assert(http_address_read(text, &address, &err));
    text[strlen(text)] = 'a';
    ck_assert(!http_address_read(text, &address, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "is longer than the 107 octets"));
}

TEST(an_address_that_is_read_anew_has_no_path)
{
    struct http_address address;
    struct err err;

    ck_assert(http_address_read("unix:/a", &address, &err));
    ck_assert(http_address_read("127.0.0.1", &address, &err));
    ck_assert_ptr_null(address.path);
    ck_assert_uint_eq(endpoint_port(&address.endpoint), HTTP_PORT);
}

TEST(a_path_equals_no_other_path_and_no_address)
{
    struct http_address path, other, host;
    struct err err;

    ck_assert(http_address_read("unix:/a", &path, &err));
    ck_assert(http_address_read("unix:/b", &other, &err));
    ck_assert(http_address_read("127.0.0.1", &host, &err));
    ck_assert(!http_address_equals(&path, &other));
    ck_assert(!http_address_equals(&path, &host));
    ck_assert(!http_address_equals(&host, &path));
}
