/* A build without the registry: no connection is ever made. */
#include "etcd/connection.h"

const char *etcd_library(void)
{
    return NULL;
}

struct etcd_connection *etcd_connection_new(const struct etcd_connection_options *options,
                                            const struct etcd_listener *listener, struct err *err)
{
    (void)options, (void)listener;
    err_set(err, ERR_SYSTEM,
            "this build has no registry; build it with libnghttp2-dev, libprotobuf-c-dev and "
            "protobuf-c-compiler");
    return NULL;
}

void etcd_connection_free(struct etcd_connection *connection)
{
    (void)connection;
}

bool etcd_connection_receive(struct etcd_connection *connection, const uint8_t *octets,
                             size_t length, struct err *err)
{
    (void)connection, (void)octets, (void)length, (void)err;
    return false;
}

void etcd_connection_ended(const struct etcd_connection *connection, bool is_reset, struct err *err)
{
    (void)connection, (void)is_reset, (void)err;
}

struct octets etcd_connection_output(struct etcd_connection *connection)
{
    (void)connection;
    return (struct octets){.start = NULL};
}

void etcd_connection_sent(struct etcd_connection *connection, size_t length)
{
    (void)connection, (void)length;
}

bool etcd_connection_is_ready(const struct etcd_connection *connection)
{
    (void)connection;
    return false;
}

bool etcd_connection_is_leaving(const struct etcd_connection *connection)
{
    (void)connection;
    return false;
}

uint32_t etcd_connection_call(struct etcd_connection *connection, enum etcd_method method,
                              const void *message, size_t length, bool keeps_open)
{
    (void)connection, (void)method, (void)message, (void)length, (void)keeps_open;
    return 0;
}

bool etcd_connection_send(struct etcd_connection *connection, uint32_t call, const void *message,
                          size_t length)
{
    (void)connection, (void)call, (void)message, (void)length;
    return false;
}

void etcd_connection_cancel(struct etcd_connection *connection, uint32_t call)
{
    (void)connection, (void)call;
}

void etcd_connection_ping(struct etcd_connection *connection)
{
    (void)connection;
}

bool etcd_connection_set_token(struct etcd_connection *connection, const char *token)
{
    (void)connection, (void)token;
    return false;
}
