#include "serve/udp_listener.h"

#include <stdlib.h>
#include <unistd.h>

#include "serve/socket.h"
#include "serve/udp.h"
#include "serve/udp_late.h"

struct udp_listener {
    struct listener listener; /* first member */
    struct udp udp;
    uv_loop_t *loop;
    struct udp_socket *sockets; /* linked by `next` */
};

static struct udp_listener *of(struct listener *listener)
{
    return (struct udp_listener *)(void *)listener;
}

int udp_listener_open(const struct endpoint *endpoint, const struct settings *settings,
                      struct err *err)
{
    return socket_open_udp(endpoint, settings->udp_buffer, err);
}

void udp_listener_tune(int descriptor, const struct endpoint *endpoint,
                       const struct settings *settings)
{
    socket_tune_udp(descriptor, endpoint, settings->udp_buffer);
}

static bool start(struct listener *listener, const struct endpoint *endpoint, int descriptor,
                  struct err *err)
{
    struct udp_listener *udp = of(listener);
    struct udp_socket *socket = malloc(sizeof *socket);

    if (socket == NULL) {
        close(descriptor);
        return listener_fail(err, "UDP socket", UV_ENOMEM);
    }
    int error = udp_socket_start(socket, &udp->udp, udp->loop, descriptor, endpoint);
    if (error != 0) {
        free(socket);
        return listener_fail(err, "UDP socket", error);
    }
    socket->next = udp->sockets;
    udp->sockets = socket;
    return true;
}

static void begin(struct listener *listener)
{
    for (struct udp_socket *each = of(listener)->sockets; each != NULL; each = each->next)
        udp_socket_begin(each);
}

static void request_interfaces(struct listener *listener)
{
    for (struct udp_socket *each = of(listener)->sockets; each != NULL; each = each->next)
        udp_socket_request_interfaces(each);
}

static void send_late(struct listener *listener)
{
    udp_late_send(&of(listener)->udp);
}

static void look(struct listener *listener)
{
    for (struct udp_socket *each = of(listener)->sockets; each != NULL; each = each->next)
        udp_socket_look(each);
}

static size_t hand_over(struct listener *listener, int channel)
{
    (void)channel;
    for (struct udp_socket *each = of(listener)->sockets; each != NULL; each = each->next)
        udp_socket_pause(each);
    return 0;
}

static void drain(struct listener *listener)
{
    for (struct udp_socket *each = of(listener)->sockets; each != NULL; each = each->next)
        udp_serve_all(each);
}

static void stop(struct listener *listener)
{
    for (struct udp_socket *each = of(listener)->sockets; each != NULL; each = each->next)
        udp_socket_stop(each);
}

static uint64_t dropped(const struct listener *listener)
{
    const struct udp_listener *udp = (const struct udp_listener *)(const void *)listener;
    uint64_t drops = 0;

    for (const struct udp_socket *each = udp->sockets; each != NULL; each = each->next)
        drops += udp_socket_drops(each);
    return drops;
}

static void free_all(struct listener *listener)
{
    struct udp_listener *udp = of(listener);
    struct udp_socket *next;

    for (struct udp_socket *each = udp->sockets; each != NULL; each = next) {
        next = each->next;
        free(each);
    }
    udp_close(&udp->udp);
    free(udp);
}

struct listener *udp_listener_new(const struct listener_options *options, struct err *err)
{
    struct udp_listener *udp = malloc(sizeof *udp);

    if (udp == NULL) {
        listener_fail(err, "UDP socket", UV_ENOMEM);
        return NULL;
    }
    *udp = (struct udp_listener){
        .listener = {.start = start,
                     .begin = begin,
                     .request_interfaces = request_interfaces,
                     .send_late = send_late,
                     .look = look,
                     .hand_over = hand_over,
                     .drain = drain,
                     .stop = stop,
                     .dropped = dropped,
                     .free = free_all},
        .loop = options->loop,
    };
    if (udp_init(&udp->udp, options->batch))
        return &udp->listener;
    listener_fail(err, "UDP socket", UV_ENOMEM);
    free(udp);
    return NULL;
}
