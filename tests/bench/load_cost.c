/*
 * The cost of loading: time and memory at start, from zone files and from the compiled state, the
 * time of a reload with one changed file, and the time to find the answers it changes.
 *
 *     load_cost [FILES [APPS_PER_FILE [ids]]]  by default 1000 files of 1000 apps, without ids
 *     load_cost FILES APPS_PER_FILE COUNT      loads, asks for COUNT apps and prints nothing: for
 *                                              callgrind, to count counted_answer() (scale.bash)
 *
 * Every app has two web dynos and its default domain. Prints one line of JSON. The zones go to a
 * temporary folder, which is removed again.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "answer/compiled.h"
#include "answer/load.h"
#include "base/clock.h"
#include "inspect/diff.h"
#include "respond/dead_apps.h"
#include "respond/respond.h"
#include "source/folder.h"
#include "support/cold.h"
#include "support/request.h"

enum {
    PATH_MOST = 256,
    RELOADS = 5,
    SETTLED_S = 4, /* the stamp of a file that has just changed proves nothing (freshness.h) */
};

static bool has_ids;

static void zone_path(char *path, const char *folder, unsigned file)
{
    snprintf(path, PATH_MOST, "%s/space-%05u.yaml", folder, file);
}

static void write_app(FILE *out, unsigned file, unsigned app, const char *state)
{
    unsigned first = 2 * app, second = 2 * app + 1;

    fputs("  - {", out);
    if (has_ids)
        fprintf(out, "id: 00000000-0000-4000-8000-%06x%06x, ", file, app);
    fprintf(out,
            "name: app-%05u-%04u, internal_routing: true, formation: {web: {dynos: [{number: 1, "
            "private_ip: 10.0.%u.%u, state: %s}, {number: 2, private_ip: 10.0.%u.%u}]}}}\n",
            file, app, 128 + first / 250, 1 + first % 250, state, 128 + second / 250,
            1 + second % 250);
}

static uint32_t listen_of(unsigned file)
{
    return 127U << 24 | (1 + file / 62500) << 16 | (file / 250 % 250) << 8 | (1 + file % 250);
}

/* All spaces have one CIDR, so each has an address of its own to be asked at. */
static void write_file(const char *folder, unsigned file, unsigned apps, const char *state)
{
    char path[PATH_MOST];
    zone_path(path, folder, file);
    FILE *out = fopen(path, "w");

    if (out == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    fprintf(out,
            "space: bench-%u\nlisten: [127.%u.%u.%u]\nrouters: [10.0.0.37, 10.0.16.21]\napps:\n",
            file, listen_of(file) >> 16 & 255, listen_of(file) >> 8 & 255, listen_of(file) & 255);
    for (unsigned app = 0; app < apps; app++)
        write_app(out, file, app, app == 0 ? state : "up");
    fclose(out);
}

static struct snapshot *load(const struct load_request *request)
{
    struct report *report = report_new();
    struct load_outcome outcome;
    struct err err;
    struct snapshot *snapshot = snapshot_load(request, report, &outcome, &err);

    if (snapshot == NULL) {
        report_print(report, stderr);
        fprintf(stderr, "load_cost: no snapshot: %s\n", err.text);
        exit(EXIT_FAILURE);
    }
    load_outcome_close(&outcome);
    report_free(report);
    return snapshot;
}

static double resident_mb(void)
{
    unsigned long pages = 0, resident = 0;
    FILE *statm = fopen("/proc/self/statm", "r");

    if (statm == NULL || fscanf(statm, "%lu %lu", &pages, &resident) != 2)
        resident = 0;
    if (statm != NULL)
        fclose(statm);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

static int compare_times(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

/* How long one step took each time it was done. */
struct times {
    double ms[RELOADS];
};

struct costs {
    struct times reloads, reload_cpu, diffs;
};

static double median(struct times *times)
{
    qsort(times->ms, RELOADS, sizeof times->ms[0], compare_times);
    return times->ms[RELOADS / 2];
}

static double ms_since(uint64_t start)
{
    return (double)(clock_monotonic_ns() - start) / 1e6;
}

/* Processor time of all threads, which other work on the machine does not stretch. */
static double cpu_ms(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

/* Several reloads, each after one dyno of one file changed its state, and their differences. */
static void measure_reloads(struct load_request *request, unsigned files, unsigned apps,
                            struct costs *costs)
{
    for (unsigned i = 0; i < RELOADS; i++) {
        write_file(request->source->root, files / 2, apps, i % 2 == 0 ? "starting" : "up");
        uint64_t start = clock_monotonic_ns();
        double cpu = cpu_ms();
        struct snapshot *fresh = load(request);
        costs->reload_cpu.ms[i] = cpu_ms() - cpu;
        costs->reloads.ms[i] = ms_since(start);
        start = clock_monotonic_ns();
        struct diff *diff = diff_new(
            request->before, fresh,
            &(struct diff_options){.changes_most = DIFF_CHANGES_MOST, .guard_share_percent = 10});
        costs->diffs.ms[i] = ms_since(start);
        if (diff == NULL || !diff_has_changes(diff)) {
            fprintf(stderr, "load_cost: no difference\n");
            exit(EXIT_FAILURE);
        }
        diff_free(diff);
        snapshot_free((struct snapshot *)request->before);
        request->before = fresh;
    }
}

/* ---- the compiled state ---- */

static void write_compiled(const char *folder, const struct snapshot *snapshot)
{
    struct compiled *compiled = compiled_hold(snapshot);
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const atomic_bool is_stopping = false;
    struct err err = {.code = ERR_NONE};

    if (compiled == NULL || descriptor < 0 ||
        !compiled_write(compiled, descriptor, &is_stopping, &err)) {
        fprintf(stderr, "load_cost: no compiled state: %s\n", err.text);
        exit(EXIT_FAILURE);
    }
    close(descriptor);
    compiled_release(compiled);
}

/* A start as the server does it: files whose stamps are those of the state are not read. */
static double start_compiled_ms(const char *folder, struct load_request request)
{
    struct err err = {.code = ERR_NONE};
    uint64_t start = clock_monotonic_ns();
    struct snapshot *compiled =
        compiled_read(folder, &request.policy->suffixes, request.threads, &err);

    if (compiled == NULL) {
        fprintf(stderr, "load_cost: the compiled state is not read: %s\n", err.text);
        exit(EXIT_FAILURE);
    }
    request.before = compiled;
    request.key = compiled->index.key;
    request.is_start = true;
    struct snapshot *snapshot = load(&request);
    double ms = ms_since(start);
    snapshot_free(snapshot);
    snapshot_free(compiled);
    return ms;
}

/* ---- answers ---- */

__attribute__((noinline)) static void counted_answer(const struct snapshot *snapshot,
                                                     struct exchange *exchange)
{
    respond(snapshot, exchange);
}

/* Asks for apps that are spread over all files. */
static void answer_apps(const struct snapshot *snapshot, unsigned files, unsigned apps,
                        unsigned long count)
{
    static uint8_t request[REQUEST_OCTETS_MOST], reply[REQUEST_OCTETS_MOST];
    static struct exchange exchange;
    static struct dead_apps dead_apps;
    char name[64];

    COLD_STACK;
    COLD_COUNT;
    for (unsigned long i = 0; i < count; i++) {
        unsigned file = (unsigned)(i * 7919 % files);
        snprintf(name, sizeof name, "app-%05u-%04u.herokuapp.com.", file,
                 (unsigned)(i * 104729 % apps));
        exchange = (struct exchange){
            .request = request,
            .request_length = request_write(&(struct ask){.name = name}, request),
            .path = {.source = 0x0a008238, .destination = listen_of(file)},
            .transport = TRANSPORT_UDP,
            .reply = reply,
            .dead_apps = &dead_apps,
        };
        cold_start();
        counted_answer(snapshot, &exchange);
        if (exchange.reply_length == 0 || exchange.rcode != RCODE_NOERROR) {
            fprintf(stderr, "load_cost: %s is not answered\n", name);
            exit(EXIT_FAILURE);
        }
    }
}

static void remove_files(const char *folder, unsigned files)
{
    char path[PATH_MOST];

    for (unsigned i = 0; i < files; i++) {
        zone_path(path, folder, i);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/compiled", folder);
    unlink(path);
    rmdir(folder);
}

int main(int count, char **arguments)
{
    unsigned files = count > 1 ? (unsigned)strtoul(arguments[1], NULL, 10) : 1000;
    unsigned apps = count > 2 ? (unsigned)strtoul(arguments[2], NULL, 10) : 1000;
    has_ids = count > 3 && strcmp(arguments[3], "ids") == 0;
    unsigned long asked = count > 3 && !has_ids ? strtoul(arguments[3], NULL, 10) : 0;
    char folder[] = "/tmp/load-cost-XXXXXX";

    if (files == 0 || files > 60000 || apps == 0 || apps > 4000 || mkdtemp(folder) == NULL) {
        fprintf(stderr,
                "usage: load_cost [FILES (1-60000) [APPS_PER_FILE (1-4000) [ids|COUNT]]]\n");
        return 2;
    }
    for (unsigned i = 0; i < files; i++)
        write_file(folder, i, apps, "up");
    if (asked == 0)
        sleep(SETTLED_S);
    struct policy policy = {.suffixes = suffixes_default(), .localspace_to = 1 << CLIENT_SPACE};
    struct folder zones;
    folder_init(&zones, folder, NULL);
    struct load_request request = {
        .source = &zones.source, .policy = &policy, .key = hash_key_random(), .threads = 2};

    double before_mb = resident_mb();
    uint64_t start = clock_monotonic_ns();
    request.before = load(&request);
    double seconds = (double)(clock_monotonic_ns() - start) / 1e9;
    double after_mb = resident_mb();
    double octets = (double)snapshot_octets(request.before) / (double)request.before->app_count;
    if (asked > 0) {
        answer_apps(request.before, files, apps, asked);
        snapshot_free((struct snapshot *)request.before);
        remove_files(folder, files);
        return EXIT_SUCCESS;
    }
    write_compiled(folder, request.before);
    double compiled_ms = start_compiled_ms(folder, request);
    struct costs costs;
    size_t app_count = request.before->app_count;
    measure_reloads(&request, files, apps, &costs);
    printf("{\"apps\":%zu,\"files\":%u,\"start_s\":%.2f,\"compiled_start_s\":%.3f,\"octets_per_"
           "app\":%.1f,"
           "\"resident_octets_per_app\":%.1f,\"reload_ms\":%.1f,\"reload_cpu_ms\":%.1f,"
           "\"diff_ms\":%.1f}\n",
           app_count, files, seconds, compiled_ms / 1e3, octets,
           (after_mb - before_mb) * 1e6 / (double)app_count, median(&costs.reloads),
           median(&costs.reload_cpu), median(&costs.diffs));
    snapshot_free((struct snapshot *)request.before);
    remove_files(folder, files);
    return EXIT_SUCCESS;
}
