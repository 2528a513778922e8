#include "scheduler/follow.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    NS_PER_MS = 1000000,
    LOST_MS = 1000, /* a question without an answer is asked again */
    REQUEST_MOST = 300,
    REPLY_MOST = 512,
    HEADER = 12,
    TYPE_A = 1,
    RECORD = 12, /* pointer, type, class, TTL, length */
};

struct replica {
    int socket;
    uint16_t id;
    bool is_done;
    bool is_asked; /* and has not answered yet */
    uint64_t next_ns;
};

struct follow {
    struct replica *replicas;
    size_t count;
    uint8_t request[REQUEST_MOST];
    size_t request_length;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_busy, is_ending; /* under the lock, as are the next two */
    uint32_t address;
    uint64_t put_ns;
    double *latencies_ms;
    size_t latency_count, latency_room;
    size_t probes, missing;
};

/* ---- questions ---- */

/* A question for A, with RD. */
static void write_request(struct follow *follow, const char *name)
{
    uint8_t *out = follow->request + HEADER;

    follow->request[2] = 1;
    follow->request[5] = 1;
    for (const char *label = name; *label != '\0';) {
        size_t length = strcspn(label, ".");
        *out++ = (uint8_t)length;
        memcpy(out, label, length);
        out += length;
        label += length + (label[length] == '.');
    }
    *out++ = 0;
    *out++ = 0;
    *out++ = TYPE_A;
    *out++ = 0;
    *out++ = 1;
    follow->request_length = (size_t)(out - follow->request);
}

static void ask(struct follow *follow, struct replica *replica, uint64_t now_ns)
{
    replica->id++;
    follow->request[0] = (uint8_t)(replica->id >> 8);
    follow->request[1] = (uint8_t)replica->id;
    (void)!send(replica->socket, follow->request, follow->request_length, MSG_DONTWAIT);
    replica->is_asked = true;
    replica->next_ns = now_ns + (uint64_t)LOST_MS * NS_PER_MS;
}

static void note(struct follow *follow, struct replica *replica, uint64_t now_ns)
{
    replica->is_done = true;
    if (follow->latency_count == follow->latency_room) {
        size_t room = follow->latency_room == 0 ? 4096 : follow->latency_room * 2;
        double *grown = realloc(follow->latencies_ms, room * sizeof *grown);
        if (grown == NULL)
            return;
        follow->latencies_ms = grown;
        follow->latency_room = room;
    }
    follow->latencies_ms[follow->latency_count++] = (double)(now_ns - follow->put_ns) / NS_PER_MS;
}

/* The owner of our only answer is a pointer to the question. */
static void read_reply(struct follow *follow, struct replica *replica, uint64_t now_ns)
{
    uint8_t reply[REPLY_MOST];
    size_t at = follow->request_length + RECORD;
    ssize_t length = recv(replica->socket, reply, sizeof reply, MSG_DONTWAIT);

    if (length < HEADER || (reply[0] << 8 | reply[1]) != replica->id)
        return;
    replica->is_asked = false;
    replica->next_ns = now_ns + (uint64_t)FOLLOW_ASK_MS * NS_PER_MS;
    if (reply[7] == 0 || (size_t)length < at + 4)
        return;
    uint32_t address = (uint32_t)reply[at] << 24 | (uint32_t)reply[at + 1] << 16 |
                       (uint32_t)reply[at + 2] << 8 | reply[at + 3];
    if (address == follow->address)
        note(follow, replica, now_ns);
}

/* ---- the thread ---- */

/* Asks those whose time it is; returns how many are not done. */
static size_t ask_due(struct follow *follow, struct pollfd *all, uint64_t now_ns)
{
    size_t left = 0;

    for (size_t i = 0; i < follow->count; i++) {
        struct replica *replica = &follow->replicas[i];
        all[i] = (struct pollfd){.fd = replica->is_done ? -1 : replica->socket, .events = POLLIN};
        if (replica->is_done)
            continue;
        left++;
        if (now_ns >= replica->next_ns)
            ask(follow, replica, now_ns);
    }
    return left;
}

static void follow_probe(struct follow *follow, struct pollfd *all)
{
    uint64_t end_ns = follow->put_ns + (uint64_t)FOLLOW_MOST_MS * NS_PER_MS;
    uint64_t now_ns = clock_monotonic_ns();
    size_t left;

    for (size_t i = 0; i < follow->count; i++) {
        follow->replicas[i].is_done = follow->replicas[i].is_asked = false;
        follow->replicas[i].next_ns = 0;
    }
    while ((left = ask_due(follow, all, now_ns)) > 0 && now_ns < end_ns) {
        int ready = poll(all, follow->count, 1);
        now_ns = clock_monotonic_ns();
        for (size_t i = 0; ready > 0 && i < follow->count; i++)
            if (all[i].fd >= 0 && all[i].revents != 0)
                read_reply(follow, &follow->replicas[i], now_ns);
    }
    follow->missing += left;
    follow->probes++;
}

static void *run(void *context)
{
    struct follow *follow = context;
    struct pollfd *all = calloc(follow->count, sizeof *all);

    pthread_mutex_lock(&follow->lock);
    while (all != NULL && !(follow->is_ending && !follow->is_busy)) {
        if (!follow->is_busy) {
            pthread_cond_wait(&follow->changed, &follow->lock);
            continue;
        }
        pthread_mutex_unlock(&follow->lock);
        follow_probe(follow, all);
        pthread_mutex_lock(&follow->lock);
        follow->is_busy = false;
    }
    pthread_mutex_unlock(&follow->lock);
    free(all);
    return NULL;
}

/* ---- start and end ---- */

static void free_follow(struct follow *follow)
{
    for (size_t i = 0; i < follow->count; i++)
        if (follow->replicas[i].socket >= 0)
            close(follow->replicas[i].socket);
    free(follow->replicas);
    free(follow->latencies_ms);
    free(follow);
}

static bool open_sockets(struct follow *follow, const struct endpoint *replicas, size_t count)
{
    follow->replicas = calloc(count, sizeof *follow->replicas);
    for (size_t i = 0; follow->replicas != NULL && i < count; i++) {
        int fd = socket(replicas[i].any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        follow->replicas[i].socket = fd;
        follow->count++;
        if (fd < 0 || connect(fd, &replicas[i].any, sizeof replicas[i].v4) != 0)
            return false;
    }
    return follow->replicas != NULL;
}

struct follow *follow_start(const char *name, const struct endpoint *replicas, size_t count,
                            struct err *err)
{
    struct follow *follow = calloc(1, sizeof *follow);

    if (follow == NULL || !open_sockets(follow, replicas, count)) {
        if (follow != NULL)
            free_follow(follow);
        err_set(err, ERR_SYSTEM,
                "the replicas cannot be asked: sockets or memory are missing; "
                "raise ulimit -n");
        return NULL;
    }
    write_request(follow, name);
    pthread_mutex_init(&follow->lock, NULL);
    pthread_cond_init(&follow->changed, NULL);
    if (pthread_create(&follow->thread, NULL, run, follow) != 0) {
        free_follow(follow);
        err_set(err, ERR_SYSTEM, "no thread can be started; end some");
        return NULL;
    }
    return follow;
}

bool follow_is_free(struct follow *follow)
{
    pthread_mutex_lock(&follow->lock);
    bool is_free = !follow->is_busy;
    pthread_mutex_unlock(&follow->lock);
    return is_free;
}

void follow_expect(struct follow *follow, uint32_t address, uint64_t put_ns)
{
    pthread_mutex_lock(&follow->lock);
    follow->address = address;
    follow->put_ns = put_ns;
    follow->is_busy = true;
    pthread_cond_signal(&follow->changed);
    pthread_mutex_unlock(&follow->lock);
}

static int compare(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

static double percentile(const struct follow *follow, unsigned percent)
{
    size_t count = follow->latency_count;

    return count == 0 ? 0 : follow->latencies_ms[(count - 1) * percent / 100];
}

void follow_stop(struct follow *follow, struct follow_report *report)
{
    pthread_mutex_lock(&follow->lock);
    follow->is_ending = true;
    pthread_cond_signal(&follow->changed);
    pthread_mutex_unlock(&follow->lock);
    pthread_join(follow->thread, NULL);
    if (follow->latency_count > 0)
        qsort(follow->latencies_ms, follow->latency_count, sizeof *follow->latencies_ms, compare);
    *report = (struct follow_report){
        .probes = follow->probes,
        .answers = follow->latency_count,
        .missing = follow->missing,
        .p50_ms = percentile(follow, 50),
        .p90_ms = percentile(follow, 90),
        .p99_ms = percentile(follow, 99),
        .most_ms = percentile(follow, 100),
    };
    pthread_cond_destroy(&follow->changed);
    pthread_mutex_destroy(&follow->lock);
    free_follow(follow);
}
