#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "scenario/stage.h"

/* Long enough for a sanitizer build on a busy machine; a good run never waits so long. */
enum { PATIENCE_MS = 30000, PROBE_ID = 0xfffe, FRAME_OCTETS = 2 };

static bool complain(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    return false;
}

/* ---- asking ---- */

static bool set_address(struct sockaddr_in *address, const char *text, uint16_t port)
{
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    return inet_pton(AF_INET, text, &address->sin_addr) == 1;
}

/* A connected socket: only replies from the very address that was asked arrive (RFC 5452). */
static int open_socket(const struct stage *stage, const struct ask *how, int type)
{
    struct sockaddr_in from, to;
    const char *asked = stage->is_loopback ? "127.0.0.1" : how->to == NULL ? "10.0.0.2" : how->to;
    int handle = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    if (handle >= 0 && set_address(&from, how->from == NULL ? "10.0.130.56" : how->from, 0) &&
        set_address(&to, asked, stage->port) &&
        bind(handle, (struct sockaddr *)&from, sizeof from) == 0 &&
        connect(handle, (struct sockaddr *)&to, sizeof to) == 0)
        return handle;
    complain("cannot reach the server");
    close(handle);
    return -1;
}

static bool is_readable(int handle)
{
    struct pollfd poller = {.fd = handle, .events = POLLIN};
    return poll(&poller, 1, PATIENCE_MS) == 1;
}

/*
 * A question that always gets a reply, sent after every request: when its reply comes first, the
 * request got none, and no timeout is needed.
 */
static size_t write_probe(uint8_t *out)
{
    return request_write(&(struct ask){.name = "version.localspace.", .id = PROBE_ID}, out);
}

static bool is_probe(const uint8_t *reply, size_t length)
{
    return length >= 12 && (reply[0] << 8 | reply[1]) == PROBE_ID;
}

static bool send_frame(int handle, const uint8_t *octets, size_t length)
{
    uint8_t frame[FRAME_OCTETS + REQUEST_OCTETS_MOST + 65536];

    frame[0] = (uint8_t)(length >> 8);
    frame[1] = (uint8_t)length;
    memcpy(frame + FRAME_OCTETS, octets, length);
    return send(handle, frame, FRAME_OCTETS + length, MSG_NOSIGNAL) ==
           (ssize_t)(FRAME_OCTETS + length);
}

static bool receive_octets(int handle, uint8_t *out, size_t length)
{
    while (length > 0) {
        ssize_t got = is_readable(handle) ? recv(handle, out, length, 0) : -1;
        if (got <= 0)
            return false;
        out += got;
        length -= (size_t)got;
    }
    return true;
}

/* Returns the frame's length, 0 when the connection ended. */
static size_t receive_frame(int handle, uint8_t *out)
{
    uint8_t head[FRAME_OCTETS];

    if (!receive_octets(handle, head, FRAME_OCTETS))
        return 0;
    size_t length = (size_t)(head[0] << 8 | head[1]);
    return receive_octets(handle, out, length) ? length : 0;
}

/* How requests and replies are sent. */
struct transport_calls {
    bool (*send)(int handle, const uint8_t *octets, size_t length);
    size_t (*receive)(int handle, uint8_t *out); /* 0: the connection has ended */
};

static bool send_datagram(int handle, const uint8_t *octets, size_t length)
{
    return send(handle, octets, length, 0) == (ssize_t)length;
}

static size_t receive_datagram(int handle, uint8_t *out)
{
    ssize_t got = is_readable(handle) ? recv(handle, out, STAGE_REPLY_OCTETS, 0) : 0;
    return got > 0 ? (size_t)got : 0;
}

static const struct transport_calls transports[] = {
    [ASK_UDP] = {send_datagram, receive_datagram},
    [ASK_TCP] = {send_frame, receive_frame},
};

static bool send_probe(const struct transport_calls *calls, int handle)
{
    uint8_t probe[REQUEST_OCTETS_MOST];
    return calls->send(handle, probe, write_probe(probe));
}

bool live_post(struct stage *stage, struct stage_call *call)
{
    const struct transport_calls *calls = &transports[call->ask.transport];

    call->handle =
        open_socket(stage, &call->ask, call->ask.transport == ASK_UDP ? SOCK_DGRAM : SOCK_STREAM);
    if (call->handle < 0)
        return false;
    if (calls->send(call->handle, call->request, call->request_length) &&
        send_probe(calls, call->handle))
        return true;
    close(call->handle);
    return complain("cannot send");
}

/* After the reply comes the probe's and nothing else. */
static bool is_only_probe_left(const struct transport_calls *calls, int handle)
{
    static uint8_t second[STAGE_REPLY_OCTETS];
    size_t length = calls->receive(handle, second);

    return is_probe(second, length) || complain("two replies to one request, or no probe's");
}

/* A reply that waits for an upstream comes after the probe's. */
static bool receive_reply(const struct stage *stage, struct stage_call *call)
{
    const struct transport_calls *calls = &transports[call->ask.transport];
    uint8_t *reply = call->awaited.reply;
    size_t length = calls->receive(call->handle, reply);
    bool may_wait = stage->zone_count > 0 && call->ask.name != NULL;

    call->awaited.length = 0;
    if (length == 0) /* the server closes a connection with nonsense */
        return call->ask.transport == ASK_TCP || complain("no reply, not even to the probe");
    if (is_probe(reply, length) && !may_wait)
        return true;
    if (is_probe(reply, length)) {
        length = calls->receive(call->handle, reply);
        if (length == 0 || !send_probe(calls, call->handle))
            return complain("no reply");
    }
    call->awaited.length = length;
    return is_only_probe_left(calls, call->handle);
}

bool live_await(struct stage *stage, struct stage_call *call)
{
    bool worked = receive_reply(stage, call);

    close(call->handle);
    return worked;
}

/* ---- the storm ---- */

enum { LOT = 50 };

/* Sends packets in small lots, each closed by a probe, so that no buffer overflows. */
static bool storm_udp(int handle, const struct ask *how, struct dice *dice, const uint8_t *request,
                      size_t length)
{
    uint8_t packet[PACKET_OCTETS_MOST];

    for (int i = 0; i < LOT; i++) {
        size_t made = stage_make_packet(dice, request, length, packet);
        if (send(handle, packet, made, 0) < 0)
            return complain("cannot send");
    }
    if (send(handle, packet, write_probe(packet), 0) < 0)
        return complain("cannot send");
    for (;;) {
        ssize_t got = is_readable(handle) ? recv(handle, packet, sizeof packet, 0) : -1;
        if (got < 0)
            return complain("the server fell silent");
        if (is_probe(packet, (size_t)got))
            return true;
        if (!stage_is_sound_reply(packet, (size_t)got, how))
            return complain("an unsound reply");
    }
}

/* The same over one connection, which the server may close on nonsense. */
static bool storm_tcp(int handle, const struct ask *how, struct dice *dice, const uint8_t *request,
                      size_t length)
{
    static uint8_t reply[STAGE_REPLY_OCTETS];
    uint8_t packet[PACKET_OCTETS_MOST];
    size_t got;

    for (int i = 0; i < LOT; i++) {
        size_t made = stage_make_packet(dice, request, length, packet);
        if (!send_frame(handle, packet, made))
            break;
    }
    send_frame(handle, packet, write_probe(packet));
    while ((got = receive_frame(handle, reply)) > 0 && !is_probe(reply, got))
        if (!stage_is_sound_reply(reply, got, how))
            return complain("an unsound reply");
    return true;
}

bool live_storm(struct stage *stage, const struct ask *how, const uint8_t *request, size_t length,
                unsigned count)
{
    struct dice dice = {.state = 0x9e3779b97f4a7c15};
    bool is_udp = how->transport == ASK_UDP;
    bool is_sound = true;

    for (unsigned lot = 0; lot < count / LOT && is_sound; lot++) {
        int handle = open_socket(stage, how, is_udp ? SOCK_DGRAM : SOCK_STREAM);
        if (handle < 0)
            return false;
        is_sound = is_udp ? storm_udp(handle, how, &dice, request, length)
                          : storm_tcp(handle, how, &dice, request, length);
        close(handle);
    }
    return is_sound;
}
