#include "spacednsd/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "control/socket_path.h"
#include "serve/socket.h"

enum { BACKLOG = 128 };

static const char setting[] = "http_listen";

/* ---- sockets ---- */

static bool is_bound_to(int descriptor, const struct http_address *address)
{
    struct endpoint endpoint = {.v6 = {0}};
    struct sockaddr_un path;
    socklen_t octets = sizeof endpoint;

    if (address->path != NULL)
        return socket_path_read(descriptor, &path) && strcmp(path.sun_path, address->path) == 0;
    return getsockname(descriptor, &endpoint.any, &octets) == 0 &&
           endpoint.any.sa_family != AF_UNIX && endpoint_equals(&endpoint, &address->endpoint);
}

/* The socket of the server before; -1: it has none of this address. */
static int take_inherited(const struct web_options *options, const struct http_address *address)
{
    for (size_t i = 0; i < options->inherited_count; i++) {
        int descriptor = options->inherited[i];
        if (descriptor < 0 || !is_bound_to(descriptor, address))
            continue;
        options->inherited[i] = -1;
        return descriptor;
    }
    return -1;
}

static int bind_path(const char *path, struct err *err)
{
    int descriptor = socket_path_bind(setting, path, WEB_SOCKET_MODE, err);

    if (descriptor < 0 || listen(descriptor, BACKLOG) == 0)
        return descriptor;
    err_set(err, ERR_SYSTEM, "http_listen: cannot listen on %s", path);
    close(descriptor);
    return -1;
}

static int bind_address(const struct http_address *address, struct err *err)
{
    struct err cause;

    if (address->path != NULL)
        return bind_path(address->path, err);
    int descriptor = socket_probe_tcp(&address->endpoint, &cause)
                         ? socket_open_tcp(&address->endpoint, &cause)
                         : -1;
    if (descriptor < 0)
        err_set(err, ERR_SYSTEM, "%s: %s", setting, cause.text);
    return descriptor;
}

/* Returns false with *err; a path is remembered, to be removed at the end. */
static bool add_listener(struct web *web, const struct web_options *options,
                         const struct http_address *address,
                         struct http_listener listeners[HTTP_LISTENERS_MOST], struct err *err)
{
    int descriptor = take_inherited(options, address);

    if (descriptor < 0)
        descriptor = bind_address(address, err);
    if (descriptor < 0)
        return false;
    web->paths[web->count] = address->path == NULL ? NULL : strdup(address->path);
    listeners[web->count++] =
        (struct http_listener){.descriptor = descriptor, .is_unix = address->path != NULL};
    return true;
}

static void remove_paths(struct web *web)
{
    for (size_t i = 0; i < HTTP_LISTENERS_MOST; i++) {
        if (web->paths[i] != NULL)
            unlink(web->paths[i]);
        free(web->paths[i]);
        web->paths[i] = NULL;
    }
}

/* What the settings leave to us is no reason not to start. */
static bool give_up(struct web *web, const struct web_options *options,
                    const struct http_listener *listeners, const struct err *err)
{
    for (size_t i = 0; i < web->count; i++)
        close(listeners[i].descriptor);
    remove_paths(web);
    web->count = 0;
    if (!options->settings->http_listen.is_initial)
        return false;
    log_sentence(LOG_WARNING, "http_failed", err->text);
    return true;
}

static bool open_http(struct web *web, const struct web_options *options,
                      const struct http_listener *listeners, struct err *err)
{
    const struct http_owner owner = {.token = options->settings->http_token,
                                     .on_request = api_on_request,
                                     .on_status = api_on_status,
                                     .on_end = api_on_end,
                                     .is_public = api_is_public,
                                     .context = &web->api};

    web->http = http_open(options->loop, listeners, web->count, &owner, err);
    if (web->http != NULL)
        return true;
    web->count = 0;
    remove_paths(web);
    return false;
}

void web_init(struct web *web)
{
    *web = (struct web){.process = {.memory = -1, .folder = -1}};
}

bool web_open(struct web *web, const struct web_options *options, struct err *err)
{
    const struct http_addresses *list = &options->settings->http_listen;
    struct http_listener listeners[HTTP_LISTENERS_MOST] = {0};

    web->api = (struct api){.source = options->source,
                            .inspection = options->inspection,
                            .server = options->server,
                            .is_ready = options->is_ready,
                            .process = &web->process};
    if (list->count == 0 || (list->is_initial && http_library() == NULL))
        return true;
    for (size_t i = 0; i < list->count; i++)
        if (!add_listener(web, options, &list->items[i], listeners, err))
            return give_up(web, options, listeners, err);
    process_open(&web->process);
    if (!open_http(web, options, listeners, err))
        return false;
    api_start(&web->api, options->loop);
    return true;
}

static void log_ready(const struct http_address *address)
{
    char text[HTTP_ADDRESS_OCTETS];
    struct log_line line;

    http_address_write(address, text);
    log_start(&line, LOG_INFO, "http_ready");
    log_string(&line, "address", text);
    log_send(&line);
}

void web_start(struct web *web)
{
    if (web->http == NULL)
        return;
    http_start(web->http);
    for (size_t i = 0; i < web->api.source->settings->http_listen.count; i++)
        log_ready(&web->api.source->settings->http_listen.items[i]);
}

void web_send_lines(struct web *web)
{
    api_send_lines(&web->api);
}

void web_walk_sockets(const struct web *web, web_on_socket *on_socket, void *context)
{
    for (size_t i = 0; i < web->count; i++)
        on_socket(context, http_descriptor(web->http, i));
}

void web_hand_over(struct web *web)
{
    for (size_t i = 0; i < HTTP_LISTENERS_MOST; i++) {
        free(web->paths[i]);
        web->paths[i] = NULL;
    }
}

void web_close(struct web *web)
{
    http_close(web->http);
    api_stop(&web->api);
    web->http = NULL;
    web->count = 0;
    remove_paths(web);
    process_close(&web->process);
}
