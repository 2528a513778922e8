/*
 * The limit of the socket path: answers every query with one fixed A record and looks nothing up.
 *
 *     echo PORT [ADDRESS]
 *
 * The same calls as the server's: a libuv poll handle, recvmmsg and sendmmsg in batches of 64. The
 * difference to a real server is the cost of that server's own work. Ends on SIGTERM.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/bytes.h"

enum { BATCH = 64, BUFFER = 1344, HEADER = 12 };

static const uint8_t record[16] = {0xc0, HEADER, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 10, 0, 0, 1};

struct echo {
    int descriptor;
    struct mmsghdr received[BATCH], sent[BATCH];
    struct iovec received_parts[BATCH], sent_parts[BATCH];
    struct sockaddr_in sources[BATCH];
    uint8_t buffers[BATCH][BUFFER];
};

/* Turns a query into its answer in place. Returns the length, 0 for what is no query. */
static size_t answer(uint8_t *octets, size_t length)
{
    size_t at = HEADER;

    if (length < HEADER + 5 || (octets[2] & 0x80) != 0)
        return 0;
    while (at < length && octets[at] != 0)
        at += octets[at] + 1U;
    at += 5;
    if (at > length)
        return 0;
    octets[2] = 0x84;
    octets[3] = 0;
    memcpy(octets + 4, "\0\1\0\1\0\0\0\0", 8);
    memcpy(octets + at, record, sizeof record);
    return at + sizeof record;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct echo *echo = poll->data;
    int count;

    (void)status;
    (void)events;
    do {
        unsigned ready = 0;
        count = recvmmsg(echo->descriptor, echo->received, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < count; i++) {
            size_t length = answer(echo->buffers[i], echo->received[i].msg_len);
            if (length == 0)
                continue;
            echo->sent_parts[ready] =
                (struct iovec){.iov_base = echo->buffers[i], .iov_len = length};
            echo->sent[ready++].msg_hdr.msg_name = &echo->sources[i];
        }
        if (ready > 0)
            sendmmsg(echo->descriptor, echo->sent, ready, MSG_DONTWAIT);
    } while (count == BATCH);
}

static void on_term(uv_signal_t *signal, int number)
{
    (void)number;
    uv_stop(signal->loop);
}

static int open_socket(const char *host, uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {inet_addr(host)}};
    int octets = 4 << 20;
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &octets, sizeof octets);
    if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("echo: cannot listen");
        exit(EXIT_FAILURE);
    }
    return descriptor;
}

int main(int count, char **arguments)
{
    static struct echo echo;
    uv_loop_t *loop = uv_default_loop();
    uv_signal_t term;
    uv_poll_t poll;

    if (count != 2 && count != 3) {
        fprintf(stderr, "usage: echo PORT [ADDRESS]\n");
        return 2;
    }
    echo.descriptor = open_socket(count == 3 ? arguments[2] : "127.0.0.1",
                                  (uint16_t)strtoul(arguments[1], NULL, 10));
    for (unsigned i = 0; i < BATCH; i++) {
        echo.received_parts[i] = (struct iovec){.iov_base = echo.buffers[i], .iov_len = 512};
        echo.received[i].msg_hdr = (struct msghdr){.msg_iov = &echo.received_parts[i],
                                                   .msg_iovlen = 1,
                                                   .msg_name = &echo.sources[i],
                                                   .msg_namelen = sizeof echo.sources[i]};
        echo.sent[i].msg_hdr = (struct msghdr){
            .msg_iov = &echo.sent_parts[i], .msg_iovlen = 1, .msg_namelen = sizeof echo.sources[i]};
    }
    uv_signal_init(loop, &term);
    uv_signal_start(&term, on_term, SIGTERM);
    uv_poll_init(loop, &poll, echo.descriptor);
    poll.data = &echo;
    uv_poll_start(&poll, UV_READABLE, on_readable);
    uv_run(loop, UV_RUN_DEFAULT);
    return EXIT_SUCCESS;
}
