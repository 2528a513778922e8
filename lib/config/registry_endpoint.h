#pragma once
/**
 * Members of a registry's etcd, as an operator writes them:
 *
 *     10.1.0.3:2379    10.1.0.3    [fd00::3]:2379    etcd-1.example    port 2379 if none is given
 *     http://10.1.0.3:2379                                             in the clear
 *     https://etcd-1.example:2379                                      over TLS
 *
 * Without a scheme, it is TLS if the settings name a CA or a certificate (settings_registry.c). A
 * certificate is checked for the host as it is written here.
 *
 * Threads: pure.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum {
    REGISTRY_PORT = 2379,
    REGISTRY_HOST_MOST = 253,
    REGISTRY_ENDPOINT_OCTETS = REGISTRY_HOST_MOST + sizeof "https://[]:65535",
};

enum registry_scheme { REGISTRY_NO_SCHEME, REGISTRY_HTTP, REGISTRY_HTTPS };

struct registry_endpoint {
    enum registry_scheme scheme;
    char host[REGISTRY_HOST_MOST + 1]; /* an address without brackets, or a folded name */
    uint16_t port;
    bool is_address; /* false: a name that has to be resolved */
};

/** Returns false with a sentence in *err for what is not such a text. */
bool registry_endpoint_read(const char *text, struct registry_endpoint *endpoint, struct err *err);

/** Writes "https://etcd-1.example:2379"; without a scheme only what follows it. */
void registry_endpoint_write(const struct registry_endpoint *endpoint,
                             char out[REGISTRY_ENDPOINT_OCTETS]);
