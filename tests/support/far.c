#include "support/far.h"

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

void far_init(struct far *far, SSL_CTX *context)
{
    *far = (struct far){.context = context};
    must(endpoint_read("127.0.0.1", 1, &far->address));
    far->address.v4.sin_port = 0;
    far->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(far->listener >= 0);
    must(bind(far->listener, &far->address.any, sizeof far->address.v4) == 0);
    must(listen(far->listener, BACKLOG) == 0);
    far->address = serving_local(far->listener);
}

void far_close(struct far *far)
{
    for (size_t i = 0; i < far->count; i++) {
        far_hang_up(&far->ends[i]);
        tls_server_end(&far->ends[i].tls);
        free(far->ends[i].heard);
    }
    close(far->listener);
}

void far_wait(const struct far *far, int epoll)
{
    struct pollfd watched[FAR_ENDS_MOST + 2] = {{.fd = epoll, .events = POLLIN},
                                                {.fd = far->listener, .events = POLLIN}};
    nfds_t count = far->is_deaf ? 1 : 2;

    for (size_t i = 0; i < far->count && !far->is_deaf; i++)
        if (far->ends[i].descriptor >= 0 && !far->ends[i].has_ended)
            watched[count++] = (struct pollfd){.fd = far->ends[i].descriptor, .events = POLLIN};
    poll(watched, count, WAIT_MS);
}

static void accept_one(struct far *far, int descriptor)
{
    const int on = 1;

    must(far->count < FAR_ENDS_MOST);
    must(setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
    struct far_end *end = &far->ends[far->count++];
    *end = (struct far_end){.descriptor = descriptor, .heard = malloc(FAR_HEARD_OCTETS)};
    must(end->heard != NULL);
    if (far->context != NULL)
        tls_server_begin(&end->tls, far->context);
}

/* Sends what TLS has to say. */
static void send_records(struct far_end *end)
{
    uint8_t octets[PIECE_OCTETS];
    size_t length;

    while ((length = tls_server_take(&end->tls, octets, sizeof octets)) > 0)
        far_say_plainly(end, octets, length);
}

static void hear(struct far_end *end, const uint8_t *octets, size_t length)
{
    size_t more = length, room = FAR_HEARD_OCTETS - end->length;

    if (end->tls.ssl != NULL) {
        tls_server_put(&end->tls, octets, length);
        while ((more = tls_server_read(&end->tls, end->heard + end->length, room)) > 0) {
            end->length += more;
            room -= more;
        }
        send_records(end);
        return;
    }
    must(more <= room);
    memcpy(end->heard + end->length, octets, more);
    end->length += more;
}

static void read_end(struct far_end *end)
{
    uint8_t octets[PIECE_OCTETS];

    while (end->descriptor >= 0 && !end->has_ended) {
        ssize_t length = recv(end->descriptor, octets, sizeof octets, MSG_DONTWAIT);
        if (length < 0 && errno == EAGAIN)
            return;
        end->has_ended = length <= 0;
        if (length > 0)
            hear(end, octets, (size_t)length);
    }
}

void far_turn(struct far *far)
{
    int descriptor;

    if (far->is_deaf)
        return;
    while ((descriptor = accept4(far->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        accept_one(far, descriptor);
    for (size_t i = 0; i < far->count; i++)
        read_end(&far->ends[i]);
}

struct far_end *far_last(struct far *far)
{
    must(far->count > 0);
    return &far->ends[far->count - 1];
}

const uint8_t *far_question(const struct far_end *end, size_t number, size_t *length)
{
    struct reader in = reader_over(end->heard, end->length);

    for (;;) {
        *length = read16(&in);
        const uint8_t *question = read_span(&in, *length);
        if (question == NULL || number-- == 0)
            return question;
    }
}

size_t far_count(const struct far_end *end)
{
    size_t count = 0, length;

    while (far_question(end, count, &length) != NULL)
        count++;
    return count;
}

void far_say_plainly(struct far_end *end, const void *octets, size_t length)
{
    /* A client that is gone is none of this side's worries. */
    send(end->descriptor, octets, length, MSG_NOSIGNAL);
}

void far_say(struct far_end *end, const void *octets, size_t length)
{
    if (end->tls.ssl == NULL) {
        far_say_plainly(end, octets, length);
        return;
    }
    tls_server_write(&end->tls, octets, length);
    send_records(end);
}

void far_answer(struct far_end *end, size_t number)
{
    uint8_t frame[2 + 512];
    size_t length;
    const uint8_t *question = far_question(end, number, &length);

    must(question != NULL && length <= 512);
    store16(frame, (uint16_t)length);
    memcpy(frame + 2, question, length);
    frame[4] |= 0x80; /* QR */
    far_say(end, frame, 2 + length);
}

void far_hang_up(struct far_end *end)
{
    if (end->descriptor >= 0)
        close(end->descriptor);
    end->descriptor = -1;
}
