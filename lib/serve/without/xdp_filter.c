/* A build without AF_XDP: no filter is ever loaded. */
#include "serve/xdp_filter.h"

const char *xdp_library(void)
{
    return NULL;
}

bool xdp_filter_open(struct xdp_filter *filter, const uint8_t mac[6], unsigned queues,
                     struct err *err)
{
    (void)mac, (void)queues;
    *filter = (struct xdp_filter){.program = -1, .addresses = -1, .sockets = -1, .link = -1};
    return err_set(err, ERR_SYSTEM, "AF_XDP was left out of this build; take `xdp` out");
}

bool xdp_filter_add_address(const struct xdp_filter *filter, const struct endpoint *endpoint,
                            struct err *err)
{
    (void)filter, (void)endpoint, (void)err;
    return false;
}

bool xdp_filter_add_socket(const struct xdp_filter *filter, unsigned queue, int descriptor,
                           struct err *err)
{
    (void)filter, (void)queue, (void)descriptor, (void)err;
    return false;
}

bool xdp_filter_attach(struct xdp_filter *filter, unsigned interface, enum xdp_mode mode,
                       struct err *err)
{
    (void)filter, (void)interface, (void)mode, (void)err;
    return false;
}

void xdp_filter_detach(struct xdp_filter *filter)
{
    (void)filter;
}

void xdp_filter_close(struct xdp_filter *filter)
{
    (void)filter;
}
