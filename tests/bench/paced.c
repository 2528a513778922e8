/*
 * A DNS client that asks at a given rate, whether or not answers come, and prints the results.
 *
 *     paced -p PORT [-s SECONDS] [-g GRACE_MS] STREAM:PER_SECOND:NAMES[:ADDRESS:COUNT] ...
 *
 * Each stream asks 127.0.0.1 for the names of its own file (support/queries.h), over LANES sockets;
 * with ADDRESS it is as many clients as COUNT, at that address and those after it, in turn.
 * Addresses must be this host's. Prints one line of JSON a stream: how many replies were
 *
 *     good    NOERROR with an answer
 *     stale   the same with EDE 3 and a TTL of 30
 *     failed  SERVFAIL with EDE 22 or 23
 *     other   anything else
 *     lost    missing GRACE_MS (6,000) after the last query; the client ends earlier when none is
 *
 * how many octets of DNS were sent and came back, and how long replies took. The time ends when the
 * kernel received the reply for this client's socket, so that the client's own load does not count.
 * Ends after SECONDS, 600 at most.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "support/queries.h"
#include "wire/name.h"

enum {
    STREAMS_MOST = 8,
    LANES = 16,
    BATCH = 64,
    REPLY_MOST = 4096,
    IDS = 65536,
    GRACE_MS = 6000, /* longer than a server waits for an upstream */
    STEPS = 64,      /* of the histogram, for each power of two */
    POWERS = 40,
    OPT = 41,
    EDE = 15,
    NO_EDE = -1,
};

enum answer_outcome { GOOD, STALE, FAILED, OTHER, OUTCOMES };

struct lane {
    int descriptor;
    uint16_t next_id;
    uint64_t sent_ns[IDS]; /* 0: no open query with this id */
};

struct stream {
    char *label;
    double per_second;
    struct queries queries;
    struct lane *lanes;
    uint32_t first_source, source_count; /* addresses in host order; count 0: the kernel's choice */
    uint64_t sent, outcomes[OUTCOMES];
    uint64_t sent_octets, received_octets;
    uint64_t longest_ns;
    uint64_t histogram[POWERS * STEPS];
};

struct batch {
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    uint8_t octets[BATCH][REPLY_MOST];
    uint8_t control[BATCH][64];
};

struct paced {
    uint16_t port;
    double seconds;
    uint64_t grace_ms;
    struct stream streams[STREAMS_MOST];
    unsigned stream_count;
    struct batch batch;
};

static void fail(const char *what)
{
    fprintf(stderr, "paced: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static uint64_t to_ns(const struct timespec *time)
{
    return (uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_nsec;
}

/* The clock that the kernel stamps datagrams with. */
static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return to_ns(&now);
}

/* ---- replies ---- */

/* The info code of the first EDE option among an OPT record's data. */
static int read_ede(struct reader *data)
{
    while (reader_left(data) > 0) {
        uint16_t code = read16(data);
        uint16_t length = read16(data);
        const uint8_t *value = read_span(data, length);
        if (code == EDE && value != NULL && length >= 2)
            return load16(value);
    }
    return NO_EDE;
}

/* Skips one record. Leaves its TTL in *ttl, and an OPT record's EDE code in *ede. */
static void read_record(struct reader *in, uint32_t *ttl, int *ede)
{
    name_skip(in);
    uint16_t type = read16(in);
    read16(in); /* class */
    *ttl = read32(in);
    uint16_t length = read16(in);
    const uint8_t *span = read_span(in, length);
    if (type == OPT && span != NULL) {
        struct reader data = reader_over(span, length);
        *ede = read_ede(&data);
    }
}

static enum answer_outcome judge(const uint8_t *octets, size_t length)
{
    struct reader in = reader_over(octets, length);
    const uint8_t *header = read_span(&in, 12);
    uint32_t first_ttl = 0, ttl = 0;
    int ede = NO_EDE;

    unsigned answers = load16(header + 6);
    unsigned records = answers + load16(header + 8) + load16(header + 10);
    name_skip(&in);
    read32(&in); /* type and class of the question */
    for (unsigned i = 0; i < records && !in.failed; i++) {
        read_record(&in, &ttl, &ede);
        first_ttl = i == 0 ? ttl : first_ttl;
    }
    unsigned rcode = header[3] & 15U;
    if (in.failed)
        return OTHER;
    if (rcode == 0 && answers > 0 && ede == NO_EDE)
        return GOOD;
    if (rcode == 0 && answers > 0 && ede == 3 && first_ttl == 30)
        return STALE;
    return rcode == 2 && (ede == 22 || ede == 23) ? FAILED : OTHER;
}

/* ---- times ---- */

static void count_time(struct stream *stream, uint64_t ns)
{
    const uint64_t steps = STEPS;
    uint64_t power = 0;

    while (ns >> power >= 2 * steps && power < POWERS - 2)
        power++;
    uint64_t step = ns >> power; /* below STEPS only with power 0 */
    stream->histogram[power * steps + (step < 2 * steps ? step : 2 * steps - 1)]++;
    if (ns > stream->longest_ns)
        stream->longest_ns = ns;
}

/* The time that this share of all replies took at most, in microseconds. */
static double percentile(const struct stream *stream, double share)
{
    uint64_t total = 0, seen = 0;

    for (unsigned i = 0; i < POWERS * STEPS; i++)
        total += stream->histogram[i];
    for (unsigned i = 0; i < POWERS * STEPS; i++) {
        seen += stream->histogram[i];
        if (seen > 0 && (double)seen >= share * (double)total) {
            unsigned power = i < 2 * STEPS ? 0 : i / STEPS - 1;
            return (double)((uint64_t)(i - power * STEPS + 1) << power) / 1000;
        }
    }
    return 0;
}

/* ---- sockets ---- */

static struct sockaddr_in server_address(const struct paced *paced)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(paced->port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

/* A socket that is not connected may send from any address. */
static void open_lane(const struct paced *paced, const struct stream *stream, struct lane *lane)
{
    struct sockaddr_in address = server_address(paced);
    int octets = 8 << 20, yes = 1;

    lane->descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    if (lane->descriptor < 0)
        fail("socket");
    if (stream->source_count == 0 &&
        connect(lane->descriptor, (struct sockaddr *)&address, sizeof address) != 0)
        fail("connect");
    if (setsockopt(lane->descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets) != 0)
        setsockopt(lane->descriptor, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
    setsockopt(lane->descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes);
}

static uint64_t arrival_ns(struct msghdr *message)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
         part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec time;
            memcpy(&time, CMSG_DATA(part), sizeof time);
            return to_ns(&time);
        }
    }
    return now_ns();
}

static void take_reply(struct stream *stream, struct lane *lane, struct mmsghdr *message)
{
    const uint8_t *octets = message->msg_hdr.msg_iov->iov_base;

    stream->received_octets += message->msg_len;
    if (message->msg_len < 12)
        return;
    uint64_t *sent_ns = &lane->sent_ns[load16(octets)];
    if (*sent_ns == 0)
        return;
    uint64_t arrived_ns = arrival_ns(&message->msg_hdr);
    count_time(stream, arrived_ns > *sent_ns ? arrived_ns - *sent_ns : 0);
    *sent_ns = 0;
    stream->outcomes[judge(octets, message->msg_len)]++;
}

static void receive(struct paced *paced, struct stream *stream, struct lane *lane)
{
    struct batch *batch = &paced->batch;
    int count;

    do {
        for (unsigned i = 0; i < BATCH; i++) {
            batch->parts[i] = (struct iovec){.iov_base = batch->octets[i], .iov_len = REPLY_MOST};
            batch->messages[i].msg_hdr = (struct msghdr){.msg_iov = &batch->parts[i],
                                                         .msg_iovlen = 1,
                                                         .msg_control = batch->control[i],
                                                         .msg_controllen = sizeof *batch->control};
        }
        count = recvmmsg(lane->descriptor, batch->messages, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < count; i++)
            take_reply(stream, lane, &batch->messages[i]);
    } while (count == BATCH);
}

/* Sends from the next of the stream's addresses, if it has any. */
static ssize_t send_from(const struct paced *paced, const struct stream *stream, int descriptor,
                         struct iovec *part)
{
    struct sockaddr_in server = server_address(paced);
    union {
        struct cmsghdr header;
        char octets[CMSG_SPACE(sizeof(struct in_pktinfo))];
    } control = {.octets = {0}};
    struct msghdr message = {.msg_iov = part, .msg_iovlen = 1};

    if (stream->source_count > 0) {
        uint32_t source = stream->first_source + (uint32_t)(stream->sent % stream->source_count);
        struct in_pktinfo info = {.ipi_spec_dst = {htonl(source)}};
        control.header = (struct cmsghdr){
            .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof info)};
        memcpy(CMSG_DATA(&control.header), &info, sizeof info);
        message.msg_control = &control;
        message.msg_controllen = sizeof control.octets;
        message.msg_name = &server;
        message.msg_namelen = sizeof server;
    }
    return sendmsg(descriptor, &message, 0);
}

static void send_one(const struct paced *paced, struct stream *stream)
{
    struct lane *lane = &stream->lanes[stream->sent % LANES];
    uint8_t octets[QUERY_OCTETS_MOST];
    uint16_t id = lane->next_id++;
    size_t length = queries_write(&stream->queries, id, octets);

    struct iovec part = {.iov_base = octets, .iov_len = length};
    lane->sent_ns[id] = now_ns();
    /* ECONNREFUSED reports an earlier query; this one was not sent. */
    while (send_from(paced, stream, lane->descriptor, &part) < 0)
        if (errno != ECONNREFUSED && errno != EINTR && errno != ENOBUFS)
            fail("send");
    stream->sent++;
    stream->sent_octets += length;
}

/* ---- the run ---- */

static void wait_and_receive(struct paced *paced, int timeout_ms)
{
    struct pollfd polled[STREAMS_MOST * LANES];

    for (unsigned i = 0; i < paced->stream_count * LANES; i++)
        polled[i] = (struct pollfd){.fd = paced->streams[i / LANES].lanes[i % LANES].descriptor,
                                    .events = POLLIN};
    poll(polled, paced->stream_count * LANES, timeout_ms);
    for (unsigned i = 0; i < paced->stream_count * LANES; i++)
        if ((polled[i].revents & POLLIN) != 0)
            receive(paced, &paced->streams[i / LANES], &paced->streams[i / LANES].lanes[i % LANES]);
}

static uint64_t count_answered(const struct stream *stream)
{
    uint64_t answered = 0;

    for (unsigned i = 0; i < OUTCOMES; i++)
        answered += stream->outcomes[i];
    return answered;
}

static bool is_waiting(const struct paced *paced)
{
    for (unsigned i = 0; i < paced->stream_count; i++)
        if (count_answered(&paced->streams[i]) < paced->streams[i].sent)
            return true;
    return false;
}

static void run(struct paced *paced)
{
    uint64_t start_ns = now_ns();
    uint64_t end_ns = start_ns + (uint64_t)(paced->seconds * 1e9);
    uint64_t now = start_ns;

    for (; now < end_ns; now = now_ns()) {
        for (unsigned i = 0; i < paced->stream_count; i++) {
            struct stream *stream = &paced->streams[i];
            double due = stream->per_second * (double)(now - start_ns) / 1e9;
            for (unsigned j = 0; j < BATCH && (double)stream->sent < due; j++)
                send_one(paced, stream);
        }
        wait_and_receive(paced, 1);
    }
    end_ns += paced->grace_ms * 1000000;
    for (; now < end_ns && is_waiting(paced); now = now_ns())
        wait_and_receive(paced, 10);
}

static void report(const struct stream *stream)
{
    printf("{\"stream\":\"%s\",\"sent\":%llu,\"good\":%llu,\"stale\":%llu,\"failed\":%llu,"
           "\"other\":%llu,\"lost\":%llu,\"sent_octets\":%llu,\"received_octets\":%llu,"
           "\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"p9999_us\":%.1f,"
           "\"longest_us\":%.1f}\n",
           stream->label, (unsigned long long)stream->sent,
           (unsigned long long)stream->outcomes[GOOD], (unsigned long long)stream->outcomes[STALE],
           (unsigned long long)stream->outcomes[FAILED],
           (unsigned long long)stream->outcomes[OTHER],
           (unsigned long long)(stream->sent - count_answered(stream)),
           (unsigned long long)stream->sent_octets, (unsigned long long)stream->received_octets,
           percentile(stream, 0.5), percentile(stream, 0.99), percentile(stream, 0.999),
           percentile(stream, 0.9999), (double)stream->longest_ns / 1000);
}

/* ADDRESS:COUNT */
static bool read_sources(struct stream *stream, char *text)
{
    char *count = strchr(text, ':');
    struct in_addr first;

    if (count == NULL)
        return false;
    *count++ = '\0';
    if (inet_pton(AF_INET, text, &first) != 1)
        return false;
    stream->first_source = ntohl(first.s_addr);
    stream->source_count = (uint32_t)strtoul(count, NULL, 10);
    return stream->source_count > 0;
}

static bool read_stream(struct paced *paced, char *text)
{
    struct stream *stream = &paced->streams[paced->stream_count];
    char *pace = strchr(text, ':');
    char *file = pace == NULL ? NULL : strchr(pace + 1, ':');

    if (file == NULL || paced->stream_count == STREAMS_MOST)
        return false;
    *pace++ = '\0';
    *file++ = '\0';
    char *sources = strchr(file, ':');
    if (sources != NULL) {
        *sources++ = '\0';
        if (!read_sources(stream, sources))
            return false;
    }
    stream->label = text;
    stream->per_second = strtod(pace, NULL);
    queries_read(&stream->queries, file);
    stream->lanes = calloc(LANES, sizeof *stream->lanes);
    if (stream->lanes == NULL)
        fail("memory");
    paced->stream_count++;
    return stream->per_second > 0;
}

static bool read_arguments(struct paced *paced, int count, char **arguments)
{
    bool good = true;
    int option;

    paced->seconds = 3;
    paced->grace_ms = GRACE_MS;
    while ((option = getopt(count, arguments, "p:s:g:")) != -1) {
        if (option == 'p')
            paced->port = (uint16_t)strtoul(optarg, NULL, 10);
        else if (option == 's')
            paced->seconds = strtod(optarg, NULL);
        else if (option == 'g')
            paced->grace_ms = strtoul(optarg, NULL, 10);
        else
            good = false;
    }
    for (int i = optind; i < count; i++)
        good = good && read_stream(paced, arguments[i]);
    return good && paced->port != 0 && paced->stream_count > 0 && paced->seconds > 0 &&
           paced->seconds <= 600;
}

int main(int count, char **arguments)
{
    static struct paced paced;

    if (!read_arguments(&paced, count, arguments)) {
        fprintf(stderr, "usage: paced -p PORT [-s SECONDS] [-g GRACE_MS] "
                        "STREAM:PER_SECOND:NAMES[:ADDRESS:COUNT] ...\n");
        return 2;
    }
    for (unsigned i = 0; i < paced.stream_count * LANES; i++)
        open_lane(&paced, &paced.streams[i / LANES], &paced.streams[i / LANES].lanes[i % LANES]);
    run(&paced);
    for (unsigned i = 0; i < paced.stream_count; i++)
        report(&paced.streams[i]);
    return EXIT_SUCCESS;
}
