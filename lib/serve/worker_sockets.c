#include "serve/worker_sockets.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "serve/xdp_listener.h"

/* Notes a socket and gives it to the listener. */
static bool add_socket(struct worker_sockets *sockets, enum listen_scheme scheme,
                       const struct endpoint *endpoint, int descriptor, struct err *err)
{
    struct worker_socket *items = reallocarray(sockets->items, sockets->count + 1, sizeof *items);

    if (items == NULL) {
        close(descriptor);
        return err_set(err, ERR_MEMORY, "out of memory for a worker; start fewer workers");
    }
    sockets->items = items;
    if (!sockets->listeners[scheme]->start(sockets->listeners[scheme], endpoint, descriptor, err))
        return false;
    items[sockets->count++] = (struct worker_socket){.scheme = scheme, .descriptor = descriptor};
    return true;
}

/* Adds the inherited sockets of an address. Returns false with *err; *has_any tells if any was. */
static bool add_inherited(struct worker_sockets *sockets, enum listen_scheme scheme,
                          const struct endpoint *endpoint, const struct worker_options *options,
                          bool *has_any, struct err *err)
{
    int descriptor;

    *has_any = false;
    while (options->inherited != NULL &&
           (descriptor = inherited_take(options->inherited, scheme, endpoint, options->number,
                                        options->settings->workers)) >= 0) {
        *has_any = true;
        listener_kinds[scheme].tune(descriptor, endpoint, options->settings);
        if (!add_socket(sockets, scheme, endpoint, descriptor, err))
            return false;
    }
    return true;
}

/*
 * Listens on one address. Beside an inherited socket another user's process may not bind; then the
 * other workers serve the address alone.
 */
static bool listen_on(struct worker_sockets *sockets, enum listen_scheme scheme,
                      const struct endpoint *endpoint, const struct worker_options *options,
                      struct err *err)
{
    bool has_any;

    if (!add_inherited(sockets, scheme, endpoint, options, &has_any, err))
        return false;
    if (has_any)
        return true;
    int descriptor = listener_kinds[scheme].open(endpoint, options->settings, err);
    if (descriptor >= 0)
        return add_socket(sockets, scheme, endpoint, descriptor, err);
    if (options->inherited == NULL || !inherited_has(options->inherited, scheme, endpoint))
        return false;
    log_sentence(LOG_WARNING, "worker_without_socket", err->text);
    return true;
}

/* Makes the listener of a scheme, and listens on the addresses that have it. */
static bool start_listener(struct worker_sockets *sockets, enum listen_scheme scheme,
                           const struct listener_options *own, const struct worker_options *options,
                           struct err *err)
{
    const struct listen_addresses *listen = &options->settings->listen;

    for (size_t i = 0; i < listen->count; i++) {
        const struct listen_address *address = &listen->items[i];
        if (!listen_address_has(address, scheme))
            continue;
        if (sockets->listeners[scheme] == NULL)
            sockets->listeners[scheme] = listener_kinds[scheme].new(own, err);
        if (sockets->listeners[scheme] == NULL ||
            !listen_on(sockets, scheme, &address->endpoint, options, err))
            return false;
    }
    return true;
}

bool worker_sockets_start(struct worker_sockets *sockets, const struct listener_options *own,
                          const struct worker_options *options, struct err *err)
{
    sockets->worker = options->number;
    for (unsigned scheme = 0; scheme < LISTEN_SCHEMES; scheme++)
        if (!start_listener(sockets, scheme, own, options, err))
            return false;
    sockets->listeners[LISTENER_XDP] = xdp_listener_new(own, options);
    return true;
}

bool worker_sockets_start_probe(struct worker_sockets *sockets, const struct listener_options *own,
                                struct err *err)
{
    struct endpoint *endpoint = &sockets->probe_endpoint;
    socklen_t octets = sizeof *endpoint;

    endpoint->v4 =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = listener_kinds[LISTEN_UDP].open(endpoint, own->settings, err);
    if (descriptor < 0)
        return false;
    getsockname(descriptor, &endpoint->any, &octets);
    sockets->probe = listener_kinds[LISTEN_UDP].new(own, err);
    if (sockets->probe == NULL) {
        close(descriptor);
        return false;
    }
    if (!sockets->probe->start(sockets->probe, endpoint, descriptor, err))
        return false;
    sockets->probe->begin(sockets->probe);
    return true;
}

/* ---- on the worker's thread, once it runs ---- */

static void stop_probe(struct worker_sockets *sockets)
{
    if (sockets->probe != NULL && !sockets->is_serving)
        sockets->probe->stop(sockets->probe);
}

void worker_sockets_begin(struct worker_sockets *sockets)
{
    if (sockets->is_serving)
        return;
    stop_probe(sockets);
    sockets->is_serving = true;
    for (unsigned scheme = 0; scheme < LISTENERS; scheme++)
        if (sockets->listeners[scheme] != NULL)
            sockets->listeners[scheme]->begin(sockets->listeners[scheme]);
}

void worker_sockets_request_interfaces(struct worker_sockets *sockets)
{
    for (unsigned scheme = 0; scheme < LISTENERS; scheme++) {
        struct listener *listener = sockets->listeners[scheme];
        if (listener != NULL && listener->request_interfaces != NULL)
            listener->request_interfaces(listener);
    }
}

void worker_sockets_send_late(struct worker_sockets *sockets)
{
    for (unsigned scheme = 0; scheme < LISTENERS; scheme++) {
        struct listener *listener = sockets->listeners[scheme];
        if (listener != NULL && listener->send_late != NULL)
            listener->send_late(listener);
    }
    if (sockets->probe != NULL && !sockets->is_serving)
        sockets->probe->send_late(sockets->probe);
}

void worker_sockets_look(struct worker_sockets *sockets)
{
    for (unsigned scheme = 0; sockets->is_serving && scheme < LISTEN_SCHEMES; scheme++) {
        struct listener *listener = sockets->listeners[scheme];
        if (listener != NULL && listener->look != NULL)
            listener->look(listener);
    }
}

void worker_sockets_drain(struct worker_sockets *sockets)
{
    for (unsigned scheme = 0; sockets->is_serving && scheme < LISTENERS; scheme++)
        if (sockets->listeners[scheme] != NULL)
            sockets->listeners[scheme]->drain(sockets->listeners[scheme]);
}

size_t worker_sockets_hand_over(struct worker_sockets *sockets, int channel)
{
    size_t left = 0;

    for (unsigned scheme = 0; scheme < LISTENERS; scheme++)
        if (sockets->listeners[scheme] != NULL)
            left += sockets->listeners[scheme]->hand_over(sockets->listeners[scheme], channel);
    return left;
}

void worker_sockets_stop(struct worker_sockets *sockets)
{
    for (unsigned scheme = 0; scheme < LISTENERS; scheme++)
        if (sockets->listeners[scheme] != NULL)
            sockets->listeners[scheme]->stop(sockets->listeners[scheme]);
    stop_probe(sockets);
}

/* ---- on the control thread ---- */

void worker_sockets_walk(const struct worker_sockets *sockets, worker_on_socket *on_socket,
                         void *context)
{
    for (size_t i = 0; i < sockets->count; i++)
        on_socket(context, sockets->items[i].scheme, sockets->worker, sockets->items[i].descriptor);
}

uint64_t worker_sockets_dropped(const struct worker_sockets *sockets)
{
    uint64_t drops = 0;

    for (unsigned scheme = 0; scheme < LISTENERS; scheme++)
        if (sockets->listeners[scheme] != NULL)
            drops += sockets->listeners[scheme]->dropped(sockets->listeners[scheme]);
    return drops;
}

void worker_sockets_add_frames(const struct worker_sockets *sockets, struct xsk_statistics *sum)
{
    if (sockets->listeners[LISTENER_XDP] != NULL)
        xdp_listener_add_statistics(sockets->listeners[LISTENER_XDP], sum);
}

void worker_sockets_free(struct worker_sockets *sockets)
{
    for (unsigned scheme = 0; scheme < LISTENERS; scheme++)
        if (sockets->listeners[scheme] != NULL)
            sockets->listeners[scheme]->free(sockets->listeners[scheme]);
    if (sockets->probe != NULL)
        sockets->probe->free(sockets->probe);
    free(sockets->items);
}
