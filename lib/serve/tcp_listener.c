#include "serve/tcp_listener.h"

#include <stdlib.h>
#include <unistd.h>

#include "serve/socket.h"
#include "serve/tcp_acceptor.h"

enum { OUTSIDERS_PART = 8 }; /* one eighth of the connections is for outsiders */

struct tcp_listener {
    struct listener listener; /* first member */
    struct tcp tcp;
    struct tcp_acceptor *acceptors; /* linked by `next` */
};

static struct tcp_listener *of(struct listener *listener)
{
    return (struct tcp_listener *)(void *)listener;
}

int tcp_listener_open(const struct endpoint *endpoint, const struct settings *settings,
                      struct err *err)
{
    (void)settings;
    return socket_open_tcp(endpoint, err);
}

void tcp_listener_tune(int descriptor, const struct endpoint *endpoint,
                       const struct settings *settings)
{
    (void)endpoint;
    (void)settings;
    socket_tune_tcp(descriptor);
}

static bool start(struct listener *listener, const struct endpoint *endpoint, int descriptor,
                  struct err *err)
{
    struct tcp_listener *tcp = of(listener);
    struct tcp_acceptor *acceptor = malloc(sizeof *acceptor);

    if (acceptor == NULL) {
        close(descriptor);
        return listener_fail(err, "TCP socket", UV_ENOMEM);
    }
    int error = tcp_acceptor_start(acceptor, &tcp->tcp, descriptor, endpoint);
    if (error != 0) {
        free(acceptor);
        return listener_fail(err, "TCP socket", error);
    }
    acceptor->next = tcp->acceptors;
    tcp->acceptors = acceptor;
    return true;
}

static void begin(struct listener *listener)
{
    for (struct tcp_acceptor *each = of(listener)->acceptors; each != NULL; each = each->next)
        tcp_acceptor_begin(each);
}

static size_t hand_over(struct listener *listener, int channel)
{
    struct tcp_listener *tcp = of(listener);

    for (struct tcp_acceptor *each = tcp->acceptors; each != NULL; each = each->next)
        tcp_acceptor_pause(each);
    return tcp_hand_over(&tcp->tcp, channel);
}

static void take_over(struct listener *listener, int descriptor)
{
    tcp_take_over(&of(listener)->tcp, descriptor);
}

/* Requests on connections are read when these stop. */
static void drain(struct listener *listener)
{
    for (struct tcp_acceptor *each = of(listener)->acceptors; each != NULL; each = each->next)
        tcp_acceptor_accept_all(each);
}

static void stop(struct listener *listener)
{
    struct tcp_listener *tcp = of(listener);

    for (struct tcp_acceptor *each = tcp->acceptors; each != NULL; each = each->next)
        tcp_acceptor_stop(each);
    tcp_stop(&tcp->tcp);
}

/* The kernel lets clients wait for a connection. */
static uint64_t dropped(const struct listener *listener)
{
    (void)listener;
    return 0;
}

static void free_all(struct listener *listener)
{
    struct tcp_listener *tcp = of(listener);
    struct tcp_acceptor *next;

    for (struct tcp_acceptor *each = tcp->acceptors; each != NULL; each = next) {
        next = each->next;
        free(each);
    }
    tcp_close(&tcp->tcp);
    free(tcp);
}

static struct tcp_limits limits_of(const struct settings *settings)
{
    uint32_t connections = settings->tcp_connections;

    if (settings->tcp_sockets > 0 && settings->tcp_sockets < connections)
        connections = settings->tcp_sockets;
    uint32_t of_outsiders = connections / OUTSIDERS_PART;
    if (of_outsiders == 0 && connections > 1)
        of_outsiders = 1;
    return (struct tcp_limits){.connections = {connections - of_outsiders, of_outsiders},
                               .per_client = settings->tcp_per_client,
                               .idle_ms = settings->tcp_idle_ms};
}

struct listener *tcp_listener_new(const struct listener_options *options, struct err *err)
{
    const struct tcp_limits limits = limits_of(options->settings);
    struct tcp_listener *tcp = malloc(sizeof *tcp);

    if (tcp == NULL) {
        listener_fail(err, "TCP socket", UV_ENOMEM);
        return NULL;
    }
    tcp->listener = (struct listener){.start = start,
                                      .begin = begin,
                                      .hand_over = hand_over,
                                      .take_over = take_over,
                                      .drain = drain,
                                      .stop = stop,
                                      .dropped = dropped,
                                      .free = free_all};
    tcp->acceptors = NULL;
    if (tcp_init(&tcp->tcp, options->loop, options->batch, &limits, err))
        return &tcp->listener;
    free(tcp);
    return NULL;
}
