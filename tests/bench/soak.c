/*
 * Long-running clients of one server: many that misbehave over TCP, beside some that ask at a
 * steady rate over UDP and TCP and must lose nothing.
 *
 *     soak -t SERVER -u UPSTREAM:PORT [-s SECONDS] [-c CONNECTIONS] [-r SEED]
 *
 * It needs a network where every address is its own (tests/bench/soak makes one). The bad ones come
 * from ADDRESSES addresses, some of them inside the space: bursts of whole queries of 1,024 octets,
 * half frames, invalid frames, replies never read, resets, half-closed connections. Names below
 * soak.example are forwarded to UPSTREAM, which is this program, too, and answers slowly.
 *
 * Every stream that is read is parsed: whole frames, each the reply to a query of that connection
 * with its question, none twice. Prints one line of results; fails when a good client has lost a
 * reply, or a stream was wrong. Ends after SECONDS, 7,200 at most.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"

enum {
    ADDRESSES = 500,
    GREEDY = 8, /* of them */
    CROWD = 200,
    PEERS_MOST = 8192,
    GOOD_TCP = 20,
    GOOD_UDP = 5,
    GOOD_EVERY_MS = 100,
    GOOD_QUERIES = 300, /* over one connection */
    IDS = 512,          /* of one connection, used in turn */
    PATIENCE_MS = 10000,
    FRAME_MOST = 4096, /* no reply here is longer */
    SINGLE = 1024,
    LONG = 65000,
    LATE_MOST = 4096,
    EVENTS = 512,
    CONNECTS_A_TICK = 200,
    TICK_MS = 20,
    STOOD_STILL_MS = 500,
    SECONDS_MOST = 7200,
};

enum manner {
    GOOD,        /* asks steadily */
    READER,      /* asks much, reads all */
    SINGLES,     /* one whole query of 1,024 octets, then again */
    HALF,        /* the beginning of a long frame */
    NEVER_READS, /* asks for much and takes nothing */
    RESETS,      /* asks and resets */
    ENDS,        /* asks, closes its side, reads */
    RUDE,        /* frames that cannot be answered */
    IDLE,
    MANNERS,
};

struct peer {
    int descriptor; /* -1: free */
    enum manner manner;
    uint32_t address;
    uint32_t serial;
    bool is_udp, is_connected, has_sent;
    uint64_t due_ms, end_ms;
    uint16_t next_id;
    unsigned asked, under_way;
    size_t held;
    uint64_t sent_ms[IDS]; /* 0: no open query */
    uint8_t frame[2 + FRAME_MOST];
};

struct late {
    uint64_t due_ms;
    struct sockaddr_in to;
    size_t length;
    uint8_t octets[FRAME_MOST];
};

static struct peer *peers;
static size_t peer_count;
static size_t open_count;
static struct late *lates;
static size_t late_count;
static int poll_descriptor, upstream;
static struct sockaddr_in server;
static uint64_t random_state, started_ms;
static uint32_t serials;

static struct {
    uint64_t asked[2], answered[2], lost[2]; /* of good clients, over UDP and TCP */
    uint64_t connected, closed_by_server, streams, frames, wrong;
    uint64_t stood_still_ms; /* this program itself, and its upstream with it */
} total;

static void fail(const char *what)
{
    fprintf(stderr, "soak: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint32_t draw(uint32_t below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((random_state >> 33) % below);
}

/* ---- queries and replies ---- */

static void write_name(struct writer *out, const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, ".");
        write8(out, (uint8_t)length);
        write_octets(out, text, length);
        text += length + (text[length] == '.');
    }
    write8(out, 0);
}

/* Every third query of a client inside the space is one for the upstream. */
static bool is_forwarded(const struct peer *peer, uint16_t id)
{
    return peer->address >> 16 == 0x0a00 && id % 3 == 0;
}

/* Header and question; what a connection asks follows from its serial and the id. */
static size_t write_query(const struct peer *peer, uint16_t id, uint8_t *octets)
{
    struct writer out = writer_over(octets, 512);
    char name[64];

    write16(&out, id);
    write16(&out, 0x0100);
    write16(&out, 1);
    write16(&out, 0);
    write32(&out, 0);
    if (is_forwarded(peer, id))
        snprintf(name, sizeof name, "q%u.p%u.soak.example", (unsigned)id, (unsigned)peer->serial);
    else
        snprintf(name, sizeof name, "frozen-oasis-70544.herokuapp.com");
    write_name(&out, name);
    write16(&out, is_forwarded(peer, id) ? 16 : 1);
    write16(&out, 1);
    return writer_length(&out);
}

static void note_wrong(const struct peer *peer, const char *what)
{
    total.wrong++;
    fprintf(stderr, "soak: wrong: %s (connection %u of %08x, manner %d)\n", what,
            (unsigned)peer->serial, (unsigned)peer->address, (int)peer->manner);
}

/* One whole reply. */
static void take_reply(struct peer *peer, const uint8_t *reply, size_t length)
{
    uint8_t query[512];

    total.frames++;
    if (length < 12 || (reply[2] & 0x80) == 0 || load16(reply) >= IDS ||
        peer->sent_ms[load16(reply)] == 0) {
        note_wrong(peer, "a reply to nothing that is under way");
        return;
    }
    uint16_t id = load16(reply);
    size_t asked = write_query(peer, id, query);
    bool is_refusal = length == 12 && peer->manner == SINGLES; /* of octets behind the question */
    if (!is_refusal && (length < asked || memcmp(reply + 12, query + 12, asked - 12) != 0))
        note_wrong(peer, "a reply to another question");
    peer->sent_ms[id] = 0;
    peer->under_way--;
    if (peer->manner == GOOD)
        total.answered[!peer->is_udp]++;
}

static void take_stream(struct peer *peer, const uint8_t *octets, size_t length)
{
    while (length > 0) {
        size_t wanted = peer->held < 2 ? 2 : (size_t)2 + load16(peer->frame);
        if (wanted > sizeof peer->frame) {
            note_wrong(peer, "a frame longer than any reply");
            return;
        }
        size_t taken = wanted - peer->held < length ? wanted - peer->held : length;
        memcpy(peer->frame + peer->held, octets, taken);
        peer->held += taken, octets += taken, length -= taken;
        if (peer->held < wanted || peer->held <= 2)
            continue;
        take_reply(peer, peer->frame + 2, wanted - 2);
        peer->held = 0;
    }
}

/* ---- connections ---- */

static bool reads(const struct peer *peer)
{
    return peer->manner == GOOD || peer->manner == READER || peer->manner == ENDS ||
           peer->manner == SINGLES;
}

static void leave(struct peer *peer)
{
    if (peer->manner == GOOD)
        total.lost[!peer->is_udp] += peer->under_way;
    if (!peer->is_udp && reads(peer) && peer->is_connected)
        total.streams++;
    close(peer->descriptor);
    peer->descriptor = -1;
    open_count--;
}

static bool enter(struct peer *peer, enum manner manner, uint32_t address, bool is_udp)
{
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    int on = 1, small = 2048;

    memset(peer, 0, sizeof *peer);
    peer->manner = manner;
    peer->address = address;
    peer->is_udp = peer->is_connected = is_udp;
    peer->serial = ++serials;
    peer->end_ms = now_ms() + 200 + draw(draw(2) == 0 ? 2000 : 40000);
    peer->descriptor =
        socket(AF_INET, (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (peer->descriptor < 0)
        return false;
    setsockopt(peer->descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (manner == NEVER_READS)
        setsockopt(peer->descriptor, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = peer};
    if (bind(peer->descriptor, (struct sockaddr *)&from, sizeof from) != 0 ||
        (connect(peer->descriptor, (struct sockaddr *)&server, sizeof server) != 0 &&
         errno != EINPROGRESS) ||
        epoll_ctl(poll_descriptor, EPOLL_CTL_ADD, peer->descriptor, &event) != 0) {
        close(peer->descriptor);
        peer->descriptor = -1;
        return false;
    }
    open_count++;
    return true;
}

/* False when the socket has not taken all; then the stream is of no use any more. */
static bool put(struct peer *peer, const void *octets, size_t length)
{
    ssize_t taken = send(peer->descriptor, octets, length, MSG_NOSIGNAL);

    if (taken > 0 && taken < (ssize_t)length)
        peer->end_ms = 0;
    return taken == (ssize_t)length;
}

/* One query; its frame is made `padded` octets long. */
static bool ask(struct peer *peer, size_t padded)
{
    uint8_t octets[2 + SINGLE] = {0};
    uint16_t id = peer->next_id;

    if (peer->sent_ms[id] != 0 || peer->end_ms == 0)
        return false;
    size_t length = write_query(peer, id, octets + 2);
    length = length + 2 < padded ? padded - 2 : length;
    store16(octets, (uint16_t)length);
    if (!put(peer, octets + (peer->is_udp ? 2 : 0), length + (peer->is_udp ? 0 : 2)))
        return false;
    peer->next_id = (uint16_t)((id + 1) % IDS);
    peer->sent_ms[id] = now_ms();
    peer->asked++;
    peer->under_way++;
    if (peer->manner == GOOD)
        total.asked[!peer->is_udp]++;
    return true;
}

static void reset(struct peer *peer)
{
    struct linger now = {.l_onoff = 1};

    setsockopt(peer->descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    leave(peer);
}

static void misbehave(struct peer *peer)
{
    static const uint8_t half[LONG] = {0xff, 0xff, 'B'}, rude[] = {0, 3, 1, 2, 3}, empty[2];

    switch (peer->manner) {
    case READER:
        for (unsigned i = 0; i < 4 && ask(peer, 0); i++)
            ;
        break;
    case SINGLES:
        ask(peer, SINGLE);
        break;
    case HALF:
        if (!peer->has_sent)
            put(peer, half, draw(2) == 0 ? LONG : draw(200));
        break;
    case NEVER_READS:
        for (unsigned i = 0; i < 400; i++) {
            peer->sent_ms[peer->next_id] = 0;
            if (!ask(peer, 0))
                break;
        }
        break;
    case RESETS:
        ask(peer, 0);
        if (peer->has_sent)
            reset(peer);
        break;
    case ENDS:
        if (!peer->has_sent) {
            for (unsigned i = 0; i < 5; i++)
                ask(peer, 0);
            shutdown(peer->descriptor, SHUT_WR);
        }
        break;
    case RUDE:
        put(peer, draw(20) == 0 ? empty : rude, draw(20) == 0 ? sizeof empty : sizeof rude);
        break;
    default:
        break;
    }
    peer->has_sent = true;
}

/* The next step of a good client. */
static void go_on(struct peer *peer, uint64_t now)
{
    for (size_t i = 0; i < IDS; i++) {
        if (peer->sent_ms[i] == 0 || now - peer->sent_ms[i] < PATIENCE_MS)
            continue;
        peer->sent_ms[i] = 0;
        peer->under_way--;
        total.lost[!peer->is_udp]++;
        fprintf(
            stderr,
            "soak: lost: no reply to %u of connection %u of %08x over %s after %d ms (at %" PRIu64
            " s)\n",
            (unsigned)i, (unsigned)peer->serial, (unsigned)peer->address,
            peer->is_udp ? "UDP" : "TCP", PATIENCE_MS, (now - started_ms) / 1000);
    }
    if (peer->is_udp || peer->asked < GOOD_QUERIES) {
        ask(peer, 0);
        return;
    }
    if (peer->under_way > 0)
        return;
    uint32_t address = peer->address;
    leave(peer);
    enter(peer, GOOD, address, false);
}

static void on_closed(struct peer *peer)
{
    uint32_t address = peer->address;

    total.closed_by_server++;
    bool is_good = peer->manner == GOOD;
    if (is_good && peer->under_way > 0)
        fprintf(stderr, "soak: lost: connection %u was closed with %u replies to come\n",
                (unsigned)peer->serial, peer->under_way);
    leave(peer);
    if (is_good)
        enter(peer, GOOD, address, false);
}

static void on_readable(struct peer *peer)
{
    static uint8_t octets[1 << 16];

    for (;;) {
        ssize_t got = recv(peer->descriptor, octets, sizeof octets, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || peer->is_udp))
            return;
        if (got <= 0) {
            on_closed(peer);
            return;
        }
        if (peer->is_udp)
            take_reply(peer, octets, (size_t)got);
        else
            take_stream(peer, octets, (size_t)got);
    }
}

static void on_event(struct peer *peer, uint32_t events)
{
    if (peer->descriptor < 0)
        return;
    if (!peer->is_connected && (events & (EPOLLERR | EPOLLHUP)) != 0) {
        on_closed(peer);
        return;
    }
    if (!peer->is_connected && (events & EPOLLOUT) != 0) {
        peer->is_connected = true;
        total.connected++;
        if (peer->manner == SINGLES || peer->manner == HALF)
            misbehave(peer);
    }
    if (reads(peer) && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
        on_readable(peer);
    else if ((events & (EPOLLERR | EPOLLHUP)) != 0)
        on_closed(peer);
}

/* ---- the upstream ---- */

static void serve_upstream(uint64_t now)
{
    while (late_count < LATE_MOST) {
        struct late *late = &lates[late_count];
        socklen_t octets = sizeof late->to;
        ssize_t got = recvfrom(upstream, late->octets, 512, MSG_DONTWAIT,
                               (struct sockaddr *)&late->to, &octets);
        if (got < 17)
            return;
        struct reader in = reader_over(late->octets, (size_t)got);
        read_span(&in, 12);
        for (uint8_t label = read8(&in); label > 0; label = read8(&in))
            read_span(&in, label);
        uint16_t type = read16(&in);
        read16(&in);
        if (in.failed)
            continue;
        struct writer out = writer_over(late->octets, FRAME_MOST);
        write_span(&out, (size_t)(in.next - in.start));
        unsigned records = type == 16 ? draw(4) + 1 : 0;
        store16(late->octets + 2, 0x8180);
        store16(late->octets + 6, (uint16_t)records);
        store32(late->octets + 8, 0);
        for (unsigned i = 0; i < records; i++) {
            write16(&out, 0xc00c);
            write16(&out, 16);
            write16(&out, 1);
            write32(&out, 1);
            write16(&out, 201);
            write8(&out, 200);
            memset(write_span(&out, 200), (int)('a' + i), 200);
        }
        late->length = writer_length(&out);
        late->due_ms = now + draw(200);
        late_count++;
    }
}

static void send_late(uint64_t now)
{
    for (size_t i = 0; i < late_count;) {
        const struct late *late = &lates[i];
        if (late->due_ms > now) {
            i++;
            continue;
        }
        sendto(upstream, late->octets, late->length, MSG_DONTWAIT, (const void *)&late->to,
               sizeof late->to);
        lates[i] = lates[--late_count];
    }
}

/* ---- the run ---- */

/* Most of the bad ones are outside of every space; a few are over the limit of one client. */
static uint32_t bad_address(void)
{
    uint32_t number = draw(3) == 0 ? draw(GREEDY) : draw(ADDRESSES);

    return number < 4 ? 0x0a008200 + 200 + number : 0xcb007100 + number;
}

/* A burst from one address: queries of 1,024 octets, new connections, and a long read. */
static void crowd(uint64_t now)
{
    uint32_t address = 0xcb007100 + 4 + draw(GREEDY - 4);
    unsigned left = CROWD;

    for (size_t i = GOOD_TCP + GOOD_UDP; i < peer_count && left > 0; i++)
        if (peers[i].descriptor < 0 &&
            enter(&peers[i], left % 20 == 1 ? HALF : SINGLES, address, false)) {
            peers[i].end_ms = now + 3000;
            left--;
        }
}

static void tick(uint64_t now)
{
    unsigned connects = 0;

    for (size_t i = 0; i < peer_count; i++) {
        struct peer *peer = &peers[i];
        if (peer->descriptor < 0 && i < GOOD_TCP + GOOD_UDP) {
            enter(peer, GOOD, peer->address, peer->is_udp);
        } else if (peer->descriptor < 0 && connects < CONNECTS_A_TICK) {
            connects++;
            enter(peer, (enum manner)(1 + draw(MANNERS - 1)), bad_address(), false);
        } else if (peer->descriptor >= 0 && peer->is_connected && peer->due_ms <= now) {
            peer->due_ms = now + (peer->manner == GOOD ? GOOD_EVERY_MS : 20 + draw(3000));
            if (peer->manner == GOOD)
                go_on(peer, now);
            else
                misbehave(peer);
        }
        if (peer->descriptor >= 0 && peer->manner != GOOD && peer->end_ms <= now)
            leave(peer);
    }
    if (draw(25) == 0)
        crowd(now);
}

/* While this program was not scheduled it read nothing: that delay is its own. */
static void forgive(uint64_t gap_ms, uint64_t now)
{
    total.stood_still_ms += gap_ms;
    fprintf(stderr, "soak: stood still for %" PRIu64 " ms\n", gap_ms);
    for (size_t i = 0; i < GOOD_TCP + GOOD_UDP; i++)
        for (size_t id = 0; id < IDS; id++)
            if (peers[i].sent_ms[id] != 0)
                peers[i].sent_ms[id] =
                    peers[i].sent_ms[id] + gap_ms < now ? peers[i].sent_ms[id] + gap_ms : now;
}

static void run(uint64_t end_ms)
{
    struct epoll_event events[EVENTS];
    uint64_t next_ms = 0, last_ms = now_ms();

    for (uint64_t now = last_ms; now < end_ms; now = now_ms()) {
        if (now - last_ms > STOOD_STILL_MS)
            forgive(now - last_ms, now);
        last_ms = now;
        int count = epoll_wait(poll_descriptor, events, EVENTS, 5);
        for (int i = 0; i < count; i++)
            if (events[i].data.ptr != NULL)
                on_event(events[i].data.ptr, events[i].events);
        serve_upstream(now);
        send_late(now);
        if (now < next_ms)
            continue;
        next_ms = now + TICK_MS;
        tick(now);
    }
}

/* Good clients wait for their open queries; all others close. */
static void run_out(void)
{
    uint64_t end_ms = now_ms() + PATIENCE_MS;
    struct epoll_event events[EVENTS];
    unsigned left = 1;

    for (size_t i = GOOD_TCP + GOOD_UDP; i < peer_count; i++)
        if (peers[i].descriptor >= 0)
            leave(&peers[i]);
    for (uint64_t now = now_ms(); left > 0 && now < end_ms; now = now_ms()) {
        int count = epoll_wait(poll_descriptor, events, EVENTS, 20);
        for (int i = 0; i < count; i++)
            if (events[i].data.ptr != NULL)
                on_event(events[i].data.ptr, events[i].events);
        serve_upstream(now);
        send_late(now);
        left = 0;
        for (size_t i = 0; i < GOOD_TCP + GOOD_UDP; i++)
            left += peers[i].descriptor >= 0 ? peers[i].under_way : 0;
    }
    for (size_t i = 0; i < GOOD_TCP + GOOD_UDP; i++)
        if (peers[i].descriptor >= 0)
            leave(&peers[i]);
}

static void begin(size_t connections, const char *upstream_text)
{
    struct sockaddr_in here = {.sin_family = AF_INET};
    char address[64];
    int buffer = 4 << 20;

    snprintf(address, sizeof address, "%s", upstream_text);
    char *colon = strchr(address, ':');
    if (colon != NULL)
        *colon = '\0';
    here.sin_port = htons((uint16_t)atoi(colon == NULL ? "53" : colon + 1));
    upstream = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    setsockopt(upstream, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    if (inet_pton(AF_INET, address, &here.sin_addr) != 1 ||
        bind(upstream, (struct sockaddr *)&here, sizeof here) != 0)
        fail(upstream_text);
    peer_count = connections + GOOD_TCP + GOOD_UDP;
    peers = calloc(peer_count, sizeof *peers);
    lates = calloc(LATE_MOST, sizeof *lates);
    poll_descriptor = epoll_create1(EPOLL_CLOEXEC);
    if (peers == NULL || lates == NULL || poll_descriptor < 0)
        fail("epoll");
    for (size_t i = 0; i < peer_count; i++) {
        peers[i].descriptor = -1;
        peers[i].address = 0x0a008238 + (uint32_t)i % GOOD_UDP; /* 10.0.130.56 ... */
        peers[i].is_udp = i >= GOOD_TCP && i < GOOD_TCP + GOOD_UDP;
    }
}

static void print_totals(void)
{
    printf("{\"seconds\": %" PRIu64 ", \"udp_asked\": %" PRIu64 ", \"udp_answered\": %" PRIu64
           ", \"udp_lost\": %" PRIu64 ", \"tcp_asked\": %" PRIu64 ", \"tcp_answered\": %" PRIu64
           ", \"tcp_lost\": %" PRIu64 ", \"connections\": %" PRIu64
           ", \"closed_by_server\": %" PRIu64 ", \"streams_parsed\": %" PRIu64
           ", \"frames_parsed\": %" PRIu64 ", \"wrong\": %" PRIu64 ", \"stood_still_ms\": %" PRIu64
           "}\n",
           (now_ms() - started_ms) / 1000, total.asked[0], total.answered[0], total.lost[0],
           total.asked[1], total.answered[1], total.lost[1], total.connected,
           total.closed_by_server, total.streams, total.frames, total.wrong, total.stood_still_ms);
}

int main(int argc, char **argv)
{
    const char *to = NULL, *upstream_text = NULL;
    uint64_t seconds = 60;
    size_t connections = 5000;
    int option;

    random_state = 1;
    while ((option = getopt(argc, argv, "t:u:s:c:r:")) != -1)
        switch (option) {
        case 't':
            to = optarg;
            break;
        case 'u':
            upstream_text = optarg;
            break;
        case 's':
            seconds = strtoull(optarg, NULL, 10);
            break;
        case 'c':
            connections = strtoull(optarg, NULL, 10);
            break;
        case 'r':
            random_state = strtoull(optarg, NULL, 10);
            break;
        default:
            return 2;
        }
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(53)};
    if (to == NULL || upstream_text == NULL || connections > PEERS_MOST || seconds > SECONDS_MOST ||
        inet_pton(AF_INET, to, &server.sin_addr) != 1) {
        fprintf(stderr, "usage: soak -t SERVER -u UPSTREAM:PORT [-s SECONDS] [-c CONNECTIONS] "
                        "[-r SEED]\n");
        return 2;
    }
    begin(connections, upstream_text);
    started_ms = now_ms();
    run(started_ms + seconds * 1000);
    run_out();
    print_totals();
    return total.wrong + total.lost[0] + total.lost[1] == 0 ? 0 : 1;
}
