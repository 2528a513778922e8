/*
 * The cost of one query to the worker's UDP path: reading, answering and sending in whole batches,
 * with the kernel replaced by copies.
 *
 *     serve_cost                   one line per row: nanoseconds and allocations per query
 *     serve_cost ROW BATCHES       serves so many batches and prints nothing: for callgrind
 *
 * Callgrind counts counted_batch() without its system calls (count.bash). Rows:
 *
 *     local            names that are ours, one in ten of them unknown
 *     local-upstream   the same with an upstream configured, none of them unknown
 *     hit              names of the upstream that are kept
 *
 * Clients are in one space of four, each of 1,000 apps; the order of names is the same in each run.
 */
// wrap: recvmmsg sendmmsg malloc calloc realloc
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "serve/udp.h"
#include "serve/udp_batch.h"
#include "support/allocations.h"
#include "support/cold.h"
#include "support/request.h"
#include "support/serving.h"
#include "support/world.h"

enum {
    SPACES = 4,
    APPS = 1000, /* of each */
    KEPT = 256,
    REQUESTS = 1 << 12,
    REQUEST_MOST = 96,
    BATCHES = 20000,
    WARM_BATCHES = 8 * REQUESTS / BATCH_MOST,
    NAME_MOST = 64,
    TEXT_MOST = 1 << 20,
    KEPT_OCTETS = 16 << 20,
    CLIENT = 0x0a008238,
    SERVER = 0x0a000002,
};

enum names { LOCAL, LOCAL_UPSTREAM, HIT };

static const char *const row_names[] = {
    [LOCAL] = "local",
    [LOCAL_UPSTREAM] = "local-upstream",
    [HIT] = "hit",
};

enum { ROW_COUNT = sizeof row_names / sizeof row_names[0] };

static struct request {
    uint8_t octets[REQUEST_MOST];
    size_t length;
} requests[REQUESTS];

/* What stands for the kernel: the next request to be read, and what was sent. */
static struct {
    size_t next;
    uint64_t begun_ns, spent_ns, served, good;
} kernel;

static void fail(const char *what)
{
    fprintf(stderr, "serve_cost: %s\n", what);
    exit(EXIT_FAILURE);
}

/* ---- the kernel ---- */

int __wrap_recvmmsg(int descriptor, struct mmsghdr *messages, unsigned count, int flags,
                    struct timespec *timeout);
int __wrap_sendmmsg(int descriptor, struct mmsghdr *messages, unsigned count, int flags);

__attribute__((noinline, used)) int __wrap_recvmmsg(int descriptor, struct mmsghdr *messages,
                                                    unsigned count, int flags,
                                                    struct timespec *timeout)
{
    (void)descriptor, (void)flags, (void)timeout;
    for (unsigned i = 0; i < count; i++) {
        const struct request *request = &requests[kernel.next++ % REQUESTS];
        struct msghdr *header = &messages[i].msg_hdr;
        struct sockaddr_in *source = header->msg_name;
        memcpy(header->msg_iov->iov_base, request->octets, request->length);
        messages[i].msg_len = (unsigned)request->length;
        *source = (struct sockaddr_in){.sin_family = AF_INET,
                                       .sin_port = htons((uint16_t)(10000 + i)),
                                       .sin_addr = {htonl(CLIENT)}};
        header->msg_namelen = sizeof *source;
        header->msg_controllen = 0;
        header->msg_flags = 0;
    }
    kernel.served += count;
    kernel.begun_ns = clock_monotonic_ns();
    return (int)count;
}

__attribute__((noinline, used)) int __wrap_sendmmsg(int descriptor, struct mmsghdr *messages,
                                                    unsigned count, int flags)
{
    kernel.spent_ns += clock_monotonic_ns() - kernel.begun_ns;
    (void)descriptor, (void)flags;
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *octets = messages[i].msg_hdr.msg_iov->iov_base;
        kernel.good += (octets[3] & 15) == RCODE_NOERROR;
        messages[i].msg_len = (unsigned)messages[i].msg_hdr.msg_iov->iov_len;
    }
    return (int)count;
}

/* ---- what is served ---- */

/* Each space has 10.SPACE.0.0/16. */
static void write_space(struct world *world, unsigned space)
{
    static char text[TEXT_MOST];
    char name[NAME_MOST];
    FILE *out = fmemopen(text, sizeof text, "w");

    fprintf(out,
            "space: bench-%u\ncidr: 10.%u.0.0/16\ndyno_cidrs: [10.%u.128.0/17]\n"
            "routers: [10.%u.0.37, 10.%u.16.21]\napps:\n",
            space, space, space, space, space);
    for (unsigned app = 0; app < APPS; app++)
        fprintf(out,
                "  - {name: app-%u, internal_routing: true, formation: {web: {dynos: [{number: 1, "
                "private_ip: 10.%u.%u.%u}]}}}\n",
                space * APPS + app, space, 128 + app / 250, 1 + app % 250);
    long length = ftell(out);
    if (fclose(out) != 0 || length <= 0)
        fail("a space has no room");
    snprintf(name, sizeof name, "space-%u.yaml", space);
    scratch_write(&world->folder, name, text, (size_t)length);
}

static void open_world(struct world *world, struct responders *responders, enum names names)
{
    world_init(world);
    if (names != LOCAL) {
        facts_learn(&responders->facts, "host-*.bench.example. A 3600 198.51.100.1");
        facts_learn(&responders->facts, "host-*.bench.example. A 3600 198.51.100.2");
        responders_add(responders, "10.9.0.1");
        world_forward(world, (struct clocked_options){
                                 .responders = responders,
                                 .zones = {{.zone = ".", .addresses = "10.9.0.1"}},
                                 .zone_count = 1,
                                 .cache_octets = KEPT_OCTETS,
                             });
    }
    for (unsigned space = 0; space < SPACES; space++)
        write_space(world, space);
    world_must_load(world);
}

/* ---- what is asked ---- */

/* A generator of its own: the same numbers with every C library. */
static unsigned next_random(void)
{
    static uint64_t state = 88172645463325252;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33);
}

static void write_request(enum names names, size_t number)
{
    char name[NAME_MOST];
    struct request *request = &requests[number];

    if (names == HIT)
        snprintf(name, sizeof name, "host-%u.bench.example.", next_random() % KEPT);
    else
        snprintf(name, sizeof name, "%s-%u.herokuapp.com.",
                 names == LOCAL && number % 10 == 9 ? "none" : "app", next_random() % APPS);
    uint8_t octets[REQUEST_OCTETS_MOST];
    request->length =
        request_write(&(struct ask){.name = name, .id = (uint16_t)(number + 1)}, octets);
    if (request->length > REQUEST_MOST)
        fail("a request is too long");
    memcpy(request->octets, octets, request->length);
}

static void keep(struct world *world, unsigned number)
{
    char name[NAME_MOST];
    struct ask ask = {.name = name};
    uint8_t octets[REQUEST_OCTETS_MOST];

    snprintf(name, sizeof name, "host-%u.bench.example.", number);
    if (world_send(world, octets, request_write(&ask, octets), &ask) == 0 ||
        world->exchange.rcode != RCODE_NOERROR)
        fail("the upstream's answer is missing");
}

/* ---- measuring ---- */

struct bench {
    struct world world;
    struct responders responders;
    struct serving serving;
    struct udp udp;
    struct udp_socket socket;
};

static void open_bench(struct bench *bench, enum names names)
{
    struct batch *batch = &bench->serving.batch;

    open_world(&bench->world, &bench->responders, names);
    serving_init(&bench->serving);
    mailbox_post(&bench->serving.mailbox, bench->world.snapshot);
    for (unsigned i = 0; i < KEPT && names == HIT; i++)
        keep(&bench->world, i);
    for (size_t i = 0; i < REQUESTS; i++)
        write_request(names, i);
    if (bench->world.clocked != NULL) {
        batch = clocked_batch(bench->world.clocked);
        bench->serving.loop.time = clocked_now_ms(bench->world.clocked);
    }
    if (!udp_init(&bench->udp, batch))
        fail("no memory for buffers");
    bench->socket = (struct udp_socket){.carrier = udp_batch_carrier,
                                        .udp = &bench->udp,
                                        .descriptor = -1,
                                        .name_octets = sizeof(struct sockaddr_in),
                                        .address = SERVER};
    bench->socket.poll.loop = &bench->serving.loop;
}

static void close_bench(struct bench *bench)
{
    udp_close(&bench->udp);
    serving_close(&bench->serving);
    world_close(&bench->world);
    responders_close(&bench->responders);
}

__attribute__((noinline)) static void counted_batch(struct udp_socket *socket)
{
    if (udp_serve_batch(socket) != BATCH_MOST)
        fail("a batch is not full");
}

static void serve(struct bench *bench, enum names names, unsigned long batches)
{
    kernel.served = kernel.good = kernel.spent_ns = 0;
    for (unsigned long i = 0; i < batches; i++)
        counted_batch(&bench->socket);
    /* Nine in ten, and in one batch one less. */
    uint64_t expected = names == LOCAL ? kernel.served / 10 * 9 - batches : kernel.served;
    if (kernel.good < expected)
        fail("queries are answered wrongly");
}

static void measure(enum names names)
{
    static struct bench bench;

    bench = (struct bench){.responders.count = 0};
    open_bench(&bench, names);
    serve(&bench, names, WARM_BATCHES);
    size_t before = allocations_count();
    serve(&bench, names, BATCHES);
    printf("{\"row\":\"%s\",\"ns\":%.1f,\"allocations\":%.3f}\n", row_names[names],
           (double)kernel.spent_ns / (double)kernel.served,
           (double)(allocations_count() - before) / (double)kernel.served);
    close_bench(&bench);
}

static void count_row(const char *name, unsigned long batches)
{
    static struct bench bench;
    unsigned row = 0;

    while (row < ROW_COUNT && strcmp(row_names[row], name) != 0)
        row++;
    if (row == ROW_COUNT)
        fail("there is no such row");
    open_bench(&bench, (enum names)row);
    COLD_STACK;
    for (unsigned long i = 0; i < batches; i++) {
        cold_start();
        serve(&bench, (enum names)row, 1);
    }
    close_bench(&bench);
}

int main(int count, char **arguments)
{
    if (count != 1 && count != 3) {
        fprintf(stderr, "usage: serve_cost [ROW BATCHES]\n");
        return 2;
    }
    if (count == 3)
        count_row(arguments[1], strtoul(arguments[2], NULL, 10));
    for (unsigned row = 0; row < ROW_COUNT && count == 1; row++)
        measure((enum names)row);
    return EXIT_SUCCESS;
}
