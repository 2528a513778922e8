#include "config/http_address.h"

#include <stdio.h>
#include <string.h>

static const char unix_prefix[] = "unix:";

static bool read_path(const char *path, struct http_address *address, struct err *err)
{
    if (path[0] != '/' || path[1] == '\0')
        return err_set(err, ERR_SYNTAX,
                       "`unix:%.80s` has no path from the root; give one like "
                       "unix:/run/spacedns/http.sock",
                       path);
    if (strlen(path) > HTTP_PATH_MOST)
        return err_set(err, ERR_LIMIT,
                       "`unix:%.40s...` is longer than the %d octets that a socket's path may "
                       "have; give a shorter one",
                       path, HTTP_PATH_MOST);
    address->path = path;
    return true;
}

bool http_address_read(const char *text, struct http_address *address, struct err *err)
{
    struct endpoint endpoint;

    address->path = NULL;
    if (strncmp(text, unix_prefix, strlen(unix_prefix)) == 0)
        return read_path(text + strlen(unix_prefix), address, err);
    if (!endpoint_read(text, HTTP_PORT, &endpoint))
        return err_set(err, ERR_SYNTAX,
                       "`%.80s` is not an address for HTTP; give one like 127.0.0.1:9153, "
                       "[::1]:9153 or unix:/run/spacedns/http.sock, or none",
                       text);
    endpoint_unmap(&endpoint);
    address->endpoint = endpoint;
    return true;
}

void http_address_write(const struct http_address *address, char *out)
{
    if (address->path == NULL)
        endpoint_write(&address->endpoint, out);
    else
        snprintf(out, HTTP_ADDRESS_OCTETS, "%s%s", unix_prefix, address->path);
}

bool http_address_is_local(const struct http_address *address)
{
    return address->path != NULL || endpoint_is_loopback(&address->endpoint);
}

bool http_address_equals(const struct http_address *address, const struct http_address *other)
{
    if (address->path != NULL || other->path != NULL)
        return address->path != NULL && other->path != NULL &&
               strcmp(address->path, other->path) == 0;
    return endpoint_equals(&address->endpoint, &other->endpoint);
}
