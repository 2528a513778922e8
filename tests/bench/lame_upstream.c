/*
 * An upstream that answers all but some names: tests/support/lame_upstream.py over UDP only, fast
 * enough for the retries of a hundred lame names a second.
 *
 *     lame_upstream ADDRESS PORT [--well]
 *
 * Every name has the address 198.51.100.80 and nothing else. Names below lame.example get no reply,
 * and those below slow.example get theirs after 3 s; with --well, these are as all others. Prints
 * `ready` once it listens.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/clock.h"

enum {
    HEADER_OCTETS = 12,
    RECORD_OCTETS = 16,
    QUERY_MOST = 512,
    ROOM_OCTETS = 8 << 20,
    SLOW_MS = 3000,
    LATE_MOST = 1 << 16,
    ROUNDS_MOST = 256, /* read before late replies are sent */
};

static const char lame[] = "\4lame\7example", slow[] = "\4slow\7example";
static const unsigned char record[RECORD_OCTETS + 1] =
    "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc6\x33\x64\x50";

struct reply {
    struct sockaddr_in client;
    unsigned long long due_ms;
    size_t length;
    unsigned char octets[QUERY_MOST + RECORD_OCTETS];
};

/* All are late by the same time, so the first in is the first out. */
static struct reply late[LATE_MOST];
static unsigned late_first, late_end;

static unsigned long long now_ms(void)
{
    return clock_monotonic_ns() / 1000000;
}

/* Behind the question's name; 0 when there is none. */
static size_t name_end(const unsigned char *query, size_t length)
{
    size_t at = HEADER_OCTETS;

    while (at < length && query[at] != 0)
        at += 1U + query[at];
    return at + 5 <= length ? at + 1 : 0;
}

/* `ending` with its closing zero is what the names end with. */
static bool is_below(const struct reply *reply, size_t end, const char *ending, size_t octets)
{
    return end >= HEADER_OCTETS + octets &&
           strncasecmp((const char *)reply->octets + end - octets, ending, octets) == 0;
}

/* Turns a query into its answer, in place. */
static void answer(struct reply *reply, size_t end)
{
    bool has_address = reply->octets[end] == 0 && reply->octets[end + 1] == 1;
    unsigned char *octets = reply->octets;

    octets[2] = (unsigned char)(0x80 | (octets[2] & 1));
    octets[3] = 0x80;
    memcpy(octets + 4, has_address ? "\0\1\0\1\0\0\0\0" : "\0\1\0\0\0\0\0\0", 8);
    reply->length = end + 4;
    if (!has_address)
        return;
    memcpy(octets + reply->length, record, RECORD_OCTETS);
    reply->length += RECORD_OCTETS;
}

static void send_reply(int handle, const struct reply *reply)
{
    sendto(handle, reply->octets, reply->length, 0, (const struct sockaddr *)&reply->client,
           sizeof reply->client);
}

static void send_late(int handle)
{
    for (; late_first != late_end && late[late_first % LATE_MOST].due_ms <= now_ms(); late_first++)
        send_reply(handle, &late[late_first % LATE_MOST]);
}

static void keep(const struct reply *reply)
{
    if (late_end - late_first == LATE_MOST)
        return;
    late[late_end % LATE_MOST] = *reply;
    late[late_end % LATE_MOST].due_ms = now_ms() + SLOW_MS;
    late_end++;
}

/* Takes one query. Returns false when there is none. */
static bool take(int handle, bool is_well)
{
    struct reply reply;
    socklen_t octets = sizeof reply.client;
    ssize_t length = recvfrom(handle, reply.octets, QUERY_MOST, MSG_DONTWAIT,
                              (struct sockaddr *)&reply.client, &octets);

    if (length < 0)
        return false;
    size_t end = name_end(reply.octets, (size_t)length);
    if (end == 0 || (!is_well && is_below(&reply, end, lame, sizeof lame)))
        return true;
    bool is_late = !is_well && is_below(&reply, end, slow, sizeof slow);
    answer(&reply, end);
    if (is_late)
        keep(&reply);
    else
        send_reply(handle, &reply);
    return true;
}

static int listen_at(const char *address, const char *port)
{
    struct sockaddr_in own = {.sin_family = AF_INET,
                              .sin_port = htons((in_port_t)strtoul(port, NULL, 10))};
    const int room = ROOM_OCTETS;
    int handle = socket(AF_INET, SOCK_DGRAM, 0);

    inet_pton(AF_INET, address, &own.sin_addr);
    if (setsockopt(handle, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0)
        setsockopt(handle, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (bind(handle, (const struct sockaddr *)&own, sizeof own) == 0)
        return handle;
    perror(address);
    exit(EXIT_FAILURE);
}

int main(int count, char **words)
{
    if (count < 3) {
        fprintf(stderr, "usage: lame_upstream ADDRESS PORT [--well]\n");
        return EXIT_FAILURE;
    }
    int handle = listen_at(words[1], words[2]);
    bool is_well = count > 3 && strcmp(words[3], "--well") == 0;

    printf("ready\n");
    fflush(stdout);
    for (;;) {
        struct pollfd polled = {.fd = handle, .events = POLLIN};
        poll(&polled, 1, late_first == late_end ? -1 : 10);
        for (unsigned round = 0; round < ROUNDS_MOST && take(handle, is_well); round++)
            continue;
        send_late(handle);
    }
}
