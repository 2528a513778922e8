#pragma once
/**
 * Calls to etcd, one after the other, for a command: connects, logs in, waits for each reply.
 *
 *     struct etcd_client *client = etcd_client_open(&options, &err);
 *     struct octets response;
 *     if (etcd_client_call(client, ETCD_RANGE, request, &response, &err)) ...
 *
 * Endpoints are tried in turn until one has a member that is authenticated and speaks etcd's API;
 * it is kept for all calls, and exchanged for the next one when it fails before a reply. A write
 * that may have been done is not sent again: the error says so.
 *
 * Deadlines: 3 s to connect to each endpoint, 10 s for a reply. A token that etcd does not accept
 * any more is renewed once a call.
 *
 * Errors are sentences with a remedy: every endpoint with its own cause when none answers; whose
 * certificate is not accepted, and why; which right is missing on which keys; how to make room.
 *
 * Threads: one.  Memory: the client's; a response is valid until the next call.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/octets.h"
#include "etcd/connection.h"
#include "etcd/messages.h"

/** Borrowed as long as the client is open. */
struct etcd_client_options {
    const char *const *endpoints; /* as registry.endpoints has them; at least 1 */
    size_t endpoint_count;
    const char *ca;          /* PEM files, as tls_trust_options has them; NULL: none */
    const char *certificate; /* whose common name is a user of etcd, if there is no `user` */
    const char *key;
    const char *user; /* NULL: none */
    const char *password;
};

struct etcd_client;

/** Connects and logs in. Returns NULL with *err. */
struct etcd_client *etcd_client_open(const struct etcd_client_options *options, struct err *err);

/** NULL is allowed. */
void etcd_client_close(struct etcd_client *client);

/** The member of the last call, as "https://etcd-1.example:2379". */
const char *etcd_client_endpoint(const struct etcd_client *client);

/**
 * Makes a call with an encoded request, which may be without memory, and waits for its reply.
 * Not for ETCD_WATCH.
 *
 * Returns false with *err; etcd_client_status is then what etcd answered.
 */
bool etcd_client_call(struct etcd_client *client, enum etcd_method method, struct octets request,
                      struct octets *response, struct err *err);

/** How the last call ended; ETCD_UNAVAILABLE when there was no reply. */
enum etcd_status etcd_client_status(const struct etcd_client *client);
