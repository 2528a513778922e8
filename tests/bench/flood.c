/*
 * A DNS client that is cheaper per query than any server, so that the server is what saturates.
 *
 *     flood [-t] [-a ADDRESS] -p PORT -f NAMES [-s SECONDS] [-n IN_FLIGHT]
 *
 * NAMES has one name per line (support/queries.h); each is asked for A with EDNS, in turn, again
 * and again. Queries go to ADDRESS, by default 127.0.0.1, over SOCKETS sockets, IN_FLIGHT in all, a
 * batch per system call; with -t over TCP connections, pipelined. A lost UDP query is replaced
 * after 200 ms without an answer on its socket. Prints one line of JSON: answers per second and
 * counts by response code. Ends after SECONDS, 60 at most.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "support/queries.h"

enum {
    SOCKETS = 16,
    BATCH = 64,
    REPLY_MOST = 2048,
    STREAM_MOST = 1 << 18,
    RCODES = 16,
    RESEND_MS = 200,
};

struct lane {
    int descriptor;
    unsigned in_flight;
    uint64_t last_answer_ns;
    uint8_t *stream; /* TCP: what has been read and not yet taken apart */
    size_t stream_length;
};

struct flood {
    bool over_tcp;
    struct in_addr address;
    uint16_t port;
    const char *file;
    double seconds;
    unsigned per_lane;
    struct queries queries;
    struct lane lanes[SOCKETS];
    struct mmsghdr sent[BATCH], received[BATCH];
    struct iovec sent_parts[BATCH], received_parts[BATCH];
    uint8_t sent_octets[BATCH][QUERY_OCTETS_MOST];
    uint8_t replies[BATCH][REPLY_MOST];
    uint64_t answers, resent, rcodes[RCODES];
};

static void fail(const char *what)
{
    fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static void open_lane(const struct flood *flood, struct lane *lane)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(flood->port), .sin_addr = flood->address};
    int octets = 4 << 20, yes = 1;

    lane->descriptor = socket(AF_INET, flood->over_tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
    if (lane->descriptor < 0)
        fail("socket");
    if (connect(lane->descriptor, (struct sockaddr *)&address, sizeof address) != 0)
        fail("connect");
    setsockopt(lane->descriptor, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
    if (!flood->over_tcp)
        return;
    setsockopt(lane->descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    lane->stream = malloc(STREAM_MOST);
    if (lane->stream == NULL)
        fail("stream");
}

static void send_udp(struct flood *flood, struct lane *lane, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint8_t *octets = flood->sent_octets[i];
        flood->sent_parts[i] = (struct iovec){.iov_base = octets,
                                              .iov_len = queries_write(&flood->queries, 0, octets)};
        flood->sent[i].msg_hdr = (struct msghdr){.msg_iov = &flood->sent_parts[i], .msg_iovlen = 1};
    }
    int taken = sendmmsg(lane->descriptor, flood->sent, count, MSG_DONTWAIT);
    lane->in_flight += taken > 0 ? (unsigned)taken : 0;
}

static void send_tcp(struct flood *flood, struct lane *lane, unsigned count)
{
    static uint8_t octets[BATCH * (QUERY_OCTETS_MOST + 2)];
    uint8_t query[QUERY_OCTETS_MOST];
    struct writer out = writer_over(octets, sizeof octets);

    for (unsigned i = 0; i < count; i++) {
        size_t length = queries_write(&flood->queries, 0, query);
        write16(&out, (uint16_t)length);
        write_octets(&out, query, length);
    }
    for (size_t done = 0; done < writer_length(&out);) {
        ssize_t taken = send(lane->descriptor, octets + done, writer_length(&out) - done, 0);
        if (taken < 0)
            fail("send");
        done += (size_t)taken;
    }
    lane->in_flight += count;
}

static void take_reply(struct flood *flood, struct lane *lane, const uint8_t *reply)
{
    flood->answers++;
    flood->rcodes[reply[3] & (RCODES - 1)]++;
    if (lane->in_flight > 0)
        lane->in_flight--;
}

static void receive_udp(struct flood *flood, struct lane *lane)
{
    int count;

    do {
        count = recvmmsg(lane->descriptor, flood->received, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < count; i++)
            take_reply(flood, lane, flood->replies[i]);
    } while (count == BATCH);
}

static void receive_tcp(struct flood *flood, struct lane *lane)
{
    ssize_t got = recv(lane->descriptor, lane->stream + lane->stream_length,
                       STREAM_MOST - lane->stream_length, MSG_DONTWAIT);
    size_t at = 0;

    if (got == 0) {
        errno = ECONNRESET;
        fail("the server closed a connection");
    }
    if (got < 0)
        return;
    lane->stream_length += (size_t)got;
    while (lane->stream_length - at >= 2) {
        size_t length = load16(lane->stream + at);
        if (lane->stream_length - at < 2 + length)
            break;
        take_reply(flood, lane, lane->stream + at + 2);
        at += 2 + length;
    }
    memmove(lane->stream, lane->stream + at, lane->stream_length - at);
    lane->stream_length -= at;
}

/* Refills a lane that is at most half full, so that batches stay whole. */
static void refill(struct flood *flood, struct lane *lane, uint64_t now_ns)
{
    if (!flood->over_tcp && now_ns - lane->last_answer_ns > RESEND_MS * 1000000ULL) {
        flood->resent += lane->in_flight;
        lane->in_flight = 0;
        lane->last_answer_ns = now_ns;
    }
    while (lane->in_flight <= flood->per_lane / 2) {
        unsigned wanted = flood->per_lane - lane->in_flight;
        unsigned count = wanted < BATCH ? wanted : BATCH;
        unsigned before = lane->in_flight;
        if (flood->over_tcp)
            send_tcp(flood, lane, count);
        else
            send_udp(flood, lane, count);
        if (lane->in_flight == before)
            return;
    }
}

static void run(struct flood *flood)
{
    struct pollfd polled[SOCKETS];
    uint64_t now_ns = clock_monotonic_ns();
    uint64_t end_ns = now_ns + (uint64_t)(flood->seconds * 1e9);

    for (unsigned i = 0; i < SOCKETS; i++) {
        open_lane(flood, &flood->lanes[i]);
        flood->lanes[i].last_answer_ns = now_ns;
        polled[i] = (struct pollfd){.fd = flood->lanes[i].descriptor, .events = POLLIN};
    }
    for (; now_ns < end_ns; now_ns = clock_monotonic_ns()) {
        for (unsigned i = 0; i < SOCKETS; i++)
            refill(flood, &flood->lanes[i], now_ns);
        poll(polled, SOCKETS, 10);
        for (unsigned i = 0; i < SOCKETS; i++) {
            uint64_t before = flood->answers;
            if ((polled[i].revents & POLLIN) == 0)
                continue;
            if (flood->over_tcp)
                receive_tcp(flood, &flood->lanes[i]);
            else
                receive_udp(flood, &flood->lanes[i]);
            if (flood->answers != before)
                flood->lanes[i].last_answer_ns = now_ns;
        }
    }
}

static void read_arguments(struct flood *flood, int count, char **arguments)
{
    unsigned long in_flight = 1024;
    int option;

    flood->seconds = 3;
    flood->address.s_addr = htonl(INADDR_LOOPBACK);
    while ((option = getopt(count, arguments, "ta:p:f:s:n:")) != -1) {
        switch (option) {
        case 't':
            flood->over_tcp = true;
            break;
        case 'a':
            if (inet_pton(AF_INET, optarg, &flood->address) != 1)
                exit(2);
            break;
        case 'p':
            flood->port = (uint16_t)strtoul(optarg, NULL, 10);
            break;
        case 'f':
            flood->file = optarg;
            break;
        case 's':
            flood->seconds = strtod(optarg, NULL);
            break;
        case 'n':
            in_flight = strtoul(optarg, NULL, 10);
            break;
        default:
            exit(2);
        }
    }
    if (flood->port == 0 || flood->file == NULL || flood->seconds <= 0 || flood->seconds > 60 ||
        in_flight < SOCKETS) {
        fprintf(stderr,
                "usage: flood [-t] [-a ADDRESS] -p PORT -f NAMES [-s SECONDS] [-n IN_FLIGHT]\n");
        exit(2);
    }
    flood->per_lane = (unsigned)(in_flight / SOCKETS);
}

int main(int count, char **arguments)
{
    static struct flood flood;

    read_arguments(&flood, count, arguments);
    queries_read(&flood.queries, flood.file);
    for (unsigned i = 0; i < BATCH; i++) {
        flood.received_parts[i] =
            (struct iovec){.iov_base = flood.replies[i], .iov_len = REPLY_MOST};
        flood.received[i].msg_hdr =
            (struct msghdr){.msg_iov = &flood.received_parts[i], .msg_iovlen = 1};
    }
    run(&flood);
    printf("{\"answers\":%llu,\"per_second\":%.0f,\"resent\":%llu,\"noerror\":%llu,"
           "\"nxdomain\":%llu,\"refused\":%llu,\"servfail\":%llu}\n",
           (unsigned long long)flood.answers, (double)flood.answers / flood.seconds,
           (unsigned long long)flood.resent, (unsigned long long)flood.rcodes[0],
           (unsigned long long)flood.rcodes[3], (unsigned long long)flood.rcodes[5],
           (unsigned long long)flood.rcodes[2]);
    return EXIT_SUCCESS;
}
