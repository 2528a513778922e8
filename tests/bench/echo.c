/*
 * The limit of the socket path: answers every query with one fixed A record and looks nothing up.
 *
 *     echo PORT [ADDRESS [tcp]]
 *
 * The same calls as the server's: a libuv poll handle, recvmmsg and sendmmsg in batches of 64; with
 * "tcp" one read and one write for what a connection has brought. The difference to a real server
 * is the cost of that server's own work. Ends on SIGTERM.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/bytes.h"

enum { BATCH = 64, BUFFER = 1344, HEADER = 12, STREAM = 65536, FRAME = 2, RECORD = 16 };

/* Outside of all spaces, so that it may be an upstream's answer; kept for an hour. */
static const uint8_t record[RECORD] = {0xc0, HEADER, 0, 1, 0,   1,  0,   0,
                                       14,   16,     0, 4, 198, 51, 100, 1};

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

/* ---- TCP ---- */

struct connection {
    uv_poll_t poll;
    int descriptor;
    size_t held;
    uint8_t input[STREAM];
};

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* Writes the answers to all whole queries. Returns their octets; what is left is moved to the
 * front. */
static size_t answer_frames(struct connection *connection, uint8_t *output)
{
    size_t at = 0, written = 0;

    while (connection->held - at >= FRAME) {
        size_t length = load16(connection->input + at);
        if (connection->held - at < FRAME + length)
            break;
        if (length <= BUFFER - RECORD) {
            uint8_t *frame = output + written;
            memcpy(frame + FRAME, connection->input + at + FRAME, length);
            size_t answered = answer(frame + FRAME, length);
            store16(frame, (uint16_t)answered);
            written += answered == 0 ? 0 : FRAME + answered;
        }
        at += FRAME + length;
    }
    memmove(connection->input, connection->input + at, connection->held - at);
    connection->held -= at;
    return written;
}

static void on_stream(uv_poll_t *poll, int status, int events)
{
    static uint8_t output[2 * STREAM];
    struct connection *connection = poll->data;
    ssize_t got = recv(connection->descriptor, connection->input + connection->held,
                       STREAM - connection->held, MSG_DONTWAIT);

    (void)status;
    (void)events;
    if (got <= 0) {
        uv_poll_stop(poll);
        close(connection->descriptor);
        uv_close((uv_handle_t *)poll, on_closed);
        return;
    }
    connection->held += (size_t)got;
    size_t length = answer_frames(connection, output);
    for (size_t done = 0; done < length;) {
        ssize_t taken = send(connection->descriptor, output + done, length - done, MSG_NOSIGNAL);
        if (taken <= 0)
            return;
        done += (size_t)taken;
    }
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
    struct connection *connection = calloc(1, sizeof *connection);
    const struct echo *echo = poll->data;

    (void)status;
    (void)events;
    if (connection == NULL)
        exit(EXIT_FAILURE);
    connection->descriptor = accept4(echo->descriptor, NULL, NULL, SOCK_CLOEXEC);
    connection->poll.data = connection;
    if (connection->descriptor < 0 ||
        uv_poll_init(poll->loop, &connection->poll, connection->descriptor) != 0) {
        free(connection);
        return;
    }
    uv_poll_start(&connection->poll, UV_READABLE, on_stream);
}

static void on_term(uv_signal_t *signal, int number)
{
    (void)number;
    uv_stop(signal->loop);
}

static int open_socket(const char *host, uint16_t port, int type)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {inet_addr(host)}};
    int octets = 4 << 20, yes = 1;
    int descriptor = socket(AF_INET, type | SOCK_NONBLOCK, 0);

    if (type == SOCK_DGRAM) {
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
        setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &octets, sizeof octets);
    }
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0 ||
        (type == SOCK_STREAM && listen(descriptor, BATCH) != 0)) {
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

    bool is_tcp = count == 4 && strcmp(arguments[3], "tcp") == 0;

    if (count < 2 || count > 4 || (count == 4 && !is_tcp)) {
        fprintf(stderr, "usage: echo PORT [ADDRESS [tcp]]\n");
        return 2;
    }
    echo.descriptor =
        open_socket(count > 2 ? arguments[2] : "127.0.0.1",
                    (uint16_t)strtoul(arguments[1], NULL, 10), is_tcp ? SOCK_STREAM : SOCK_DGRAM);
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
    uv_poll_start(&poll, UV_READABLE, is_tcp ? on_connection : on_readable);
    uv_run(loop, UV_RUN_DEFAULT);
    return EXIT_SUCCESS;
}
