/*
 * scheduler: an example of the program that tells the registry which dynos there are, for tests,
 * for benchmarks, and for those who build a platform's own: batch.h is the part to take over.
 *
 *     scheduler --zones DIR --spaces 10 --apps 100                 writes zone files, to be pushed
 *     scheduler --endpoints URL,URL --cell CELL [--rate 100] …     changes dynos
 *     scheduler … --follow 127.0.0.1:5301,127.0.0.1:5302 …         and asks replicas for a probe
 *
 * It writes every key once, then changes `rate` a second; every GOES_MS an app goes, whose key is
 * deleted, and comes back with its next change. `beat` is written every 5
 * s. What cannot be written waits, by key, until a member answers; it ends (SIGTERM, or --seconds)
 * when all is written, and prints counts and latencies as one JSON object.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "scheduler/options.h"

enum {
    NS_PER_MS = 1000000,
    US_PER_MS = 1000,
    MS_PER_S = 1000,
    BEAT_MS = 5000,
    PROBE_MS = 250,
    RETRY_FIRST_MS = 100,
    RETRY_MOST_MS = 2000,
    LAST_MS = 60000, /* for what still waits at the end */
    GOES_MS = 5000,  /* more at once would be held by the guard of replicas */
    SLEEP_MOST_MS = 100,
};

static volatile sig_atomic_t is_ended;

static void end_on_signal(int number)
{
    (void)number;
    is_ended = 1;
}

static uint64_t now_ms(void)
{
    return clock_monotonic_ns() / NS_PER_MS;
}

static int fail(const char *sentence)
{
    fprintf(stderr, "scheduler: %s\n", sentence);
    return 1;
}

/* ---- changes ---- */

/* The same numbers in every run (xorshift64). */
static uint64_t draw(struct scheduler *scheduler)
{
    uint64_t x = scheduler->random;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return scheduler->random = x;
}

static bool put_app(struct scheduler *scheduler, size_t number, uint64_t now)
{
    char key[PLATFORM_TEXT_MOST], value[PLATFORM_TEXT_MOST];
    unsigned space = (unsigned)(number / scheduler->platform.apps);
    unsigned app = (unsigned)(number % scheduler->platform.apps);

    platform_key(&scheduler->platform, space, app, key);
    if (scheduler->is_gone[number]) {
        scheduler->deleted++;
        return batch_delete(&scheduler->batch, key, now);
    }
    size_t length = platform_value(space, app, scheduler->turns[number], value);
    return batch_put(&scheduler->batch, key, value, length, now);
}

static bool change(struct scheduler *scheduler, uint64_t now)
{
    size_t all = (size_t)scheduler->platform.spaces * scheduler->platform.apps;
    size_t number = draw(scheduler) % all;

    scheduler->changes++;
    bool goes = !scheduler->is_gone[number] && now >= scheduler->goes_ms;
    scheduler->is_gone[number] = goes;
    if (goes)
        scheduler->goes_ms = now + GOES_MS;
    scheduler->turns[number]++;
    return put_app(scheduler, number, now);
}

static bool beat(struct scheduler *scheduler, uint64_t now)
{
    char key[PLATFORM_TEXT_MOST], value[PLATFORM_TEXT_MOST];

    scheduler->beat_ms = now + BEAT_MS;
    snprintf(key, sizeof key, "%sbeat", scheduler->prefix);
    int length = snprintf(value, sizeof value, "at_ms: %lld\nby: scheduler\n",
                          (long long)(clock_wall_us() / US_PER_MS));
    return batch_put(&scheduler->batch, key, value, (size_t)length, now);
}

static bool probe(struct scheduler *scheduler, uint64_t now)
{
    char key[PLATFORM_TEXT_MOST], value[PLATFORM_TEXT_MOST];

    if (scheduler->follow == NULL || scheduler->has_probe || now < scheduler->probe_ms ||
        !follow_is_free(scheduler->follow))
        return true;
    scheduler->probe_ms = now + PROBE_MS;
    scheduler->has_probe = true;
    platform_probe_key(&scheduler->platform, key);
    size_t length = platform_probe_value(++scheduler->probe_turn, value);
    return batch_put(&scheduler->batch, key, value, length, now);
}

/* All that is due by now. */
static bool gather(struct scheduler *scheduler, uint64_t now)
{
    uint64_t due = (uint64_t)((double)(now - scheduler->started_ms) * scheduler->rate / MS_PER_S);
    bool is_gathered = true;

    while (is_gathered && scheduler->changes < due)
        is_gathered = change(scheduler, now);
    if (is_gathered && now >= scheduler->beat_ms)
        is_gathered = beat(scheduler, now);
    return is_gathered && probe(scheduler, now);
}

/* ---- writing ---- */

/* The next member, after a while that doubles. */
static void note_failure(struct scheduler *scheduler, const struct err *err, uint64_t now)
{
    if (scheduler->retry_ms == 0)
        fprintf(stderr, "scheduler: %s\n", err->text);
    scheduler->failures++;
    scheduler->retry_ms = scheduler->retry_ms == 0 ? RETRY_FIRST_MS : scheduler->retry_ms * 2;
    if (scheduler->retry_ms > RETRY_MOST_MS)
        scheduler->retry_ms = RETRY_MOST_MS;
    scheduler->retry_at_ms = now + scheduler->retry_ms;
}

static bool is_connected(struct scheduler *scheduler, uint64_t now)
{
    struct err err;

    if (scheduler->client != NULL)
        return true;
    if (now < scheduler->retry_at_ms)
        return false;
    scheduler->client = etcd_client_open(&scheduler->options, &err);
    if (scheduler->client == NULL) {
        note_failure(scheduler, &err, now);
        return false;
    }
    scheduler->reconnects++;
    return true;
}

static void begin_probe(struct scheduler *scheduler, uint64_t put_ns)
{
    if (!scheduler->has_probe || scheduler->is_probe_sent)
        return;
    scheduler->is_probe_sent = true;
    follow_expect(scheduler->follow, platform_probe_address(scheduler->probe_turn), put_ns);
}

static void note_written(struct scheduler *scheduler, size_t count, uint64_t put_ns)
{
    uint64_t us = (clock_monotonic_ns() - put_ns) / US_PER_MS;

    batch_written(&scheduler->batch);
    scheduler->transactions++;
    scheduler->operations += count;
    scheduler->transaction_us += us;
    if (us > scheduler->transaction_most_us)
        scheduler->transaction_most_us = us;
    scheduler->has_probe = scheduler->has_probe && !scheduler->is_probe_sent;
    scheduler->is_probe_sent = false;
    scheduler->retry_ms = 0;
}

/* Writes one transaction. Returns false without memory. */
static bool write_batch(struct scheduler *scheduler, uint64_t now)
{
    struct octets request, response;
    struct etcd_txn_response txn;
    struct arena *arena = arena_new();
    struct err err;

    size_t count = arena == NULL ? 0 : batch_take(&scheduler->batch, arena, &request);
    if (count == 0 || request.start == NULL) {
        arena_free(arena);
        return false;
    }
    uint64_t put_ns = clock_monotonic_ns();
    begin_probe(scheduler, put_ns);
    if (etcd_client_call(scheduler->client, ETCD_TXN, request, &response, &err) &&
        etcd_decode_txn(arena, response.start, response.length, &txn, &err)) {
        note_written(scheduler, count, put_ns);
    } else {
        note_failure(scheduler, &err, now);
        batch_return(&scheduler->batch);
        etcd_client_close(scheduler->client);
        scheduler->client = NULL;
    }
    arena_free(arena);
    return true;
}

static void sleep_until(const struct scheduler *scheduler, uint64_t due_ms)
{
    uint64_t now = now_ms(), most = now + SLEEP_MOST_MS;
    uint64_t change_ms = scheduler->rate > 0 ? now + (uint64_t)(MS_PER_S / scheduler->rate) : most;

    due_ms = due_ms < change_ms ? due_ms : change_ms;
    due_ms = due_ms < most ? due_ms : most;
    due_ms = due_ms > now ? due_ms : now + 1;
    nanosleep(&(struct timespec){.tv_nsec = (long)((due_ms - now) * NS_PER_MS)}, NULL);
}

/* Writes what is due; `is_last`: all that waits. */
static bool write_due(struct scheduler *scheduler, bool is_last)
{
    uint64_t now = now_ms(), due_ms = batch_due_ms(&scheduler->batch);

    if (due_ms == UINT64_MAX || (!is_last && now < due_ms) || !is_connected(scheduler, now)) {
        sleep_until(scheduler, scheduler->client == NULL ? UINT64_MAX : due_ms);
        return true;
    }
    return write_batch(scheduler, now);
}

static bool write_rest(struct scheduler *scheduler)
{
    uint64_t end_ms = now_ms() + LAST_MS;
    bool is_written = true;

    while (is_written && scheduler->batch.count > 0 && now_ms() < end_ms)
        is_written = write_due(scheduler, true);
    return is_written && scheduler->batch.count == 0;
}

/* Every key once, a transaction at a time. */
static bool write_all(struct scheduler *scheduler)
{
    size_t all = (size_t)scheduler->platform.spaces * scheduler->platform.apps;
    bool is_well = true;

    for (size_t i = 0; is_well && !is_ended && i < all; i++) {
        is_well = put_app(scheduler, i, now_ms());
        if (is_well && scheduler->batch.count == BATCH_OPERATIONS_MOST)
            is_well = write_rest(scheduler);
    }
    if (!is_well || !write_rest(scheduler))
        return false;
    fputs("scheduler: every key is written; changes begin\n", stderr);
    return true;
}

static bool run(struct scheduler *scheduler)
{
    bool is_well = write_all(scheduler);

    scheduler->started_ms = now_ms();
    uint64_t end_ms =
        scheduler->seconds == 0 ? UINT64_MAX : now_ms() + scheduler->seconds * MS_PER_S;
    while (is_well && !is_ended && now_ms() < end_ms)
        is_well = gather(scheduler, now_ms()) && write_due(scheduler, false);
    return write_rest(scheduler) && is_well;
}

/* ---- what it was like ---- */

static void print_report(struct scheduler *scheduler)
{
    struct follow_report report = {.probes = 0};
    uint64_t transactions = scheduler->transactions == 0 ? 1 : scheduler->transactions;

    if (scheduler->follow != NULL)
        follow_stop(scheduler->follow, &report);
    printf("{\"changes\": %llu, \"deleted\": %llu, \"coalesced\": %llu, \"transactions\": %llu, "
           "\"operations\": %llu, \"failures\": %llu, \"connections\": %llu, "
           "\"waiting\": %zu, \"txn_ms_mean\": %.2f, \"txn_ms_most\": %.2f, ",
           (unsigned long long)scheduler->changes, (unsigned long long)scheduler->deleted,
           (unsigned long long)scheduler->batch.coalesced,
           (unsigned long long)scheduler->transactions, (unsigned long long)scheduler->operations,
           (unsigned long long)scheduler->failures, (unsigned long long)scheduler->reconnects,
           scheduler->batch.count,
           (double)scheduler->transaction_us / (double)transactions / US_PER_MS,
           (double)scheduler->transaction_most_us / US_PER_MS);
    printf("\"replicas\": %zu, \"probes\": %zu, \"answers\": %zu, \"missing\": %zu, "
           "\"answered_ms_p50\": %.1f, \"answered_ms_p90\": %.1f, \"answered_ms_p99\": %.1f, "
           "\"answered_ms_most\": %.1f}\n",
           scheduler->replica_count, report.probes, report.answers, report.missing, report.p50_ms,
           report.p90_ms, report.p99_ms, report.most_ms);
}

/* ---- main ---- */

static int write_zones(const struct scheduler *scheduler)
{
    for (unsigned space = 0; space < scheduler->platform.spaces; space++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/bench-%u.yaml", scheduler->zones, space);
        FILE *out = fopen(path, "we");
        if (out == NULL)
            return fail("a zone file cannot be created; name another folder with --zones");
        platform_write_zone(&scheduler->platform, space, out);
        if (fclose(out) != 0)
            return fail("a zone file cannot be written; make room");
    }
    return 0;
}

static int write_registry(struct scheduler *scheduler)
{
    size_t all = (size_t)scheduler->platform.spaces * scheduler->platform.apps;
    struct err err;

    scheduler->turns = calloc(all, sizeof *scheduler->turns);
    scheduler->is_gone = calloc(all, sizeof *scheduler->is_gone);
    if (scheduler->turns == NULL || scheduler->is_gone == NULL)
        return fail("out of memory; have fewer apps");
    if (scheduler->replica_count > 0) {
        scheduler->follow =
            follow_start(platform_probe_name, scheduler->replicas, scheduler->replica_count, &err);
        if (scheduler->follow == NULL)
            return fail(err.text);
    }
    bool is_written = run(scheduler);
    print_report(scheduler);
    etcd_client_close(scheduler->client);
    batch_close(&scheduler->batch);
    return is_written ? 0 : fail("not everything was written; look for the members of etcd");
}

int main(int argc, char **argv)
{
    struct scheduler scheduler = {
        .platform = {.spaces = 1, .apps = 10},
        .rate = 10,
        .batch = {.gather_ms = 20},
        .random = UINT64_C(0x9e3779b97f4a7c15),
    };

    if (!options_read(&scheduler, argc, argv))
        return fail(options_usage);
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = end_on_signal}, NULL);
    sigaction(SIGINT, &(struct sigaction){.sa_handler = end_on_signal}, NULL);
    int code = scheduler.zones != NULL ? write_zones(&scheduler) : write_registry(&scheduler);
    free(scheduler.turns);
    free(scheduler.is_gone);
    free(scheduler.replicas);
    return code;
}
