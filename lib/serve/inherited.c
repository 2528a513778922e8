#include "serve/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CAPACITY_FIRST = 16, WORKERS_NAMED_MOST = 65536 };

static const char *const scheme_names[LISTEN_SCHEMES] = {
    [LISTEN_UDP] = "udp",
    [LISTEN_TCP] = "tcp",
};

void inherited_write_name(enum listen_scheme scheme, size_t worker,
                          char name[INHERITED_NAME_OCTETS])
{
    snprintf(name, INHERITED_NAME_OCTETS, "%s.%zu", scheme_names[scheme], worker);
}

/* The worker of a name that a server gave; 0 for any other name. */
static size_t read_worker(const char *name, enum listen_scheme scheme)
{
    size_t length = strlen(scheme_names[scheme]);
    size_t worker;
    char end;

    if (strncmp(name, scheme_names[scheme], length) != 0 || name[length] != '.' ||
        sscanf(name + length, ".%5zu%c", &worker, &end) != 1)
        return 0;
    return worker < WORKERS_NAMED_MOST ? worker : 0;
}

static int read_option(int descriptor, int level, int option)
{
    int value = -1;
    socklen_t octets = sizeof value;

    return getsockopt(descriptor, level, option, &value, &octets) == 0 ? value : -1;
}

static bool refuse(struct err *err, const char *name, const char *why)
{
    return err_set(err, ERR_SYSTEM, "the inherited descriptor %s %s", name, why);
}

/* Reads scheme and address. Returns false with *err. */
static bool examine(const char *name, int descriptor, struct inherited_socket *found,
                    struct err *err)
{
    socklen_t octets = sizeof found->endpoint;
    int type = read_option(descriptor, SOL_SOCKET, SO_TYPE);

    found->endpoint = (struct endpoint){.v6 = {0}};
    if (type < 0 || getsockname(descriptor, &found->endpoint.any, &octets) != 0)
        return refuse(err, name, "is not a socket; take it out of the socket unit");
    if (found->endpoint.any.sa_family != AF_INET && found->endpoint.any.sa_family != AF_INET6)
        return refuse(err, name,
                      "is neither an IPv4 nor an IPv6 socket; use ListenDatagram=ADDRESS:PORT and "
                      "ListenStream=ADDRESS:PORT");
    if (type == SOCK_STREAM && read_option(descriptor, SOL_SOCKET, SO_ACCEPTCONN) != 1)
        return refuse(err, name, "is a connection, not a listener; use Accept=no");
    if (type != SOCK_STREAM && type != SOCK_DGRAM)
        return refuse(err, name, "is neither UDP nor TCP; use ListenDatagram= and ListenStream=");
    if (found->endpoint.any.sa_family == AF_INET6 &&
        read_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY) != 1)
        return refuse(err, name,
                      "is an IPv6 socket that takes IPv4, too; use BindIPv6Only=ipv6-only");
    found->scheme = type == SOCK_DGRAM ? LISTEN_UDP : LISTEN_TCP;
    found->worker = read_worker(name, found->scheme);
    return true;
}

static bool grow(struct inherited *inherited)
{
    size_t capacity = inherited->capacity == 0 ? CAPACITY_FIRST : 2 * inherited->capacity;
    struct inherited_socket *items;

    if (inherited->count < inherited->capacity)
        return true;
    items = reallocarray(inherited->items, capacity, sizeof *items);
    if (items == NULL)
        return false;
    inherited->items = items;
    inherited->capacity = capacity;
    return true;
}

bool inherited_add(struct inherited *inherited, const char *name, int descriptor, struct err *err)
{
    struct inherited_socket found = {.descriptor = descriptor};
    bool passed = examine(name, descriptor, &found, err) &&
                  (grow(inherited) || err_set(err, ERR_MEMORY, "out of memory for sockets"));

    if (!passed) {
        close(descriptor);
        return false;
    }
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
    snprintf(found.name, sizeof found.name, "%s", name);
    inherited->items[inherited->count++] = found;
    return true;
}

static bool is_for(const struct inherited_socket *socket, enum listen_scheme scheme,
                   const struct endpoint *endpoint)
{
    return socket->scheme == scheme && endpoint_equals(&socket->endpoint, endpoint);
}

bool inherited_has(const struct inherited *inherited, enum listen_scheme scheme,
                   const struct endpoint *endpoint)
{
    for (size_t i = 0; i < inherited->count; i++)
        if (is_for(&inherited->items[i], scheme, endpoint))
            return true;
    return false;
}

int inherited_take(struct inherited *inherited, enum listen_scheme scheme,
                   const struct endpoint *endpoint, size_t worker, size_t workers)
{
    for (size_t i = 0; i < inherited->count; i++) {
        struct inherited_socket *each = &inherited->items[i];
        int descriptor = each->descriptor;
        if (descriptor < 0 || each->worker % workers != worker || !is_for(each, scheme, endpoint))
            continue;
        each->descriptor = -1;
        return descriptor;
    }
    return -1;
}

const struct inherited_socket *inherited_next_left(const struct inherited *inherited,
                                                   const struct inherited_socket *after)
{
    for (size_t i = after == NULL ? 0 : (size_t)(after - inherited->items) + 1;
         i < inherited->count; i++)
        if (inherited->items[i].descriptor >= 0)
            return &inherited->items[i];
    return NULL;
}

void inherited_close(struct inherited *inherited)
{
    for (size_t i = 0; i < inherited->count; i++)
        if (inherited->items[i].descriptor >= 0)
            close(inherited->items[i].descriptor);
    free(inherited->items);
    *inherited = (struct inherited){.items = NULL};
}
