#include "upstream/datagrams.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "config/port_range.h"

enum {
    PORT_TRIES_MOST = 8,
    PORT_LAST = 65535,
    DRAWS = 1000,       /* for an estimate */
    DISCARDED_MOST = 8, /* datagrams; a socket with more is closed */
};

/* ---- Opening and closing ---- */

static void shut(struct datagrams *datagrams, struct datagram_socket *socket)
{
    close(socket->descriptor); /* that takes it out of epoll, too */
    socket->descriptor = -1;
    assert(datagrams->open_count > 0);
    datagrams->open_count--;
    TAILQ_INSERT_HEAD(&datagrams->closed, socket, link);
}

static void remove_spare(struct datagrams *datagrams, struct datagram_socket *socket)
{
    size_t *count = &datagrams->spare_count[socket->is_ipv6];
    size_t *least = &datagrams->spare_least[socket->is_ipv6];

    TAILQ_REMOVE(&datagrams->spare[socket->is_ipv6], socket, link);
    assert(*count > 0);
    --*count;
    if (*count < *least)
        *least = *count;
}

static struct datagram_socket *take_spare(struct datagrams *datagrams, bool is_ipv6)
{
    struct datagram_socket *socket = TAILQ_FIRST(&datagrams->spare[is_ipv6]);

    if (socket == NULL)
        return NULL;
    remove_spare(datagrams, socket);
    return socket;
}

/* Closes a spare socket. Returns false when there is none. */
static bool shut_spare(struct datagrams *datagrams)
{
    struct datagram_socket *socket = take_spare(datagrams, datagrams->spare_count[1] > 0);

    if (socket == NULL)
        return false;
    shut(datagrams, socket);
    return true;
}

/* A process without descriptors may still have spare sockets, of the other family. */
static int open_descriptor(struct datagrams *datagrams, sa_family_t family)
{
    const int kind = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int descriptor = socket(family, kind, 0);

    if (descriptor >= 0 || (errno != EMFILE && errno != ENFILE) || !shut_spare(datagrams))
        return descriptor;
    return socket(family, kind, 0);
}

/* Opens a socket and has it watched. Returns NULL with errno. */
static struct datagram_socket *open_socket(struct datagrams *datagrams, sa_family_t family)
{
    if ((datagrams->open_count == datagrams->open_most || TAILQ_EMPTY(&datagrams->closed)) &&
        !shut_spare(datagrams)) {
        errno = EMFILE;
        return NULL;
    }
    int descriptor = open_descriptor(datagrams, family);
    if (descriptor < 0)
        return NULL;
    struct datagram_socket *opened = TAILQ_FIRST(&datagrams->closed);
    struct epoll_event event = {.events = EPOLLIN,
                                .data.u64 = (uint64_t)(opened - datagrams->sockets)};
    opened->descriptor = descriptor;
    opened->is_ipv6 = family == AF_INET6;
    TAILQ_REMOVE(&datagrams->closed, opened, link);
    datagrams->open_count++;
    if (epoll_ctl(datagrams->epoll, EPOLL_CTL_ADD, descriptor, &event) == 0)
        return opened;
    int error = errno;
    shut(datagrams, opened);
    errno = error;
    return NULL;
}

/* ---- Using a socket again ---- */

/* Returns false when there is too much to discard. */
static bool discard_all(const struct datagram_socket *socket)
{
    uint8_t octet; /* the rest of a datagram is discarded with it */

    for (unsigned reads = 0; reads < DISCARDED_MOST; reads++)
        if (recv(socket->descriptor, &octet, sizeof octet, 0) < 0 && errno == EAGAIN)
            return true;
    return false;
}

/* Returns NULL with errno. Bounded by the spare sockets. */
static struct datagram_socket *take_socket(struct datagrams *datagrams, sa_family_t family)
{
    struct datagram_socket *socket;

    while ((socket = take_spare(datagrams, family == AF_INET6)) != NULL) {
        if (discard_all(socket))
            return socket;
        shut(datagrams, socket);
    }
    return open_socket(datagrams, family);
}

/* Takes the port away. */
static bool disconnect(const struct datagram_socket *socket)
{
    static const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

    return connect(socket->descriptor, &nobody, sizeof nobody) == 0;
}

/* ---- Queries ---- */

static bool bind_to_random_port(const struct datagrams *datagrams,
                                const struct datagram_socket *socket)
{
    struct endpoint own = {.v6 = {0}};

    own.any.sa_family = socket->is_ipv6 ? AF_INET6 : AF_INET;
    for (unsigned tries = 0; tries < PORT_TRIES_MOST; tries++) {
        uint32_t drawn;
        random_fill(datagrams->random, &drawn, sizeof drawn);
        endpoint_set_port(&own, (uint16_t)(PORT_RANGE_ANY_FIRST +
                                           ((uint64_t)drawn * PORT_RANGE_ANY_COUNT >> 32)));
        if (bind(socket->descriptor, &own.any, endpoint_octets(&own)) == 0)
            return true;
        if (errno != EADDRINUSE && errno != EACCES)
            return false;
    }
    return false;
}

struct datagram_socket *datagrams_send(struct datagrams *datagrams, const struct endpoint *server,
                                       const struct link_query *query)
{
    struct datagram_socket *socket = take_socket(datagrams, server->any.sa_family);

    if (socket == NULL)
        return NULL;
    socket->ticket = query->ticket;
    socket->received = 0;
    socket->is_in_use = true;
    if ((!datagrams->uses_any_port || bind_to_random_port(datagrams, socket)) &&
        connect(socket->descriptor, &server->any, endpoint_octets(server)) == 0 &&
        send(socket->descriptor, query->octets, query->length, MSG_NOSIGNAL) >= 0)
        return socket;
    int error = errno;
    datagrams_release(datagrams, socket);
    errno = error;
    return NULL;
}

ssize_t datagrams_receive(struct datagram_socket *socket, uint8_t *octets, size_t most)
{
    ssize_t length = recv(socket->descriptor, octets, most, 0);

    if (length >= 0 && socket->received < 2)
        socket->received++;
    return length;
}

void datagrams_release(struct datagrams *datagrams, struct datagram_socket *socket)
{
    assert(socket->is_in_use);
    socket->is_in_use = false;
    if (datagrams->uses_any_port || socket->received != 1 ||
        datagrams->spare_count[socket->is_ipv6] == DATAGRAMS_SPARE_MOST || !disconnect(socket)) {
        shut(datagrams, socket);
        return;
    }
    TAILQ_INSERT_TAIL(&datagrams->spare[socket->is_ipv6], socket, link);
    datagrams->spare_count[socket->is_ipv6]++;
}

void datagrams_discard(struct datagrams *datagrams, struct datagram_socket *socket)
{
    if (socket->is_in_use || socket->descriptor < 0 || discard_all(socket))
        return;
    remove_spare(datagrams, socket);
    shut(datagrams, socket);
}

bool datagrams_may_be_trimmed(const struct datagrams *datagrams)
{
    return datagrams->spare_count[0] > DATAGRAMS_SPARE_KEPT ||
           datagrams->spare_count[1] > DATAGRAMS_SPARE_KEPT;
}

void datagrams_trim(struct datagrams *datagrams)
{
    for (unsigned family = 0; family < 2; family++) {
        size_t least = datagrams->spare_least[family];
        size_t unneeded = least > DATAGRAMS_SPARE_KEPT ? least - DATAGRAMS_SPARE_KEPT : 0;
        for (size_t i = 0; i < unneeded && i < DATAGRAMS_TRIMMED_MOST; i++)
            shut(datagrams, take_spare(datagrams, family == 1));
        datagrams->spare_least[family] = datagrams->spare_count[family];
    }
}

size_t datagrams_make_room(struct datagrams *datagrams, size_t wanted)
{
    while (datagrams->open_most - datagrams->open_count < wanted && shut_spare(datagrams))
        ;
    return datagrams->open_most - datagrams->open_count;
}

/* ---- The range of ports ---- */

/* Has the kernel draw a port; 0: there is none. */
static unsigned draw_port(void)
{
    struct endpoint own = {.v4 = {.sin_family = AF_INET}};
    socklen_t octets = sizeof own.v4;
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (descriptor < 0)
        return 0;
    bool is_drawn =
        bind(descriptor, &own.any, octets) == 0 && getsockname(descriptor, &own.any, &octets) == 0;
    close(descriptor);
    return is_drawn ? endpoint_port(&own) : 0;
}

/* From the least to the greatest of n draws it is (n - 1) / (n + 1) of the range, on average. */
uint32_t datagrams_estimate_ports(void)
{
    uint32_t least = PORT_LAST, greatest = 0;

    for (unsigned i = 0; i < DRAWS; i++) {
        unsigned port = draw_port();
        if (port == 0)
            return 0;
        least = port < least ? port : least;
        greatest = port > greatest ? port : greatest;
    }
    return (greatest - least) * (DRAWS + 1) / (DRAWS - 1) + 1;
}

/* ---- Life ---- */

bool datagrams_init(struct datagrams *datagrams, const struct datagrams_options *options)
{
    *datagrams = (struct datagrams){.count = options->attempts,
                                    .open_most = options->open_most,
                                    .uses_any_port = options->uses_any_port,
                                    .epoll = -1,
                                    .random = options->random};
    TAILQ_INIT(&datagrams->closed);
    TAILQ_INIT(&datagrams->spare[0]);
    TAILQ_INIT(&datagrams->spare[1]);
    datagrams->sockets = calloc(options->attempts, sizeof *datagrams->sockets);
    for (size_t i = 0; i < options->attempts && datagrams->sockets != NULL; i++) {
        datagrams->sockets[i].descriptor = -1;
        TAILQ_INSERT_TAIL(&datagrams->closed, &datagrams->sockets[i], link);
    }
    return datagrams->sockets != NULL;
}

void datagrams_close(struct datagrams *datagrams)
{
    for (size_t i = 0; i < datagrams->count && datagrams->sockets != NULL; i++)
        if (datagrams->sockets[i].descriptor >= 0)
            close(datagrams->sockets[i].descriptor);
    free(datagrams->sockets);
    *datagrams = (struct datagrams){.count = 0};
}
