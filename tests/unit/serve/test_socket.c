// wrap: clock_wall_us
#include "serve/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/serving.h"
#include "support/suite.h"

static int64_t wall_us_ahead; /* of the real clock */

int64_t __wrap_clock_wall_us(void);
int64_t __real_clock_wall_us(void);

int64_t __wrap_clock_wall_us(void)
{
    return __real_clock_wall_us() + wall_us_ahead;
}

static struct endpoint endpoint_of(const char *text, uint16_t port)
{
    struct endpoint endpoint;

    ck_assert(endpoint_read(text, 1, &endpoint));
    endpoint.v4.sin_port = htons(port);
    return endpoint;
}

static int open_udp(const struct endpoint *endpoint)
{
    struct err err;
    int descriptor = socket_open_udp(endpoint, 1 << 20, &err);

    ck_assert_msg(descriptor >= 0, "%s", err.text);
    return descriptor;
}

TEST(workers_share_an_address)
{
    struct endpoint any = endpoint_of("127.0.0.1", 0);
    int first = open_udp(&any);
    struct endpoint address = serving_local(first);
    int second = open_udp(&address);
    struct err err;
    int listener = socket_open_tcp(&address, &err), other = socket_open_tcp(&address, &err);

    ck_assert_int_ge(listener, 0);
    ck_assert_int_ge(other, 0);
    close(first), close(second), close(listener), close(other);
}

TEST(a_second_server_is_noticed)
{
    struct endpoint any = endpoint_of("127.0.0.1", 0);
    int first = open_udp(&any);
    struct endpoint address = serving_local(first);
    struct err err = {.code = ERR_NONE};

    ck_assert(!socket_probe_udp(&address, &err));
    ck_assert_msg(strstr(err.text, "over UDP: another program has this port; find it with "
                                   "`ss -lnpu` and stop it") != NULL,
                  "%s", err.text);
    ck_assert(socket_probe_tcp(&address, &err));
    close(first);
    ck_assert(socket_probe_udp(&address, &err));
    first = socket_open_tcp(&address, &err);
    ck_assert(!socket_probe_tcp(&address, &err));
    ck_assert_msg(strstr(err.text, "over TCP: another program") != NULL, "%s", err.text);
    ck_assert(socket_probe_udp(&address, &err));
    close(first);
}

TEST(an_address_of_another_host_is_reported)
{
    struct endpoint elsewhere = endpoint_of("192.0.2.1", 5300);
    struct err err = {.code = ERR_NONE};

    ck_assert(!socket_probe_udp(&elsewhere, &err));
    ck_assert_str_eq(err.text, "cannot listen on 192.0.2.1:5300 over UDP: this host has no such "
                               "address; `ip address` lists those it has");
    ck_assert_int_eq(socket_open_udp(&elsewhere, 1 << 20, &err), -1);
    ck_assert_int_eq(socket_open_tcp(&elsewhere, &err), -1);
    ck_assert(strstr(err.text, "over TCP: this host has no such address") != NULL);
}

static bool takes_no_ipv4(int descriptor)
{
    socklen_t octets = sizeof(int);
    int is_alone = 0;

    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(getsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &is_alone, &octets), 0);
    close(descriptor);
    return is_alone != 0;
}

/* Otherwise [::] would take the requests of 0.0.0.0, depending on net.ipv6.bindv6only. */
TEST(a_socket_of_ipv6_takes_no_ipv4)
{
    if (!serving_has_ipv6())
        return;
    struct endpoint six = endpoint_of("::", 0);
    struct err err;

    ck_assert(takes_no_ipv4(open_udp(&six)));
    ck_assert(takes_no_ipv4(socket_open_tcp(&six, &err)));
}

/* Another program may have the port in the other family, so a few are tried. */
TEST(both_families_stand_side_by_side)
{
    struct endpoint any = endpoint_of("0.0.0.0", 0);
    struct err err;
    int second = -1;

    if (!serving_has_ipv6())
        return;
    for (unsigned tries = 0; tries < 16 && second < 0; tries++) {
        int first = open_udp(&any);
        struct endpoint address = serving_local(first);
        struct endpoint six = endpoint_of("::", ntohs(address.v4.sin_port));
        second = socket_open_udp(&six, 1 << 20, &err);
        close(first);
    }
    ck_assert_msg(second >= 0, "%s", err.text);
    close(second);
}

TEST(the_kernels_drops_are_counted)
{
    struct endpoint any = endpoint_of("127.0.0.1", 0);
    struct err err;
    int served = socket_open_udp(&any, 1, &err), client = socket(AF_INET, SOCK_DGRAM, 0);
    struct endpoint address = serving_local(served);
    int small = 1;

    setsockopt(served, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    ck_assert_uint_eq(socket_kernel_drops(served), 0);
    for (unsigned i = 0; i < 64; i++)
        sendto(client, (char[512]){0}, 512, 0, &address.any, sizeof address.v4);
    ck_assert_uint_gt(socket_kernel_drops(served), 0);
    ck_assert_uint_eq(socket_kernel_drops(-1), 0);
    close(served), close(client);
}

/* A packet that is not read yet has no time; after it, the time is that of the last one read. */
TEST(the_kernel_notes_when_a_packet_arrived)
{
    struct endpoint any = endpoint_of("127.0.0.1", 0);
    struct err err;
    int served = socket_open_udp(&any, 1 << 16, &err), client = socket(AF_INET, SOCK_DGRAM, 0);
    struct endpoint address = serving_local(served);
    char octet;

    ck_assert_uint_eq(socket_last_age_ms(served), 0);
    wall_us_ahead = 7200 * INT64_C(1000000);
    sendto(client, "1", 1, 0, &address.any, sizeof address.v4);
    ck_assert_uint_eq(socket_last_age_ms(served), 0);
    ck_assert_int_eq(recv(served, &octet, 1, 0), 1);
    ck_assert_uint_ge(socket_last_age_ms(served), 3600 * 1000);
    wall_us_ahead = -wall_us_ahead; /* the clock has been set back */
    ck_assert_uint_eq(socket_last_age_ms(served), 0);
    ck_assert_uint_eq(socket_last_age_ms(-1), 0);
    close(served), close(client);
}
