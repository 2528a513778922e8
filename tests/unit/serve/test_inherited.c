#include "serve/inherited.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/socket.h"
#include "support/serving.h"
#include "support/suite.h"

/* A bound socket on loopback, and where it is. */
static int open_at(enum listen_scheme scheme, struct endpoint *endpoint)
{
    struct err err;

    ck_assert(endpoint_read("127.0.0.1", 1, endpoint));
    endpoint->v4.sin_port = 0;
    int descriptor = scheme == LISTEN_UDP ? socket_open_udp(endpoint, 1 << 16, &err)
                                          : socket_open_tcp(endpoint, &err);
    ck_assert_int_ge(descriptor, 0);
    *endpoint = serving_local(descriptor);
    return descriptor;
}

static bool is_open(int descriptor)
{
    return fcntl(descriptor, F_GETFD) >= 0;
}

TEST(a_socket_is_named_after_its_scheme_and_worker)
{
    char name[INHERITED_NAME_OCTETS];

    inherited_write_name(LISTEN_UDP, 0, name);
    ck_assert_str_eq(name, "udp.0");
    inherited_write_name(LISTEN_TCP, 17, name);
    ck_assert_str_eq(name, "tcp.17");
}

static const struct {
    const char *name;
    size_t worker; /* of three */
} names[] = {
    {"udp.0", 0},
    {"udp.1", 1},
    {"udp.5", 2}, /* from a server with more workers */
    {"udp.1x", 0},
    {"tcp.1", 0},
    {"udp", 0},
    {"udp.", 0},
    {"udp.999999", 0},
    {"udp.-1", 0},
    {"spacednsd.socket", 0},
    {"", 0},
};

TEST_OVER(a_worker_gets_the_sockets_named_for_it, names)
{
    struct inherited inherited = {.items = NULL};
    struct endpoint endpoint;
    struct err err;
    int descriptor = open_at(LISTEN_UDP, &endpoint);

    ck_assert_msg(inherited_add(&inherited, names[_i].name, descriptor, &err), "%s", err.text);
    for (size_t worker = 0; worker < 3; worker++)
        if (worker != names[_i].worker)
            ck_assert_int_eq(inherited_take(&inherited, LISTEN_UDP, &endpoint, worker, 3), -1);
    ck_assert_int_eq(inherited_take(&inherited, LISTEN_UDP, &endpoint, names[_i].worker, 3),
                     descriptor);
    ck_assert_int_eq(inherited_take(&inherited, LISTEN_UDP, &endpoint, names[_i].worker, 3), -1);
    ck_assert(inherited_has(&inherited, LISTEN_UDP, &endpoint));
    inherited_close(&inherited);
    ck_assert(is_open(descriptor));
    close(descriptor);
}

TEST(a_socket_is_for_its_own_scheme_and_address_only)
{
    struct inherited inherited = {.items = NULL};
    struct endpoint endpoint, other;
    struct err err;
    int descriptor = open_at(LISTEN_TCP, &endpoint);

    other = endpoint;
    other.v4.sin_addr.s_addr = htonl(0x7f000002);
    ck_assert(inherited_add(&inherited, "tcp.0", descriptor, &err));
    ck_assert(!inherited_has(&inherited, LISTEN_UDP, &endpoint));
    ck_assert(!inherited_has(&inherited, LISTEN_TCP, &other));
    ck_assert_int_eq(inherited_take(&inherited, LISTEN_UDP, &endpoint, 0, 1), -1);
    ck_assert_int_eq(inherited_take(&inherited, LISTEN_TCP, &other, 0, 1), -1);
    const struct inherited_socket *left = inherited_next_left(&inherited, NULL);
    ck_assert(left != NULL && endpoint_equals(&left->endpoint, &endpoint));
    ck_assert_ptr_null(inherited_next_left(&inherited, left));
    inherited_close(&inherited);
    ck_assert_msg(!is_open(descriptor), "what nobody took is still open");
}

static int open_file(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int open_unix(void)
{
    return socket(AF_UNIX, SOCK_DGRAM, 0);
}

static int open_unlistening(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

static int open_both_families(void)
{
    int descriptor = socket(AF_INET6, SOCK_DGRAM, 0), off = 0;

    setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    return descriptor;
}

static const struct {
    int (*open)(void);
    const char *text;
} unfit[] = {
    {open_file, "the inherited descriptor dns.socket is not a socket"},
    {open_unix, "is neither an IPv4 nor an IPv6 socket; use ListenDatagram="},
    {open_unlistening, "is a connection, not a listener; use Accept=no"},
    {open_both_families, "use BindIPv6Only=ipv6-only"},
};

TEST_OVER(what_is_no_socket_to_listen_on_is_refused_with_the_remedy, unfit)
{
    struct inherited inherited = {.items = NULL};
    int descriptor = unfit[_i].open();
    struct err err;

    ck_assert_int_ge(descriptor, 0);
    ck_assert(!inherited_add(&inherited, "dns.socket", descriptor, &err));
    ck_assert_msg(strstr(err.text, unfit[_i].text) != NULL, "%s", err.text);
    ck_assert(!is_open(descriptor));
    ck_assert_uint_eq(inherited.count, 0);
}
