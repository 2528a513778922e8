#include "support/stream_peer.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "support/serving.h"

enum { BACKLOG = 128, WAIT_MS = 1000, PIECE_OCTETS = 65536 };

static void must(bool went_well)
{
    if (!went_well)
        abort();
}

void stream_peer_init(struct stream_peer *peer, SSL_CTX *context)
{
    *peer = (struct stream_peer){.context = context};
    must(endpoint_read("127.0.0.1", 1, &peer->address));
    peer->address.v4.sin_port = 0;
    peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(peer->listener >= 0);
    must(bind(peer->listener, &peer->address.any, sizeof peer->address.v4) == 0);
    must(listen(peer->listener, BACKLOG) == 0);
    peer->address = serving_local(peer->listener);
}

void stream_peer_close(struct stream_peer *peer)
{
    for (size_t i = 0; i < peer->count; i++) {
        stream_peer_hang_up(&peer->ends[i]);
        tls_server_end(&peer->ends[i].tls);
        free(peer->ends[i].received);
    }
    close(peer->listener);
}

void stream_peer_wait(const struct stream_peer *peer, int epoll)
{
    struct pollfd watched[STREAM_PEER_ENDS_MOST + 2] = {{.fd = epoll, .events = POLLIN},
                                                        {.fd = peer->listener, .events = POLLIN}};
    nfds_t count = peer->is_stalled ? 1 : 2;

    for (size_t i = 0; i < peer->count && !peer->is_stalled; i++)
        if (peer->ends[i].descriptor >= 0 && !peer->ends[i].has_ended)
            watched[count++] = (struct pollfd){.fd = peer->ends[i].descriptor, .events = POLLIN};
    poll(watched, count, WAIT_MS);
}

static void accept_one(struct stream_peer *peer, int descriptor)
{
    const int on = 1;

    must(peer->count < STREAM_PEER_ENDS_MOST);
    must(setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
    struct stream_peer_end *end = &peer->ends[peer->count++];
    *end = (struct stream_peer_end){.descriptor = descriptor,
                                    .received = malloc(STREAM_PEER_RECEIVED_OCTETS)};
    must(end->received != NULL);
    if (peer->context != NULL)
        tls_server_begin(&end->tls, peer->context);
}

/* Sends the pending TLS records. */
static void send_records(struct stream_peer_end *end)
{
    uint8_t octets[PIECE_OCTETS];
    size_t length;

    while ((length = tls_server_take(&end->tls, octets, sizeof octets)) > 0)
        stream_peer_send_raw(end, octets, length);
}

static void read_octets(struct stream_peer_end *end, const uint8_t *octets, size_t length)
{
    size_t more = length, room = STREAM_PEER_RECEIVED_OCTETS - end->length;

    if (end->tls.ssl != NULL) {
        tls_server_put(&end->tls, octets, length);
        while ((more = tls_server_read(&end->tls, end->received + end->length, room)) > 0) {
            end->length += more;
            room -= more;
        }
        send_records(end);
        return;
    }
    must(more <= room);
    memcpy(end->received + end->length, octets, more);
    end->length += more;
}

static void read_end(struct stream_peer_end *end)
{
    uint8_t octets[PIECE_OCTETS];

    while (end->descriptor >= 0 && !end->has_ended) {
        ssize_t length = recv(end->descriptor, octets, sizeof octets, MSG_DONTWAIT);
        if (length < 0 && errno == EAGAIN)
            return;
        end->has_ended = length <= 0;
        if (length > 0)
            read_octets(end, octets, (size_t)length);
    }
}

void stream_peer_turn(struct stream_peer *peer)
{
    int descriptor;

    if (peer->is_stalled)
        return;
    while ((descriptor = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        accept_one(peer, descriptor);
    for (size_t i = 0; i < peer->count; i++)
        read_end(&peer->ends[i]);
}

struct stream_peer_end *stream_peer_last(struct stream_peer *peer)
{
    must(peer->count > 0);
    return &peer->ends[peer->count - 1];
}

const uint8_t *stream_peer_question(const struct stream_peer_end *end, size_t number,
                                    size_t *length)
{
    struct reader in = reader_over(end->received, end->length);

    for (;;) {
        *length = read16(&in);
        const uint8_t *question = read_span(&in, *length);
        if (question == NULL || number-- == 0)
            return question;
    }
}

size_t stream_peer_count(const struct stream_peer_end *end)
{
    size_t count = 0, length;

    while (stream_peer_question(end, count, &length) != NULL)
        count++;
    return count;
}

void stream_peer_send_raw(struct stream_peer_end *end, const void *octets, size_t length)
{
    /* The client may have closed the connection; that is ignored. */
    send(end->descriptor, octets, length, MSG_NOSIGNAL);
}

void stream_peer_send(struct stream_peer_end *end, const void *octets, size_t length)
{
    if (end->tls.ssl == NULL) {
        stream_peer_send_raw(end, octets, length);
        return;
    }
    tls_server_write(&end->tls, octets, length);
    send_records(end);
}

void stream_peer_answer(struct stream_peer_end *end, size_t number)
{
    uint8_t frame[2 + 512];
    size_t length;
    const uint8_t *question = stream_peer_question(end, number, &length);

    must(question != NULL && length <= 512);
    store16(frame, (uint16_t)length);
    memcpy(frame + 2, question, length);
    frame[4] |= 0x80; /* QR */
    stream_peer_send(end, frame, 2 + length);
}

void stream_peer_hang_up(struct stream_peer_end *end)
{
    if (end->descriptor >= 0)
        close(end->descriptor);
    end->descriptor = -1;
}
