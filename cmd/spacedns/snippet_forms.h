#pragma once
/**
 * The same forwarding in the configuration language of each resolver.
 *
 * Each form sets three things: which names go to this server; that private addresses in its answers
 * are no rebinding attack; and that the answers are not signed although the names may lie in a
 * signed zone (a negative trust anchor, RFC 7646). What the reader must change is a comment.
 *
 * Names are plain: lower-case letters, digits, hyphens, underscores and dots, so that they need no
 * quoting anywhere.
 *
 * Threads: pure.  Memory: never allocates.
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct snippet_server {
    char ip[INET6_ADDRSTRLEN];
    unsigned port;
    bool is_ipv6;
};

struct snippet {
    const char *space;
    const struct snippet_server *servers; /* at least one */
    size_t server_count;
    const char *const *names; /* each with all names below it; sorted, unique */
    size_t name_count;
    const char *const *apexes; /* names that have other records elsewhere, such as MX */
    size_t apex_count;
    bool by_suffix;        /* most names are suffixes, below which everything is answered */
    size_t alone;          /* those that are not */
    const char *classes;   /* of the clients: "peered", "peered and vpn" */
    const char *setting;   /* that lets them ask for whole suffixes; NULL: they may */
    const char *discovery; /* suffix of names that they may not ask for; NULL: they may */
};

typedef void snippet_form(const struct snippet *snippet, FILE *out);

struct snippet_kind {
    const char *name;
    snippet_form *print;
    bool needs_port_53; /* the resolver has no setting for the port */
};

extern const struct snippet_kind snippet_kinds[];
extern const size_t snippet_kind_count;
