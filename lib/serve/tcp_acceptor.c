#include "serve/tcp_acceptor.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/socket.h"
#include "serve/tcp_connection.h"
#include "serve/tcp_places.h"

static uint32_t find_destination(const struct tcp_acceptor *acceptor, int descriptor)
{
    return acceptor->is_wildcard ? socket_find_own_address(descriptor) : acceptor->address;
}

/* Without descriptors: evicts a connection, or pauses the acceptor. */
static void free_a_descriptor(struct tcp_acceptor *acceptor)
{
    struct tcp *tcp = acceptor->tcp;

    stats_count(tcp->batch->stats, COUNTER_TCP_REFUSED, 1);
    tcp_answer_lone_queries(tcp);
    if (tcp_places_free_one(tcp))
        return;
    uv_poll_stop(&acceptor->poll);
    acceptor->next_paused = tcp->paused;
    tcp->paused = acceptor;
    tcp_start_ticking(tcp);
}

/* Accepts one connection. Returns false when there are no more, or no slot is free. */
static bool accept_one(struct tcp_acceptor *acceptor)
{
    struct endpoint client = {.v6 = {0}};
    socklen_t octets = sizeof client;

    if (TAILQ_EMPTY(&acceptor->tcp->free))
        return false;
    int descriptor =
        accept4(acceptor->descriptor, &client.any, &octets, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) {
        tcp_adopt(acceptor->tcp, descriptor, &client, find_destination(acceptor, descriptor));
        return true;
    }
    switch (errno) {
    case EAGAIN:
        return false;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        free_a_descriptor(acceptor);
        return false;
    default: /* errno: the connection died in the queue; try the next one */
        return true;
    }
}

static void tcp_acceptor_on_readable(uv_poll_t *poll, int status, int events)
{
    struct tcp_acceptor *acceptor = poll->data;

    (void)events;
    for (unsigned i = 0; i < TCP_ACCEPTS_MOST && accept_one(acceptor); i++)
        ;
    if (status < 0)
        uv_poll_start(poll, UV_READABLE, tcp_acceptor_on_readable);
}

void tcp_acceptor_resume_all(struct tcp *tcp)
{
    while (tcp->paused != NULL) {
        struct tcp_acceptor *acceptor = tcp->paused;
        tcp->paused = acceptor->next_paused;
        uv_poll_start(&acceptor->poll, UV_READABLE, tcp_acceptor_on_readable);
    }
}

int tcp_acceptor_start(struct tcp_acceptor *acceptor, struct tcp *tcp, int descriptor,
                       const struct endpoint *endpoint)
{
    bool is_ipv6 = endpoint->any.sa_family == AF_INET6;

    *acceptor = (struct tcp_acceptor){.tcp = tcp, .descriptor = descriptor};
    acceptor->address = is_ipv6 ? 0 : ntohl(endpoint->v4.sin_addr.s_addr);
    acceptor->is_wildcard = !is_ipv6 && acceptor->address == INADDR_ANY;
    int error = uv_poll_init(tcp->loop, &acceptor->poll, descriptor);
    if (error != 0) {
        close(descriptor);
        return error;
    }
    acceptor->poll.data = acceptor;
    return 0;
}

void tcp_acceptor_begin(struct tcp_acceptor *acceptor)
{
    int error = uv_poll_start(&acceptor->poll, UV_READABLE, tcp_acceptor_on_readable);

    assert(error == 0); /* nothing else on the loop has this descriptor */
}

static void acceptor_on_closed(uv_handle_t *handle)
{
    struct tcp_acceptor *acceptor = handle->data;

    close(acceptor->descriptor);
    acceptor->descriptor = -1;
}

void tcp_acceptor_accept_all(struct tcp_acceptor *acceptor)
{
    while (accept_one(acceptor))
        ;
}

void tcp_acceptor_stop(struct tcp_acceptor *acceptor)
{
    uv_close((uv_handle_t *)&acceptor->poll, acceptor_on_closed);
}

void tcp_acceptor_pause(struct tcp_acceptor *acceptor)
{
    acceptor->tcp->paused = NULL; /* for good */
    uv_poll_stop(&acceptor->poll);
}
