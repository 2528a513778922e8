/*
 * A DNS client that asks steadily over UDP and TCP and misses nothing: every query has a number,
 * and what became of each is counted.
 *
 *     steady -p PORT [-n NAME] [-u QUERIES_A_SECOND] [-c TCP_CLIENTS]
 *            [-q QUERIES_A_SECOND_EACH] [-s SECONDS]
 *
 * UDP queries leave LANES sockets at the given rate, whether or not replies come. Each TCP client
 * asks over its connection, one query at a time, and every RECONNECT_EVERY queries over a new one.
 * It ends after SECONDS, or on SIGTERM, waits GRACE_MS for what is missing, and prints one line:
 *
 *     {"seconds": 1.0, "udp_sent": 1, "udp_good": 1, "udp_bad": 0, "udp_lost": 0,
 *      "udp_own_drops": 0, "udp_late": 0, "udp_longest_ms": 1, "tcp_sent": 1, "tcp_good": 1,
 *      "tcp_bad": 0, "tcp_unanswered": 0, "tcp_connections": 1, "tcp_closed": 0,
 *      "tcp_longest_ms": 1}
 *
 * good: NOERROR with an answer; bad: anything else; lost: no reply; own_drops: of these, dropped by
 * this client's own sockets; late: a reply after LATE_MS; unanswered: the server closed the
 * connection, or was silent; closed: by the server between two queries.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <signal.h>
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
    LANES = 32,
    IDS = 65536,
    CLIENTS_MOST = 10000,
    RECONNECT_EVERY = 50,
    GRACE_MS = 8000,
    LATE_MS = 100,
    EVENTS_MOST = 256,
    BATCH = 32,
    BURST = 256,
    MESSAGE_MOST = 512,
    BUFFER_OCTETS = 4 << 20,
    NS_PER_MS = 1000000,
    HEADER = 12,
    FRAME = 2,
};

struct lane {
    int descriptor;
    uint16_t next_id;
    uint64_t sent_ns[IDS]; /* 0: no open query with this id */
};

struct tcp_client {
    int descriptor; /* -1: not connected */
    uint16_t id;
    bool is_waiting;
    unsigned asked; /* over this connection */
    uint64_t sent_ns, due_ns;
    uint8_t input[FRAME + MESSAGE_MOST];
    size_t held;
};

static struct {
    struct sockaddr_in server;
    double udp_rate, tcp_rate, seconds;
    unsigned client_count;
    uint8_t query[MESSAGE_MOST];
    size_t query_length;
    struct lane *lanes;
    struct tcp_client *clients;
    int poller;
    uint64_t ran_ns;
    uint64_t udp_sent, udp_good, udp_bad, udp_lost, udp_late, udp_longest;
    uint64_t tcp_sent, tcp_good, tcp_bad, tcp_unanswered, tcp_connections, tcp_closed, tcp_longest;
} steady = {.udp_rate = 1000, .tcp_rate = 10, .seconds = 600};

static volatile sig_atomic_t is_ending;

static void on_end(int number)
{
    (void)number;
    is_ending = 1;
}

static void fail(const char *what)
{
    fprintf(stderr, "steady: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void watch(int descriptor, void *whom)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = whom};

    if (epoll_ctl(steady.poller, EPOLL_CTL_ADD, descriptor, &event) != 0)
        fail("epoll_ctl");
}

static void write_query(const char *name)
{
    struct writer out = writer_over(steady.query, sizeof steady.query);

    write32(&out, 0x0100); /* id 0, RD */
    write32(&out, 0x00010000);
    write32(&out, 0);
    while (*name != '\0') {
        size_t length = strcspn(name, ".");
        write8(&out, (uint8_t)length);
        write_octets(&out, (const uint8_t *)name, length);
        name += length + (name[length] == '.');
    }
    write8(&out, 0);
    write32(&out, 0x00010001); /* A, IN */
    steady.query_length = writer_length(&out);
}

static bool is_good(const uint8_t *reply, size_t length)
{
    return length >= HEADER && (reply[2] & 0x80) != 0 && (reply[3] & 15) == 0 &&
           load16(reply + 6) > 0;
}

/* ---- UDP ---- */

static void open_lane(struct lane *lane)
{
    int octets = BUFFER_OCTETS;

    lane->descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (lane->descriptor < 0 ||
        connect(lane->descriptor, (struct sockaddr *)&steady.server, sizeof steady.server) != 0)
        fail("UDP socket");
    setsockopt(lane->descriptor, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
    setsockopt(lane->descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets);
    watch(lane->descriptor, lane);
}

static void ask_udp(struct lane *lane)
{
    uint8_t query[MESSAGE_MOST];
    uint16_t id = lane->next_id++;

    if (lane->sent_ns[id] != 0)
        steady.udp_lost++;
    memcpy(query, steady.query, steady.query_length);
    store16(query, id);
    lane->sent_ns[id] = now_ns();
    /* A full queue here is this client's own; nothing has been asked then. */
    if (send(lane->descriptor, query, steady.query_length, 0) < 0 && errno != ECONNREFUSED)
        lane->sent_ns[id] = 0;
    else
        steady.udp_sent++;
}

static void note_udp(struct lane *lane, const uint8_t *reply, size_t length)
{
    uint16_t id = length < HEADER ? 0 : load16(reply);

    if (length < HEADER || lane->sent_ns[id] == 0)
        return;
    uint64_t took = now_ns() - lane->sent_ns[id];
    lane->sent_ns[id] = 0;
    steady.udp_longest = took > steady.udp_longest ? took : steady.udp_longest;
    steady.udp_late += took > (uint64_t)LATE_MS * NS_PER_MS;
    if (is_good(reply, length))
        steady.udp_good++;
    else
        steady.udp_bad++;
}

static void read_lane(struct lane *lane)
{
    static uint8_t octets[BATCH][MESSAGE_MOST];
    struct iovec parts[BATCH];
    struct mmsghdr messages[BATCH] = {0};

    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){.iov_base = octets[i], .iov_len = MESSAGE_MOST};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    int count = recvmmsg(lane->descriptor, messages, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++)
        note_udp(lane, octets[i], messages[i].msg_len);
}

static uint64_t count_own_drops(void)
{
    uint64_t drops = 0;

    for (int i = 0; i < LANES; i++) {
        uint32_t memory[SK_MEMINFO_VARS] = {0};
        socklen_t octets = sizeof memory;
        if (getsockopt(steady.lanes[i].descriptor, SOL_SOCKET, SO_MEMINFO, memory, &octets) == 0)
            drops += memory[SK_MEMINFO_DROPS];
    }
    return drops;
}

static uint64_t count_open(void)
{
    uint64_t open = 0;

    for (int i = 0; i < LANES; i++)
        for (int id = 0; id < IDS; id++)
            open += steady.lanes[i].sent_ns[id] != 0;
    return open;
}

/* ---- TCP ---- */

static void disconnect(struct tcp_client *client)
{
    if (client->descriptor >= 0)
        close(client->descriptor);
    client->descriptor = -1;
    client->held = 0;
}

/* Each client has an address of its own, as limits per client count them. */
static uint32_t client_address(const struct tcp_client *client)
{
    return 0x7f010001 + (uint32_t)(client - steady.clients);
}

static bool connect_client(struct tcp_client *client)
{
    struct sockaddr_in own = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(client_address(client))};

    client->descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (client->descriptor < 0 ||
        bind(client->descriptor, (struct sockaddr *)&own, sizeof own) != 0)
        fail("TCP socket");
    if (connect(client->descriptor, (struct sockaddr *)&steady.server, sizeof steady.server) != 0) {
        disconnect(client);
        return false;
    }
    client->asked = 0;
    steady.tcp_connections++;
    watch(client->descriptor, client);
    return true;
}

static void miss(struct tcp_client *client)
{
    if (client->is_waiting)
        steady.tcp_unanswered++;
    else
        steady.tcp_closed++;
    client->is_waiting = false;
    disconnect(client);
}

static void ask_tcp(struct tcp_client *client, uint64_t now)
{
    uint8_t query[FRAME + MESSAGE_MOST];

    client->due_ns = now + (uint64_t)(1e9 / steady.tcp_rate);
    if (client->asked == RECONNECT_EVERY)
        disconnect(client);
    steady.tcp_sent++;
    client->is_waiting = true;
    client->sent_ns = now;
    if (client->descriptor < 0 && !connect_client(client)) {
        miss(client);
        return;
    }
    store16(query, (uint16_t)steady.query_length);
    memcpy(query + FRAME, steady.query, steady.query_length);
    store16(query + FRAME, ++client->id);
    client->asked++;
    if (send(client->descriptor, query, FRAME + steady.query_length, MSG_NOSIGNAL) < 0)
        miss(client);
}

static void note_tcp(struct tcp_client *client)
{
    uint64_t took = now_ns() - client->sent_ns;

    if (!client->is_waiting || load16(client->input + FRAME) != client->id)
        return;
    client->is_waiting = false;
    steady.tcp_longest = took > steady.tcp_longest ? took : steady.tcp_longest;
    if (is_good(client->input + FRAME, load16(client->input)))
        steady.tcp_good++;
    else
        steady.tcp_bad++;
}

static void read_client(struct tcp_client *client)
{
    ssize_t length = recv(client->descriptor, client->input + client->held,
                          sizeof client->input - client->held, MSG_DONTWAIT);

    if (length < 0 && errno == EAGAIN)
        return;
    if (length <= 0) {
        miss(client);
        return;
    }
    client->held += (size_t)length;
    if (client->held < FRAME || client->held < (size_t)FRAME + load16(client->input))
        return;
    note_tcp(client);
    client->held = 0; /* one query at a time */
}

/* ---- time ---- */

static bool is_lane(const void *whom)
{
    const struct lane *lane = whom;

    return lane >= steady.lanes && lane < steady.lanes + LANES;
}

static void take_events(int wait_ms)
{
    struct epoll_event events[EVENTS_MOST];
    int count = epoll_wait(steady.poller, events, EVENTS_MOST, wait_ms);

    for (int i = 0; i < count; i++)
        if (is_lane(events[i].data.ptr))
            read_lane(events[i].data.ptr);
        else if (((struct tcp_client *)events[i].data.ptr)->descriptor >= 0)
            read_client(events[i].data.ptr);
}

/* Sends what is due by now, in bursts so that replies are read between. Returns false when more is.
 */
static bool send_due(uint64_t start_ns, uint64_t now)
{
    static uint64_t asked;
    uint64_t due = (uint64_t)((double)(now - start_ns) * steady.udp_rate / 1e9);

    for (int i = 0; asked < due && i < BURST; i++)
        ask_udp(&steady.lanes[asked++ % LANES]);
    for (unsigned i = 0; i < steady.client_count; i++)
        if (!steady.clients[i].is_waiting && steady.clients[i].due_ns <= now)
            ask_tcp(&steady.clients[i], now);
    return asked == due;
}

static bool is_complete(void)
{
    for (unsigned i = 0; i < steady.client_count; i++)
        if (steady.clients[i].is_waiting)
            return false;
    return count_open() == 0;
}

static void run(void)
{
    uint64_t start = now_ns(), now = start;

    while (is_ending == 0 && (double)(now - start) < steady.seconds * 1e9) {
        take_events(send_due(start, now) ? 1 : 0);
        now = now_ns();
    }
    steady.ran_ns = now - start;
    uint64_t end = now + (uint64_t)GRACE_MS * NS_PER_MS;
    while (!is_complete() && now_ns() < end)
        take_events(10);
}

static void print_result(void)
{
    for (unsigned i = 0; i < steady.client_count; i++)
        steady.tcp_unanswered += steady.clients[i].is_waiting;
    printf("{\"seconds\": %.1f, \"udp_sent\": %llu, \"udp_good\": %llu, \"udp_bad\": %llu, "
           "\"udp_lost\": %llu, "
           "\"udp_own_drops\": %llu, \"udp_late\": %llu, \"udp_longest_ms\": %llu, ",
           (double)steady.ran_ns / 1e9, (unsigned long long)steady.udp_sent,
           (unsigned long long)steady.udp_good, (unsigned long long)steady.udp_bad,
           (unsigned long long)(steady.udp_lost + count_open()),
           (unsigned long long)count_own_drops(), (unsigned long long)steady.udp_late,
           (unsigned long long)(steady.udp_longest / NS_PER_MS));
    printf("\"tcp_sent\": %llu, \"tcp_good\": %llu, \"tcp_bad\": %llu, \"tcp_unanswered\": %llu, "
           "\"tcp_connections\": %llu, \"tcp_closed\": %llu, \"tcp_longest_ms\": %llu}\n",
           (unsigned long long)steady.tcp_sent, (unsigned long long)steady.tcp_good,
           (unsigned long long)steady.tcp_bad, (unsigned long long)steady.tcp_unanswered,
           (unsigned long long)steady.tcp_connections, (unsigned long long)steady.tcp_closed,
           (unsigned long long)(steady.tcp_longest / NS_PER_MS));
}

static void read_options(int argc, char **argv)
{
    const char *name = "frozen-oasis-70544.herokuapp.com";
    int option;

    steady.server =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    while ((option = getopt(argc, argv, "p:n:u:c:q:s:")) != -1)
        switch (option) {
        case 'p':
            steady.server.sin_port = htons((uint16_t)strtoul(optarg, NULL, 10));
            break;
        case 'n':
            name = optarg;
            break;
        case 'u':
            steady.udp_rate = strtod(optarg, NULL);
            break;
        case 'c':
            steady.client_count = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'q':
            steady.tcp_rate = strtod(optarg, NULL);
            break;
        case 's':
            steady.seconds = strtod(optarg, NULL);
            break;
        default:
            exit(2);
        }
    if (steady.server.sin_port == 0 || steady.client_count > CLIENTS_MOST || steady.tcp_rate <= 0)
        exit(2);
    write_query(name);
}

int main(int argc, char **argv)
{
    struct sigaction ending = {.sa_handler = on_end};

    read_options(argc, argv);
    sigaction(SIGTERM, &ending, NULL);
    sigaction(SIGINT, &ending, NULL);
    steady.poller = epoll_create1(0);
    steady.lanes = calloc(LANES, sizeof *steady.lanes);
    steady.clients = calloc(CLIENTS_MOST, sizeof *steady.clients);
    if (steady.poller < 0 || steady.lanes == NULL || steady.clients == NULL)
        fail("start");
    for (int i = 0; i < LANES; i++)
        open_lane(&steady.lanes[i]);
    for (unsigned i = 0; i < steady.client_count; i++)
        steady.clients[i].descriptor = -1;
    run();
    print_result();
    return 0;
}
