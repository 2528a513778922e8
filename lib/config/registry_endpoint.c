#include "config/registry_endpoint.h"

#include <stdio.h>
#include <string.h>

#include "base/endpoint.h"
#include "base/number.h"
#include "wire/domain.h"

static const char http[] = "http://", https[] = "https://";

static const char *skip_scheme(const char *text, struct registry_endpoint *endpoint)
{
    endpoint->scheme = REGISTRY_NO_SCHEME;
    if (strncmp(text, http, strlen(http)) == 0) {
        endpoint->scheme = REGISTRY_HTTP;
        return text + strlen(http);
    }
    if (strncmp(text, https, strlen(https)) != 0)
        return text;
    endpoint->scheme = REGISTRY_HTTPS;
    return text + strlen(https);
}

static bool read_address(const char *text, struct registry_endpoint *endpoint)
{
    struct endpoint address;

    _Static_assert(sizeof endpoint->host >= ENDPOINT_TEXT_MAX, "an address fits");
    if (!endpoint_read(text, REGISTRY_PORT, &address) || endpoint_is_wildcard(&address))
        return false;
    endpoint_unmap(&address);
    endpoint_write_host(&address, endpoint->host);
    endpoint->port = endpoint_port(&address);
    endpoint->is_address = true;
    return true;
}

/* Some resolvers read 10.1.0.300 or 10.1 as a number: a name's last label is not all digits. */
static bool is_numeric(const char *host)
{
    const char *last = strrchr(host, '.');

    last = last == NULL ? host : last + 1;
    return strspn(last, "0123456789") == strlen(last);
}

static bool read_name(const char *text, struct registry_endpoint *endpoint)
{
    const char *colon = strchr(text, ':');
    size_t length = colon == NULL ? strlen(text) : (size_t)(colon - text);
    char host[REGISTRY_HOST_MOST + 1];
    uint64_t port = REGISTRY_PORT;

    if (length == 0 || length >= sizeof host)
        return false;
    memcpy(host, text, length);
    host[length] = '\0';
    if (colon != NULL &&
        (!number_from_text(colon + 1, strlen(colon + 1), &port) || port == 0 || port > UINT16_MAX))
        return false;
    size_t folded = domain_fold(DOMAIN_HOST, host, endpoint->host, REGISTRY_HOST_MOST);
    endpoint->host[folded] = '\0';
    endpoint->port = (uint16_t)port;
    endpoint->is_address = false;
    return folded > 0 && !is_numeric(endpoint->host);
}

bool registry_endpoint_read(const char *text, struct registry_endpoint *endpoint, struct err *err)
{
    const char *rest = skip_scheme(text, endpoint);

    if (read_address(rest, endpoint) || read_name(rest, endpoint))
        return true;
    return err_set(err, ERR_SYNTAX,
                   "`%.120s` is not a member of etcd; give one like 10.1.0.3:2379, "
                   "http://10.1.0.3:2379 or https://etcd-1.example:2379",
                   text);
}

void registry_endpoint_write(const struct registry_endpoint *endpoint,
                             char out[REGISTRY_ENDPOINT_OCTETS])
{
    const char *scheme = endpoint->scheme == REGISTRY_HTTP    ? http
                         : endpoint->scheme == REGISTRY_HTTPS ? https
                                                              : "";
    bool has_brackets = strchr(endpoint->host, ':') != NULL;

    snprintf(out, REGISTRY_ENDPOINT_OCTETS, "%s%s%s%s:%u", scheme, has_brackets ? "[" : "",
             endpoint->host, has_brackets ? "]" : "", (unsigned)endpoint->port);
}
