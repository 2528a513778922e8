#include "serve/listener.h"

#include "serve/socket.h"
#include "serve/tcp_listener.h"
#include "serve/udp_listener.h"

const struct listener_kind listener_kinds[LISTEN_SCHEMES] = {
    [LISTEN_UDP] = {.probe = socket_probe_udp,
                    .open = udp_listener_open,
                    .tune = udp_listener_tune,
                    .new = udp_listener_new},
    [LISTEN_TCP] = {.probe = socket_probe_tcp,
                    .open = tcp_listener_open,
                    .tune = tcp_listener_tune,
                    .new = tcp_listener_new},
};

bool listener_fail(struct err *err, const char *what, int uv_error)
{
    return err_set(err, ERR_SYSTEM,
                   "cannot start a worker: %s: %s; start fewer workers, or raise the limit that it "
                   "names (ulimit -a lists them)",
                   what, uv_strerror(uv_error));
}
