#include "serve/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { LISTEN_BACKLOG = 1024, US_PER_S = 1000000, US_PER_MS = 1000, NS_PER_US = 1000 };

static bool fail(const struct endpoint *endpoint, int type, struct err *err)
{
    int error = errno;
    char address[ENDPOINT_TEXT_MAX];
    const char *transport = type == SOCK_DGRAM ? "UDP" : "TCP";

    endpoint_write(endpoint, address);
    switch (error) {
    case EADDRINUSE:
        return err_set(err, ERR_SYSTEM,
                       "cannot listen on %s over %s: another program has this port; find it with "
                       "`ss -lnp%s` and stop it, or listen on another address or port",
                       address, transport, type == SOCK_DGRAM ? "u" : "t");
    case EACCES:
        return err_set(err, ERR_SYSTEM,
                       "cannot listen on %s over %s: no permission for a port below 1024; allow "
                       "it with `setcap cap_net_bind_service=+ep` on the program or `sysctl "
                       "net.ipv4.ip_unprivileged_port_start=53`, or listen on a higher port",
                       address, transport);
    case EADDRNOTAVAIL:
        return err_set(err, ERR_SYSTEM,
                       "cannot listen on %s over %s: this host has no such address; `ip address` "
                       "lists those it has",
                       address, transport);
    case EAFNOSUPPORT:
        return err_set(err, ERR_SYSTEM,
                       "cannot listen on %s over %s: this host has no IPv6; leave the address out",
                       address, transport);
    case EMFILE:
    case ENFILE:
        return err_set(err, ERR_SYSTEM,
                       "cannot listen on %s over %s: no file descriptors left; raise the limit "
                       "(ulimit -n) or start fewer workers",
                       address, transport);
    default: /* errno */
        return err_set(err, ERR_SYSTEM, "cannot listen on %s over %s: %s", address, transport,
                       strerror(error));
    }
}

/* The server also works without these options, so failures are ignored. */
static void set_option(int descriptor, int level, int option, int value)
{
    setsockopt(descriptor, level, option, &value, sizeof value);
}

static int open_socket(const struct endpoint *endpoint, int type)
{
    int descriptor = socket(endpoint->any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (descriptor >= 0 && endpoint->any.sa_family == AF_INET6)
        set_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 1); /* whatever net.ipv6.bindv6only is */
    /* A restarted listener must not wait for connections in TIME_WAIT. */
    if (descriptor >= 0 && type == SOCK_STREAM)
        set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
    return descriptor;
}

static int give_up(int descriptor, const struct endpoint *endpoint, int type, struct err *err)
{
    fail(endpoint, type, err);
    if (descriptor >= 0)
        close(descriptor);
    return -1;
}

static bool probe(const struct endpoint *endpoint, int type, struct err *err)
{
    int descriptor = open_socket(endpoint, type);

    if (descriptor < 0 || bind(descriptor, &endpoint->any, endpoint_octets(endpoint)) != 0) {
        give_up(descriptor, endpoint, type, err);
        return false;
    }
    close(descriptor);
    return true;
}

bool socket_probe_udp(const struct endpoint *endpoint, struct err *err)
{
    return probe(endpoint, SOCK_DGRAM, err);
}

bool socket_probe_tcp(const struct endpoint *endpoint, struct err *err)
{
    return probe(endpoint, SOCK_STREAM, err);
}

/* The path MTU is not discovered: forged ICMP errors could lower it. */
static void tune_udp(int descriptor, const struct endpoint *endpoint, uint32_t buffer_octets)
{
    bool is_ipv6 = endpoint->any.sa_family == AF_INET6;

    socket_last_age_ms(descriptor); /* from the first call on, the kernel notes times of arrival */
    set_option(descriptor, SOL_SOCKET, SO_RCVBUF, (int)buffer_octets);
    set_option(descriptor, SOL_SOCKET, SO_SNDBUF, (int)buffer_octets);
    /* Exceeds the host's limit if the process may. */
    set_option(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, (int)buffer_octets);
    set_option(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, (int)buffer_octets);
    if (is_ipv6)
        set_option(descriptor, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
    else
        set_option(descriptor, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
}

static bool wants_asked_address(const struct endpoint *endpoint)
{
    return endpoint->any.sa_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&endpoint->v6.sin6_addr)
                                               : endpoint->v4.sin_addr.s_addr == htonl(INADDR_ANY);
}

void socket_tune_udp(int descriptor, const struct endpoint *endpoint, uint32_t buffer_octets)
{
    bool is_ipv6 = endpoint->any.sa_family == AF_INET6;

    set_option(descriptor, SOL_SOCKET, SO_REUSEPORT, 1);
    tune_udp(descriptor, endpoint, buffer_octets);
    if (wants_asked_address(endpoint))
        set_option(descriptor, is_ipv6 ? IPPROTO_IPV6 : IPPROTO_IP,
                   is_ipv6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1);
}

bool socket_request_interfaces(int descriptor)
{
    const int on = 1;

    return setsockopt(descriptor, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) == 0;
}

/* The kernel returns the options of the latest packet as it would in a control message. */
uint32_t socket_find_interface(int descriptor)
{
    _Alignas(struct cmsghdr) uint8_t octets[CMSG_SPACE(sizeof(struct in_pktinfo)) * 4];
    struct msghdr message = {.msg_control = octets};
    socklen_t length = sizeof octets;

    if (getsockopt(descriptor, IPPROTO_IP, IP_PKTOPTIONS, octets, &length) != 0)
        return 0;
    message.msg_controllen = length;
    for (struct cmsghdr *each = CMSG_FIRSTHDR(&message); each != NULL;
         each = CMSG_NXTHDR(&message, each))
        if (each->cmsg_level == IPPROTO_IP && each->cmsg_type == IP_PKTINFO)
            return (uint32_t)((const struct in_pktinfo *)(const void *)CMSG_DATA(each))
                ->ipi_ifindex;
    return 0;
}

uint32_t socket_find_own_address(int descriptor)
{
    struct endpoint local = {.v6 = {0}};
    socklen_t octets = sizeof local;

    if (getsockname(descriptor, &local.any, &octets) != 0 || local.any.sa_family != AF_INET)
        return 0;
    return ntohl(local.v4.sin_addr.s_addr);
}

void socket_tune_tcp(int descriptor)
{
    set_option(descriptor, SOL_SOCKET, SO_REUSEPORT, 1);
    /* Accepted connections inherit it: each reply is written as a whole. */
    set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
    /* They inherit this, too: each has the interface that its client came by. */
    set_option(descriptor, IPPROTO_IP, IP_PKTINFO, 1);
}

int socket_open_udp(const struct endpoint *endpoint, uint32_t buffer_octets, struct err *err)
{
    int descriptor = open_socket(endpoint, SOCK_DGRAM);

    if (descriptor < 0)
        return give_up(descriptor, endpoint, SOCK_DGRAM, err);
    socket_tune_udp(descriptor, endpoint, buffer_octets);
    if (bind(descriptor, &endpoint->any, endpoint_octets(endpoint)) != 0)
        return give_up(descriptor, endpoint, SOCK_DGRAM, err);
    return descriptor;
}

int socket_open_tcp(const struct endpoint *endpoint, struct err *err)
{
    int descriptor = open_socket(endpoint, SOCK_STREAM);

    if (descriptor < 0)
        return give_up(descriptor, endpoint, SOCK_STREAM, err);
    socket_tune_tcp(descriptor);
    if (bind(descriptor, &endpoint->any, endpoint_octets(endpoint)) != 0 ||
        listen(descriptor, LISTEN_BACKLOG) != 0)
        return give_up(descriptor, endpoint, SOCK_STREAM, err);
    return descriptor;
}

static uint32_t read_memory_info(int descriptor, int which)
{
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t octets = sizeof memory;

    if (getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, memory, &octets) != 0)
        return 0;
    return memory[which];
}

uint32_t socket_kernel_drops(int descriptor)
{
    return read_memory_info(descriptor, SK_MEMINFO_DROPS);
}

uint32_t socket_unread_octets(int descriptor)
{
    return read_memory_info(descriptor, SK_MEMINFO_RMEM_ALLOC);
}

uint64_t socket_last_age_ms(int descriptor)
{
    struct timespec arrival;

    if (ioctl(descriptor, SIOCGSTAMPNS, &arrival) != 0)
        return 0;
    int64_t arrival_us = (int64_t)arrival.tv_sec * US_PER_S + arrival.tv_nsec / NS_PER_US;
    int64_t age_us = clock_wall_us() - arrival_us;
    return age_us > 0 ? (uint64_t)age_us / US_PER_MS : 0;
}
