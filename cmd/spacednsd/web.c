#include "spacednsd/web.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "control/socket_path.h"
#include "serve/socket.h"
#include "spacednsd/status.h"

enum { BACKLOG = 128 };

static const char setting[] = "http_listen";
static const char text_type[] = "text/plain; charset=utf-8";

/* ---- paths ---- */

enum path_name {
#define PATH(symbol, path, help) PATH_##symbol,
#include "spacednsd/paths.def"
#undef PATH
    PATH_COUNT
};

static const struct {
    const char *path;
    const char *help;
} paths[PATH_COUNT] = {
#define PATH(symbol, path, help) [PATH_##symbol] = {path, help},
#include "spacednsd/paths.def"
#undef PATH
};

static enum path_name find_path(const char *path)
{
    unsigned name = 0;

    while (name < PATH_COUNT && strcmp(paths[name].path, path) != 0)
        name++;
    return (enum path_name)name;
}

/* ---- responses ---- */

/* In the order in which they are counted. */
static const struct {
    enum http_status status;
    const char *code;
} statuses[WEB_STATUSES] = {
    {HTTP_OK, "200"},          {HTTP_BAD_REQUEST, "400"}, {HTTP_UNAUTHORIZED, "401"},
    {HTTP_NOT_FOUND, "404"},   {HTTP_BAD_METHOD, "405"},  {HTTP_MISDIRECTED, "421"},
    {HTTP_UNAVAILABLE, "503"},
};

static void web_on_status(void *context, enum http_status status)
{
    struct web *web = context;
    size_t i = 0;

    while (statuses[i].status != status)
        i++;
    web->counts[i]++;
}

/* A text that is printed, and sent when it is finished. */
struct page {
    FILE *out; /* NULL: no memory */
    char *text;
    size_t length;
};

static void page_begin(struct page *page)
{
    *page = (struct page){.text = NULL};
    page->out = open_memstream(&page->text, &page->length);
}

/* Without memory it becomes an error. */
static void page_send(struct page *page, struct http_request *request, enum http_status status,
                      const char *type)
{
    static const char sorry[] = "out of memory\n";
    bool is_whole = page->out != NULL && fclose(page->out) == 0;

    http_respond(request, &(struct http_response){
                              .status = is_whole ? status : HTTP_UNAVAILABLE,
                              .type = is_whole ? type : text_type,
                              .text = is_whole ? page->text : sorry,
                              .length = is_whole ? page->length : strlen(sorry),
                          });
    free(page->text);
}

static void send_sentence(struct http_request *request, enum http_status status,
                          const char *sentence)
{
    http_respond(request, &(struct http_response){.status = status,
                                                  .type = text_type,
                                                  .text = sentence,
                                                  .length = strlen(sentence)});
}

/* ---- what needs no report ---- */

static void send_index(struct http_request *request)
{
    struct page page;

    page_begin(&page);
    for (unsigned i = 0; page.out != NULL && i < PATH_COUNT; i++)
        fprintf(page.out, "%-15s %s\n", paths[i].path, paths[i].help);
    page_send(&page, request, HTTP_OK, text_type);
}

static void print_last_good(const struct last_good *last_good, FILE *out)
{
    for (size_t i = 0; i < last_good->count; i++) {
        const struct load_last_good *file = &last_good->files[i];
        fprintf(out, "%s has errors and is %s: %u:%u: %s: %s\n", file->file,
                file->is_served ? "served as accepted last" : "not served at all", file->at.line,
                file->at.column, finding_name(file->code), file->cause.text);
    }
}

/* What keeps the server from being ready, a line each; nothing: it is. */
static void print_unready(const struct web *web, FILE *out)
{
    const struct status_source *source = web->source;
    const struct reload_last *last = source->last;

    if (!*web->is_ready) {
        fputs("the first generation is not served yet\n", out);
        return;
    }
    print_last_good(source->last_good, out);
    if (last->has_been && (last->end == RELOAD_REFUSED || last->end == RELOAD_GUARDED))
        fprintf(out, "the last reload was %s: %s\n",
                last->end == RELOAD_REFUSED ? "refused" : "refused by the guard", last->cause.text);
}

static void send_ready(const struct web *web, struct http_request *request)
{
    struct page page;

    page_begin(&page);
    if (page.out != NULL) {
        print_unready(web, page.out);
        fflush(page.out);
    }
    bool is_ready = page.out != NULL && page.length == 0;
    if (is_ready)
        fputs("ready\n", page.out);
    page_send(&page, request, is_ready ? HTTP_OK : HTTP_UNAVAILABLE, text_type);
}

/* ---- what waits for the workers ---- */

struct visit {
    struct inspection_visit inspected; /* first, so that its address is the visit's */
    struct web *web;
    struct http_request *request;
    enum path_name path;
};

/* OpenMetrics only when it is asked for by name; Prometheus does. */
static enum metrics_format format_for(const struct http_request *request)
{
    const char *accepted = http_header(request, "Accept");

    return accepted != NULL && strstr(accepted, "application/openmetrics-text") != NULL
               ? METRICS_OPENMETRICS
               : METRICS_TEXT;
}

static void send_metrics(const struct web *web, struct http_request *request)
{
    enum metrics_format format = format_for(request);
    struct scrape_http counts[WEB_STATUSES];
    const struct scrape scrape = {.source = web->source,
                                  .process = &web->process,
                                  .http = counts,
                                  .http_count = WEB_STATUSES};
    struct page page;

    for (size_t i = 0; i < WEB_STATUSES; i++)
        counts[i] = (struct scrape_http){statuses[i].code, web->counts[i]};
    page_begin(&page);
    if (page.out != NULL && scrape_print(&scrape, format, page.out)) {
        page_send(&page, request, HTTP_OK, metrics_content_type(format));
        return;
    }
    if (page.out != NULL)
        fputs("out of memory\n", page.out);
    page_send(&page, request, HTTP_UNAVAILABLE, text_type);
}

static void send_status(const struct web *web, struct http_request *request)
{
    struct page page;

    page_begin(&page);
    bool is_whole = page.out != NULL && status_print(web->source, true, page.out);
    page_send(&page, request, is_whole ? HTTP_OK : HTTP_UNAVAILABLE,
              "application/json; charset=utf-8");
}

static void send_health(struct web *web, struct http_request *request)
{
    struct page page;

    web->health_visits--;
    page_begin(&page);
    for (size_t i = 0; page.out != NULL && i < server_worker_count(web->server); i++)
        if (!server_has_pulse(web->server, i, PULSE_HEALTH))
            fprintf(page.out, "worker %zu does not answer\n", i + 1);
    if (page.out != NULL)
        fflush(page.out);
    bool is_well = page.out != NULL && page.length == 0;
    if (is_well)
        fputs("ok\n", page.out);
    page_send(&page, request, is_well ? HTTP_OK : HTTP_UNAVAILABLE, text_type);
}

static void visit_on_reports(struct inspection_visit *inspected)
{
    struct visit *visit = (struct visit *)inspected;
    struct web *web = visit->web;

    if (visit->path == PATH_METRICS)
        send_metrics(web, visit->request);
    else if (visit->path == PATH_STATUS)
        send_status(web, visit->request);
    else
        send_health(web, visit->request);
    free(visit);
}

static void wait_for_workers(struct web *web, struct http_request *request, enum path_name path)
{
    struct visit *visit = malloc(sizeof *visit);

    if (visit == NULL) {
        send_sentence(request, HTTP_UNAVAILABLE, "out of memory\n");
        return;
    }
    *visit = (struct visit){.inspected = {.on_reports = visit_on_reports},
                            .web = web,
                            .request = request,
                            .path = path};
    /* One request for pulses serves all who wait: a later one would leave the first without. */
    if (path == PATH_HEALTH && web->health_visits++ == 0)
        server_request_pulses(web->server, PULSE_HEALTH);
    inspection_add_visit(web->inspection, &visit->inspected);
}

static void web_on_request(void *context, struct http_request *request, const char *path)
{
    struct web *web = context;
    enum path_name name = find_path(path);

    switch (name) {
    case PATH_INDEX:
        send_index(request);
        break;
    case PATH_READY:
        send_ready(web, request);
        break;
    case PATH_METRICS:
    case PATH_STATUS:
    case PATH_HEALTH:
        wait_for_workers(web, request, name);
        break;
    case PATH_COUNT:
        send_sentence(request, HTTP_NOT_FOUND, "there is no such path; / lists those there are\n");
        break;
    }
}

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
                                     .on_request = web_on_request,
                                     .on_status = web_on_status,
                                     .context = web};

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

    web->source = options->source;
    web->inspection = options->inspection;
    web->server = options->server;
    web->is_ready = options->is_ready;
    if (list->count == 0 || (list->is_initial && http_library() == NULL))
        return true;
    for (size_t i = 0; i < list->count; i++)
        if (!add_listener(web, options, &list->items[i], listeners, err))
            return give_up(web, options, listeners, err);
    process_open(&web->process);
    return open_http(web, options, listeners, err);
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
    for (size_t i = 0; i < web->source->settings->http_listen.count; i++)
        log_ready(&web->source->settings->http_listen.items[i]);
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
    web->http = NULL;
    web->count = 0;
    remove_paths(web);
    process_close(&web->process);
}
