/*
 * What it costs a worker to be seen: a batch's work for one query, without sockets, while nothing
 * is kept, with all that is kept by default, and with somebody who follows the log or dnstap.
 *
 *     seen_cost                  one line per row: nanoseconds, and times the first row
 *     seen_cost ROW BATCHES      works off so many batches and prints nothing: for callgrind, whose
 *                                difference of two counts is their instructions, of all threads
 *
 * Queries are those of a busy space: of 200 dynos; for every ten, seven answers, a type that is not
 * there, a name of discovery and a failure. The time of flows and limits advances by a millisecond
 * for each four batches, as at 256,000 queries a second; each second the flows are added up as the
 * control thread does. Rows take turns, and the median of the rounds counts.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "serve/querylog.h"
#include "serve/tapping.h"
#include "support/request.h"
#include "support/world.h"
#include "traffic/usage.h"
#include "wire/types.h"

enum {
    ROUNDS = 15,
    BATCHES = 4000, /* in a round: one second of that time */
    BATCHES_PER_MS = 4,
    CLIENTS = 200,
    KINDS = 10,
    TAKEN_EACH = 32, /* batches, after which a reader takes its lines */
    REPLY_OCTETS = 1232,
};

/* What is kept or sent of a query; each has the former's, too. */
enum row { OFF, ON, TAIL, TAIL_OF_APP, TAIL_OF_OTHER, DNSTAP, ROWS };

static const char *const row_names[ROWS] = {
    [OFF] = "off",
    [ON] = "on",
    [TAIL] = "tail",
    [TAIL_OF_APP] = "tail-of-failing-app",
    [TAIL_OF_OTHER] = "tail-of-idle-app",
    [DNSTAP] = "dnstap",
};

static const struct ask asks[KINDS] = {
    {.name = "frozen-oasis-70544.herokuapp.com."},
    {.name = "frozen-oasis-70544.herokuapp.com."},
    {.name = "frozen-oasis-70544.herokuapp.com.", .type = TYPE_AAAA},
    {.name = "api.example.com."},
    {.name = "api.example.com."},
    {.name = "frozen-oasis-70544.herokuapp.com."},
    {.name = "web.frozen-oasis-70544.app.localspace."},
    {.name = "v2.apps.example.com."},
    {.name = "frozen-oasis-70544.herokuapp.com."},
    {.name = "sleepy-river-2739.herokuapp.com."}, /* it has crashed */
};

static struct request {
    uint8_t octets[REQUEST_OCTETS_MOST];
    size_t length;
} requests[KINDS];

struct bench {
    struct mailbox mailbox;
    struct stats stats;
    struct batch batch;
    struct flows *flows;
    struct usage *usage;
    struct querylog *log;
    struct querylog_reader *reader;
    struct tap *tap;
    pid_t receiver;
    uint64_t now_ms;
    unsigned batches;
};

static uint8_t replies[BATCH_MOST][REPLY_OCTETS];

static void fail(const char *what)
{
    fprintf(stderr, "seen_cost: %s\n", what);
    exit(EXIT_FAILURE);
}

static void on_event(void *context)
{
    (void)context;
}

/* ---- one batch ---- */

static void take_flows(struct bench *bench)
{
    const struct flow_table *table;

    flows_request(bench->flows);
    flows_answer(bench->flows);
    while ((table = flows_take(bench->flows)) != NULL) {
        usage_add(bench->usage, table, clock_wall_us() / 1000);
        flows_return(bench->flows);
    }
}

static void take_lines(struct bench *bench)
{
    struct querylog_lines lines;

    if (bench->reader != NULL)
        querylog_take(bench->log, bench->reader, &lines);
}

static void work_off(struct bench *bench)
{
    struct batch *batch = &bench->batch;
    struct endpoint client = {.v4 = {.sin_family = AF_INET}};

    batch_begin(batch, bench->now_ms);
    for (unsigned i = 0; i < BATCH_MOST; i++) {
        const struct request *request = &requests[(bench->batches + i) % KINDS];
        struct exchange *exchange = &batch->exchanges[i];
        exchange->request = request->octets;
        exchange->request_length = request->length;
        exchange->reply = replies[i];
        exchange->transport = TRANSPORT_UDP;
        exchange->path = (struct path){.source = 0x0a008200 + (bench->batches * 7 + i) % CLIENTS,
                                       .destination = 0x0a000002};
    }
    batch_prepare(batch, BATCH_MOST);
    for (unsigned i = 0; i < BATCH_MOST; i++) {
        client.v4.sin_addr.s_addr = htonl(batch->exchanges[i].path.source);
        if (batch_finish(batch, i, &client, NULL) == 0)
            fail("a query has no reply");
    }
    batch_end(batch);
    bench->batches++;
    if (bench->batches % BATCHES_PER_MS == 0)
        bench->now_ms++;
    if (bench->batches % TAKEN_EACH == 0)
        take_lines(bench);
    if (bench->batches % (BATCHES_PER_MS * 1000) == 0 && bench->flows != NULL)
        take_flows(bench);
}

/* ---- what is kept ---- */

static void keep(struct bench *bench, enum row row)
{
    struct err err;
    struct querylog_found found;
    struct querylog_filter filter = {.app = row == TAIL_OF_APP     ? "sleepy-river-2739"
                                            : row == TAIL_OF_OTHER ? "open-plain-1001"
                                                                   : NULL};
    const struct querylog_options options = {.descriptor = STDERR_FILENO,
                                             .choice = QUERYLOG_FAILURES,
                                             .rate = 200,
                                             .rings = 1,
                                             .on_lines = on_event};

    bench->flows = flows_new(on_event, NULL);
    bench->usage = usage_new(&(struct usage_options){.apps_most = 10000, .pairs_most = 100000});
    bench->log = querylog_new(&options, &err);
    if (bench->flows == NULL || bench->usage == NULL || bench->log == NULL ||
        !querylog_start(bench->log, &err))
        fail("out of memory");
    batch_set_flows(&bench->batch, bench->flows);
    bench->batch.log = querylog_ring(bench->log, 0);
    if (row < TAIL || row > TAIL_OF_OTHER)
        return;
    bench->reader = querylog_attach(bench->log, &filter, QUERYLOG_LOGFMT, 0, &found);
    free(found.records);
}

/* A receiver in a process of its own, whose cost does not count. */
static void tap(struct bench *bench)
{
    char path[] = "/tmp/seen-cost-XXXXXX";
    struct err err;

    if (mkdtemp(path) == NULL || chdir(path) != 0)
        fail("no folder for the socket of dnstap");
    bench->receiver = fork();
    if (bench->receiver == 0) {
        execlp("fstrm_capture", "fstrm_capture", "-t", "protobuf:dnstap.Dnstap", "-u", "socket",
               "-w", "/dev/null", NULL);
        _exit(1);
    }
    while (access("socket", F_OK) != 0 && waitpid(bench->receiver, NULL, WNOHANG) == 0)
        usleep(1000);
    bench->tap = tap_new(&(struct tap_options){.path = "socket", .sample = 1, .feeds = 1}, &err);
    if (bench->tap == NULL || !tap_start(bench->tap, &err))
        fail("no dnstap");
    bench->batch.tap = tap_feed(bench->tap, 0);
    for (unsigned ms = 0; ms < 5000 && !tap_has_receiver(bench->batch.tap); ms++)
        usleep(1000);
    if (!tap_has_receiver(bench->batch.tap))
        fail("no receiver of dnstap; install fstrm-bin");
}

static void begin(struct bench *bench, const struct snapshot *snapshot, enum row row)
{
    bench->batch.mailbox = &bench->mailbox;
    bench->batch.stats = &bench->stats;
    bench->batch.on_adopted = on_event;
    bench->now_ms = 1;
    mailbox_post(&bench->mailbox, snapshot);
    batch_watch_dead_apps(&bench->batch, 1);
    if (row != OFF)
        keep(bench, row);
    if (row == DNSTAP)
        tap(bench);
    for (unsigned i = 0; i < BATCHES_PER_MS; i++)
        work_off(bench);
}

static void end(struct bench *bench)
{
    querylog_stop(bench->log);
    tap_stop(bench->tap);
    if (bench->receiver > 0) {
        kill(bench->receiver, SIGTERM);
        waitpid(bench->receiver, NULL, 0);
        unlink("socket");
    }
    flows_free(bench->flows);
    usage_free(bench->usage);
}

/* ---- rows ---- */

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

/* Processor time of all threads, in user mode and in the kernel. */
static double cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double measure_round(struct bench *bench)
{
    double begun_ns = cpu_ns();

    for (unsigned i = 0; i < BATCHES; i++)
        work_off(bench);
    return (cpu_ns() - begun_ns) / BATCHES / BATCH_MOST;
}

static void measure_all(const struct snapshot *snapshot)
{
    static struct bench benches[ROWS];
    static double ns[ROWS][ROUNDS];

    for (unsigned row = 0; row < ROWS; row++)
        begin(&benches[row], snapshot, (enum row)row);
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned row = 0; row < ROWS; row++)
            ns[row][round] = measure_round(&benches[row]);
    for (unsigned row = 0; row < ROWS; row++) {
        qsort(ns[row], ROUNDS, sizeof ns[row][0], compare);
        printf("{\"row\":\"%s\",\"ns\":%.1f,\"times\":%.3f}\n", row_names[row], ns[row][ROUNDS / 2],
               ns[row][ROUNDS / 2] / ns[OFF][ROUNDS / 2]);
        end(&benches[row]);
    }
}

static void work_off_row(const struct snapshot *snapshot, const char *name, unsigned long batches)
{
    static struct bench bench;
    unsigned row = 0;

    while (row < ROWS && strcmp(row_names[row], name) != 0)
        row++;
    if (row == ROWS)
        fail("there is no such row");
    begin(&bench, snapshot, (enum row)row);
    while (batches-- > 0)
        work_off(&bench);
    end(&bench);
}

int main(int count, char **arguments)
{
    struct world world;

    if (count != 1 && count != 3) {
        fprintf(stderr, "usage: seen_cost [ROW BATCHES]\n");
        return 2;
    }
    world_init_fixture(&world);
    for (unsigned i = 0; i < KINDS; i++)
        requests[i].length = request_write(&asks[i], requests[i].octets);
    if (count == 3)
        work_off_row(world.snapshot, arguments[1], strtoul(arguments[2], NULL, 10));
    else
        measure_all(world.snapshot);
    world_close(&world);
    return EXIT_SUCCESS;
}
