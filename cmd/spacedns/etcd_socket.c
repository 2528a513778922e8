#include "spacedns/etcd_socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum { RECEIVED_OCTETS = 65536 };

static int left_ms(uint64_t deadline_ns)
{
    uint64_t now = clock_monotonic_ns();

    return now >= deadline_ns ? 0 : (int)((deadline_ns - now + 999999) / 1000000);
}

/* ---- connecting ---- */

static const char *remedy_for(int error)
{
    switch (error) {
    case ECONNREFUSED:
        return "start etcd, or name the port that it listens on (--listen-client-urls)";
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ETIMEDOUT:
        return "check the address, routes and firewalls on the way";
    default: /* errno */
        return "check the endpoint";
    }
}

static bool fail_connect(struct err *err, int error)
{
    if (error == ETIMEDOUT)
        return err_set(err, ERR_SYSTEM, "no reply to connect; %s", remedy_for(error));
    return err_set(err, ERR_SYSTEM, "%s; %s", strerror(error), remedy_for(error));
}

/* Returns 0, or the errno. */
static int wait_for_connect(int descriptor, uint64_t deadline_ns)
{
    struct pollfd poller = {.fd = descriptor, .events = POLLOUT};
    int error = 0;
    socklen_t length = sizeof error;
    int ready = poll(&poller, 1, left_ms(deadline_ns));

    if (ready < 0)
        return errno;
    if (ready == 0)
        return ETIMEDOUT;
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) != 0 ? errno : error;
}

/* Returns 0 with a descriptor, or the errno. */
static int connect_to(const struct addrinfo *address, uint64_t deadline_ns, int *descriptor)
{
    const int on = 1;
    int made = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = 0;

    if (made < 0)
        return errno;
    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(made, address->ai_addr, address->ai_addrlen) != 0)
        error = errno == EINPROGRESS ? wait_for_connect(made, deadline_ns) : errno;
    if (error != 0)
        close(made);
    else
        *descriptor = made;
    return error;
}

static bool fail_resolve(struct err *err, const char *host, int code)
{
    return err_set(err, ERR_SYSTEM,
                   "the name %s cannot be resolved (%s); check it, or write the address", host,
                   code == EAI_SYSTEM ? strerror(errno) : gai_strerror(code));
}

/* Tries each address of the endpoint. */
static bool connect_endpoint(struct etcd_socket *etcd, uint64_t deadline_ns, struct err *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = etcd->endpoint.is_address ? AI_NUMERICHOST : 0};
    struct addrinfo *addresses;
    char port[8];
    int error = EADDRNOTAVAIL;

    snprintf(port, sizeof port, "%u", (unsigned)etcd->endpoint.port);
    int code = getaddrinfo(etcd->endpoint.host, port, &hints, &addresses);
    if (code != 0)
        return fail_resolve(err, etcd->endpoint.host, code);
    for (const struct addrinfo *one = addresses; one != NULL && error != 0; one = one->ai_next)
        error = connect_to(one, deadline_ns, &etcd->descriptor);
    freeaddrinfo(addresses);
    return error == 0 || fail_connect(err, error);
}

bool etcd_socket_open(struct etcd_socket *etcd, const struct registry_endpoint *endpoint,
                      struct tls_trust *trust, const struct etcd_listener *listener,
                      uint64_t deadline_ns, struct err *err)
{
    *etcd = (struct etcd_socket){.descriptor = -1, .endpoint = *endpoint};
    const struct etcd_connection_options options = {
        .trust = trust, .host = etcd->endpoint.host, .port = endpoint->port, .wants_leader = true};

    if (connect_endpoint(etcd, deadline_ns, err) &&
        (etcd->connection = etcd_connection_new(&options, listener, err)) != NULL)
        return true;
    etcd_socket_close(etcd);
    return false;
}

void etcd_socket_close(struct etcd_socket *etcd)
{
    etcd_connection_free(etcd->connection);
    etcd->connection = NULL;
    if (etcd->descriptor >= 0)
        close(etcd->descriptor);
    etcd->descriptor = -1;
}

/* ---- octets ---- */

static bool fail_socket(struct etcd_socket *etcd, int error, struct err *err)
{
    etcd->has_ended = true;
    if (error == ECONNRESET || error == EPIPE)
        etcd_connection_ended(etcd->connection, true, err);
    else
        err_set(err, ERR_SYSTEM, "%s; %s", strerror(error), remedy_for(error));
    return false;
}

static bool send_output(struct etcd_socket *etcd, struct err *err)
{
    struct octets output = etcd_connection_output(etcd->connection);
    ssize_t sent;

    while (output.length > 0) {
        sent = send(etcd->descriptor, output.start, output.length, MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN || errno == EINTR || fail_socket(etcd, errno, err);
        etcd_connection_sent(etcd->connection, (size_t)sent);
        output = etcd_connection_output(etcd->connection);
    }
    return true;
}

static bool receive(struct etcd_socket *etcd, struct err *err)
{
    uint8_t octets[RECEIVED_OCTETS];
    ssize_t length = recv(etcd->descriptor, octets, sizeof octets, 0);

    if (length < 0)
        return errno == EAGAIN || errno == EINTR || fail_socket(etcd, errno, err);
    if (length == 0) {
        etcd->has_ended = true;
        etcd_connection_ended(etcd->connection, false, err);
        return false;
    }
    if (etcd_connection_receive(etcd->connection, octets, (size_t)length, err))
        return true;
    struct err unused;
    etcd->has_ended = true;
    send_output(etcd, &unused); /* an alert, or why we end it */
    return false;
}

static bool wait_once(struct etcd_socket *etcd, uint64_t deadline_ns, struct err *err)
{
    bool has_output = etcd_connection_output(etcd->connection).length > 0;
    struct pollfd poller = {.fd = etcd->descriptor,
                            .events = (short)(POLLIN | (has_output ? POLLOUT : 0))};
    int ready = poll(&poller, 1, left_ms(deadline_ns));

    if (ready < 0 && errno != EINTR)
        return fail_socket(etcd, errno, err);
    if (ready == 0)
        return err_set(
            err, ERR_SYSTEM,
            "no reply in time; look at etcd's log, and whether a firewall drops packets");
    return (poller.revents & ~POLLOUT) == 0 || receive(etcd, err);
}

bool etcd_socket_wait(struct etcd_socket *etcd, const bool *is_done, uint64_t deadline_ns,
                      struct err *err)
{
    while (!*is_done)
        if (!send_output(etcd, err) || !wait_once(etcd, deadline_ns, err))
            return *is_done; /* the last octets may have had what is waited for */
    return true;
}
