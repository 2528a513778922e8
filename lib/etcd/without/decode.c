/* A build without the registry: nothing is decoded. */
#include "etcd/messages.h"

static bool fail(struct err *err)
{
    return err_set(
        err, ERR_SYSTEM,
        "this build has no registry; build it with libnghttp2-dev and libprotobuf-c-dev");
}

bool etcd_decode_range(struct arena *arena, const uint8_t *octets, size_t length,
                       struct etcd_range_response *response, struct err *err)
{
    (void)arena, (void)octets, (void)length, (void)response;
    return fail(err);
}

bool etcd_decode_delete(struct arena *arena, const uint8_t *octets, size_t length,
                        struct etcd_delete_response *response, struct err *err)
{
    (void)arena, (void)octets, (void)length, (void)response;
    return fail(err);
}

bool etcd_decode_txn(struct arena *arena, const uint8_t *octets, size_t length,
                     struct etcd_txn_response *response, struct err *err)
{
    (void)arena, (void)octets, (void)length, (void)response;
    return fail(err);
}

bool etcd_decode_watch(struct arena *arena, const uint8_t *octets, size_t length,
                       struct etcd_watch_response *response, struct err *err)
{
    (void)arena, (void)octets, (void)length, (void)response;
    return fail(err);
}

bool etcd_decode_lease(struct arena *arena, const uint8_t *octets, size_t length,
                       struct etcd_lease_response *response, struct err *err)
{
    (void)arena, (void)octets, (void)length, (void)response;
    return fail(err);
}

bool etcd_decode_authenticate(struct arena *arena, const uint8_t *octets, size_t length,
                              struct etcd_authenticate_response *response, struct err *err)
{
    (void)arena, (void)octets, (void)length, (void)response;
    return fail(err);
}

bool etcd_decode_status(struct arena *arena, const uint8_t *octets, size_t length,
                        struct etcd_status_response *response, struct err *err)
{
    (void)arena, (void)octets, (void)length, (void)response;
    return fail(err);
}

bool etcd_decode_members(struct arena *arena, const uint8_t *octets, size_t length,
                         struct etcd_members_response *response, struct err *err)
{
    (void)arena, (void)octets, (void)length, (void)response;
    return fail(err);
}

bool etcd_decode_header(struct arena *arena, const uint8_t *octets, size_t length,
                        struct etcd_header *header, struct err *err)
{
    (void)arena, (void)octets, (void)length, (void)header;
    return fail(err);
}
