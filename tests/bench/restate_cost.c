/*
 * The cost of dynos that change: from keys to the next snapshot, and freeing the one before.
 *
 *     restate_cost [SPACES [APPS [DYNOS]]]      by default 10000 spaces of 100 apps of 2 web dynos
 *
 * First every app gets its key, as after a first read of a registry. Then keys of 1, 50 and 500
 * spaces change at a time. Prints one line of JSON; times are of this thread's CPU, octets those of
 * the snapshot and of the process.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "answer/restate.h"
#include "support/zones.h"

enum { ROUNDS = 40, NAME_MOST = 64, VALUE_MOST = 4096 };

static unsigned space_count = 10000, app_count = 100, dyno_count = 2;

static double now_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* Without what malloc keeps of memory that was freed. */
static double resident_octets(void)
{
    unsigned long whole = 0, pages = 0;
    malloc_trim(0);
    FILE *file = fopen("/proc/self/statm", "r");

    if (file != NULL && fscanf(file, "%lu %lu", &whole, &pages) != 2)
        pages = 0;
    if (file != NULL)
        fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void *must(void *pointer)
{
    if (pointer == NULL) {
        fputs("restate_cost: out of memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    return pointer;
}

/* All spaces have one CIDR, so each has an address of its own to be asked at. */
static char *write_space(unsigned space)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = must(open_memstream(&text, &length));

    fprintf(out, "space: bench-%u\nlisten: [127.%u.%u.%u]\nrouters: [10.0.0.37]\napps:\n", space,
            1 + space / 62500, space / 250 % 250, 1 + space % 250);
    for (unsigned app = 0; app < app_count; app++)
        fprintf(out, "  - {name: app-%u-%u, internal_routing: true, formation: {web: {}}}\n", space,
                app);
    fclose(out);
    return text;
}

/* The first dyno of the app is up in one of two rounds. */
static struct dyno_key *make_key(unsigned space, unsigned app, uint64_t revision,
                                 struct report *report)
{
    char space_name[NAME_MOST], app_name[NAME_MOST], value[VALUE_MOST];
    size_t length = 0;

    snprintf(space_name, sizeof space_name, "bench-%u", space);
    snprintf(app_name, sizeof app_name, "app-%u-%u", space, app);
    for (unsigned i = 0; i < dyno_count && length < VALUE_MOST - NAME_MOST; i++) {
        unsigned dyno = app * dyno_count + i;
        length += (size_t)snprintf(value + length, sizeof value - length, "%u %s 10.0.%u.%u\n",
                                   i + 1, i == 0 && revision % 2 == 0 ? "down" : "up",
                                   128 + dyno / 250 % 32, 1 + dyno % 250);
    }
    struct dyno_key *key =
        must(dyno_key_read(space_name, app_name, "web", revision,
                           (struct octets){(const uint8_t *)value, length}, report));
    if (key->is_bad) {
        report_print(report, stderr);
        exit(EXIT_FAILURE);
    }
    return key;
}

static int compare_keys(const void *a, const void *b)
{
    return dyno_key_compare(*(const struct dyno_key *const *)a, *(const struct dyno_key *const *)b);
}

struct batch {
    struct dyno_key **keys;
    size_t count;
};

static struct batch batch_new(size_t count)
{
    return (struct batch){.keys = must(calloc(count + 1, sizeof(struct dyno_key *)))};
}

static void batch_close(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        dyno_key_free(batch->keys[i]);
    free(batch->keys);
}

static struct snapshot *restate(const struct snapshot *before, struct batch *batch)
{
    struct restate_outcome outcome = {.report = NULL};
    struct err err;

    qsort(batch->keys, batch->count, sizeof *batch->keys, compare_keys);
    struct snapshot *snapshot =
        snapshot_restate(before, (const struct dyno_key *const *)batch->keys, batch->count,
                         before->generation + 1, &outcome, &err);
    if (snapshot == NULL || outcome.unused_count > 0 || outcome.refused_count > 0) {
        fprintf(stderr, "restate_cost: %s\n", snapshot == NULL ? err.text : "keys are left over");
        exit(EXIT_FAILURE);
    }
    restate_outcome_close(&outcome);
    return snapshot;
}

/* Every app's key at once. */
static struct snapshot *restate_all(struct snapshot *snapshot, struct report *report)
{
    struct batch batch = batch_new((size_t)space_count * app_count);

    for (unsigned space = 0; space < space_count; space++)
        for (unsigned app = 0; app < app_count; app++)
            batch.keys[batch.count++] = make_key(space, app, 1, report);
    double start = now_ms();
    struct snapshot *after = restate(snapshot, &batch);
    snapshot_free(snapshot);
    printf(",\"all_ms\":%.0f", now_ms() - start);
    batch_close(&batch);
    return after;
}

static struct snapshot *measure(struct snapshot *snapshot, unsigned touched, struct report *report)
{
    double restated_ms = 0, freed_ms = 0, most_ms = 0;

    for (unsigned round = 0; round < ROUNDS; round++) {
        struct batch batch = batch_new(touched);
        for (unsigned i = 0; i < touched && i < space_count; i++)
            batch.keys[batch.count++] =
                make_key((round + i * (space_count / touched)) % space_count,
                         (round * 31 + i) % app_count, snapshot->generation + 1, report);
        qsort(batch.keys, batch.count, sizeof *batch.keys, compare_keys);
        double start = now_ms();
        struct snapshot *after = restate(snapshot, &batch);
        double made = now_ms();
        snapshot_free(snapshot);
        double freed = now_ms();
        restated_ms += made - start;
        freed_ms += freed - made;
        most_ms = freed - start > most_ms ? freed - start : most_ms;
        snapshot = after;
        batch_close(&batch);
    }
    printf(",\"touched_%u\":{\"restate_ms\":%.3f,\"free_ms\":%.3f,\"most_ms\":%.3f}", touched,
           restated_ms / ROUNDS, freed_ms / ROUNDS, most_ms);
    return snapshot;
}

static void print_octets(const char *what, const struct snapshot *snapshot, double resident_before)
{
    double apps = (double)space_count * app_count;

    printf(",\"%s_octets_per_app\":%.1f,\"%s_resident_per_app\":%.1f", what,
           (double)snapshot_octets(snapshot) / apps, what,
           (resident_octets() - resident_before) / apps);
}

int main(int argc, char **argv)
{
    struct report *report = must(report_new());
    struct policy policy = policy_usual();
    double resident = resident_octets();

    space_count = argc > 1 ? (unsigned)atoi(argv[1]) : space_count;
    app_count = argc > 2 ? (unsigned)atoi(argv[2]) : app_count;
    dyno_count = argc > 3 ? (unsigned)atoi(argv[3]) : dyno_count;
    if (space_count < 500 || app_count == 0) {
        fputs("usage: restate_cost [SPACES (500 or more) [APPS [DYNOS]]]\n", stderr);
        return EXIT_FAILURE;
    }
    char **texts = must(calloc(space_count, sizeof *texts));
    for (unsigned i = 0; i < space_count; i++)
        texts[i] = write_space(i);
    struct snapshot *snapshot = snapshot_of_texts(&policy, (const char *const *)texts, space_count);
    for (unsigned i = 0; i < space_count; i++)
        free(texts[i]);
    free(texts);
    printf("{\"apps\":%u,\"dynos\":%u", space_count * app_count, dyno_count);
    print_octets("declared", snapshot, resident);
    snapshot = restate_all(snapshot, report);
    print_octets("restated", snapshot, resident);
    static const unsigned touched[] = {1, 50, 500};
    for (size_t i = 0; i < sizeof touched / sizeof touched[0]; i++)
        snapshot = measure(snapshot, touched[i], report);
    print_octets("end", snapshot, resident);
    puts("}");
    snapshot_free(snapshot);
    report_free(report);
    return EXIT_SUCCESS;
}
