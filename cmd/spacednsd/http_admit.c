#include "spacednsd/http_admit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { HOST_MOST = 80 };

static const struct http_refusal bad_method = {.status = HTTP_BAD_METHOD,
                                               .sentence = "only GET and HEAD are answered",
                                               .header = "Allow",
                                               .value = "GET, HEAD"};
static const struct http_refusal no_token = {
    .status = HTTP_UNAUTHORIZED,
    .sentence = "the token of the settings (http_token) is needed: Authorization: Bearer TOKEN",
    .header = "WWW-Authenticate",
    .value = "Bearer realm=\"spacedns\""};
static const struct http_refusal other_host = {
    .status = HTTP_MISDIRECTED,
    .sentence = "without http_token, name this server by its address or as localhost"};
static const struct http_refusal with_body = {.status = HTTP_BAD_REQUEST,
                                              .sentence = "a request here has no body"};

static const struct http_refusal bad_version = {
    .status = HTTP_BAD_REQUEST, .sentence = "only HTTP/1.1 and HTTP/1.0 are answered"};

/* Takes the same time wherever the two differ; only another length shows. */
static bool is_same_secret(const char *given, const char *secret)
{
    volatile unsigned char difference = 0; /* not to be left early */
    size_t length = strlen(secret);

    if (strlen(given) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        difference |= (unsigned char)(given[i] ^ secret[i]);
    return difference == 0;
}

static bool has_token(const struct http_asking *asking, const char *token)
{
    static const char scheme[] = "Bearer ";
    const char *given = asking->authorization;

    return given != NULL && strncasecmp(given, scheme, strlen(scheme)) == 0 &&
           is_same_secret(given + strlen(scheme), token);
}

/* Copies a Host header without its port, and without the brackets of an IPv6 address. */
static void copy_host(const char *header, char host[HOST_MOST])
{
    bool is_bracketed = header[0] == '[';
    size_t length = is_bracketed ? strcspn(++header, "]") : strcspn(header, ":");

    snprintf(host, HOST_MOST, "%.*s", (int)length, header);
}

static bool names_this_host(const char *header)
{
    char host[HOST_MOST];
    struct in6_addr address;

    if (header == NULL)
        return true; /* HTTP/1.0; no browser */
    copy_host(header, host);
    return strcasecmp(host, "localhost") == 0 || inet_pton(AF_INET, host, &address) == 1 ||
           inet_pton(AF_INET6, host, &address) == 1;
}

static bool has_body(const struct http_asking *asking)
{
    return (asking->content_length != NULL && strcmp(asking->content_length, "0") != 0) ||
           asking->transfer_encoding != NULL;
}

const struct http_refusal *http_admit(const struct http_asking *asking, const char *token)
{
    bool is_open = asking->is_unix || asking->is_public;

    if (strcmp(asking->version, "HTTP/1.1") != 0 && strcmp(asking->version, "HTTP/1.0") != 0)
        return &bad_version;
    if (strcmp(asking->method, "GET") != 0 && strcmp(asking->method, "HEAD") != 0)
        return &bad_method;
    if (!is_open && token != NULL && !has_token(asking, token))
        return &no_token;
    if (!asking->is_unix && token == NULL && !names_this_host(asking->host))
        return &other_host;
    return has_body(asking) ? &with_body : NULL;
}
