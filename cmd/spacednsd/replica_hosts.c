#include "spacednsd/replica_hosts.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/registry_endpoint.h"

/* The resolver may be this very server, which does not answer yet. */
static const char short_patience[] = "timeout:1 attempts:1";

static void log_unresolved(const char *endpoint, const char *why)
{
    struct log_line line;

    log_start(&line, LOG_WARNING, "registry_unresolved");
    log_string(&line, "endpoint", endpoint);
    log_string(&line, "why", why);
    log_string(&line, "text",
               "the name has no address and is looked up only at a start; give the address in "
               "registry.endpoints, or restart the server once the name can be looked up");
    log_send(&line);
}

static void add_address(struct replica_host *host, const struct addrinfo *info, uint16_t port)
{
    struct endpoint *address = &host->addresses[host->count];

    if (host->count == REPLICA_ADDRESSES_MOST || info->ai_addrlen > sizeof *address ||
        (info->ai_family != AF_INET && info->ai_family != AF_INET6))
        return;
    *address = (struct endpoint){.v6 = {0}};
    memcpy(address, info->ai_addr, info->ai_addrlen);
    endpoint_set_port(address, port);
    host->count++;
}

static void look_up(struct replica_host *host, const struct registry_endpoint *endpoint)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(endpoint->host, NULL, &hints, &found);

    if (error != 0) {
        log_unresolved(host->text, gai_strerror(error));
        return;
    }
    for (const struct addrinfo *info = found; info != NULL; info = info->ai_next)
        add_address(host, info, endpoint->port);
    freeaddrinfo(found);
}

static void init_host(struct replica_host *host, const char *text)
{
    struct registry_endpoint endpoint;
    struct err err;

    host->text = text;
    if (!registry_endpoint_read(text, &endpoint, &err))
        return; /* the settings have none such */
    if (!endpoint.is_address)
        look_up(host, &endpoint);
    else if (endpoint_read(endpoint.host, endpoint.port, &host->addresses[0]))
        host->count = 1;
}

bool replica_hosts_init(struct replica_hosts *hosts, const struct settings *settings)
{
    const struct string_list *list = &settings->registry_endpoints;

    *hosts = (struct replica_hosts){.items = calloc(list->count, sizeof *hosts->items)};
    if (hosts->items == NULL)
        return false;
    setenv("RES_OPTIONS", short_patience, 0);
    hosts->count = list->count;
    for (size_t i = 0; i < list->count; i++)
        init_host(&hosts->items[i], list->items[i]);
    return true;
}

const struct endpoint *replica_hosts_next(struct replica_hosts *hosts, const char *endpoint)
{
    for (size_t i = 0; i < hosts->count; i++) {
        struct replica_host *host = &hosts->items[i];
        if (strcmp(host->text, endpoint) == 0 && host->count > 0)
            return &host->addresses[host->next++ % host->count];
    }
    return NULL;
}

const char *replica_hosts_text(const struct replica_hosts *hosts, const char *endpoint)
{
    for (size_t i = 0; endpoint != NULL && i < hosts->count; i++)
        if (strcmp(hosts->items[i].text, endpoint) == 0)
            return hosts->items[i].text;
    return NULL;
}

void replica_hosts_close(struct replica_hosts *hosts)
{
    free(hosts->items);
    *hosts = (struct replica_hosts){.items = NULL};
}
