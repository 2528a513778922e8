#include "serve/udp_late.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "serve/udp_batch.h"

struct udp_late {
    const struct udp_socket *socket; /* of all that are queued */
    unsigned count;
    struct mmsghdr headers[UDP_LATE_MOST];
    struct iovec parts[UDP_LATE_MOST];
    struct udp_client clients[UDP_LATE_MOST];
    uint8_t replies[UDP_LATE_MOST][UDP_OCTETS_MOST];
};

struct udp_late *udp_late_new(void)
{
    return calloc(1, sizeof(struct udp_late));
}

void udp_late_free(struct udp_late *late)
{
    free(late);
}

void udp_late_send(struct udp *udp)
{
    struct udp_late *late = udp->late;

    if (late->count > 0)
        udp_batch_send(late->socket, late->headers, late->count);
    late->count = 0;
}

void udp_late_add(const struct udp_socket *socket, const struct late_client *client,
                  const uint8_t *reply, size_t length)
{
    struct udp_late *late = socket->udp->late;

    assert(length <= UDP_OCTETS_MOST);
    if (late->count == UDP_LATE_MOST || late->socket != socket)
        udp_late_send(socket->udp);
    late->socket = socket;
    unsigned slot = late->count++;
    struct udp_client *to = &late->clients[slot];
    memcpy(to, client->octets, sizeof *to);
    memcpy(late->replies[slot], reply, length);
    late->parts[slot] = (struct iovec){.iov_base = late->replies[slot], .iov_len = length};
    late->headers[slot].msg_hdr =
        (struct msghdr){.msg_name = &to->endpoint,
                        .msg_namelen = socket->name_octets,
                        .msg_iov = &late->parts[slot],
                        .msg_iovlen = 1,
                        .msg_control = to->control_octets > 0 ? &to->control : NULL,
                        .msg_controllen = to->control_octets};
}
