/*
 * The cost of names kept back: their memory after a restart, the time of a lookup, of a restart,
 * and of writing the state when one more name is kept back.
 *
 *     kept_back_cost [NAMES]        by default 1000000
 *
 * Prints one line of JSON. The state goes to a temporary folder, which is removed again.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "answer/kept_back_change.h"
#include "answer/state.h"
#include "source/folder.h"

enum { PATH_MOST = 256, LOOKUPS = 1000000 };

static char folder[] = "/tmp/kept-back-cost-XXXXXX";
static char state_path[PATH_MOST];
static struct state state;
static struct hash_key key;

static void expect(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "kept_back_cost: %s: %s\n", what, state.problem.text);
    exit(EXIT_FAILURE);
}

static double resident_octets(void)
{
    unsigned long pages = 0, resident = 0;

    malloc_trim(0);
    FILE *statm = fopen("/proc/self/statm", "r");
    if (statm == NULL || fscanf(statm, "%lu %lu", &pages, &resident) != 2)
        resident = 0;
    if (statm != NULL)
        fclose(statm);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

/* Of this process: other programs run on the machine. */
static double cpu_ms(void)
{
    return (double)clock() * 1e3 / CLOCKS_PER_SEC;
}

static struct name name_of(unsigned number)
{
    char text[64];
    struct name name;

    snprintf(text, sizeof text, "app-%u.herokuapp.com", number);
    expect(name_from_text(text, &name), "a name");
    return name;
}

static struct snapshot *load(const struct policy *policy)
{
    struct folder zones;
    struct load_request request = {
        .source = &zones.source, .policy = policy, .key = key, .threads = 1};
    struct report *report = report_new();
    struct load_outcome outcome;
    struct err err;

    folder_init(&zones, folder, NULL);
    struct snapshot *snapshot = snapshot_load(&request, report, &outcome, &err);

    expect(snapshot != NULL, "no snapshot");
    load_outcome_close(&outcome);
    report_free(report);
    return snapshot;
}

/* Keeps back the names from `first` on, stores that, and returns the next snapshot. */
static struct snapshot *keep(struct snapshot *before, unsigned first, unsigned end)
{
    struct load_outcome none = {.texts = NULL};
    struct kept_back_change change;

    kept_back_change_begin(&change, before->kept_back, &key);
    kept_back_change_cohort(&change, before->generation, 0, 0, "a-space", "zones/a.yaml");
    for (unsigned i = first; i < end; i++) {
        struct name name = name_of(i);
        kept_back_change_add(&change, &name, false);
    }
    struct snapshot *next =
        snapshot_renew(before, before->generation + 1, kept_back_change_finish(&change));
    expect(next != NULL && state_store(&state, next, 0, &none), "not stored");
    state_drop_names(&state);
    snapshot_free(before);
    return next;
}

static double measure_lookups(const struct kept_back *kept, unsigned names)
{
    struct kept_back_entry entry;
    unsigned found = 0;
    struct name *asked = calloc(1024, sizeof *asked);

    expect(asked != NULL, "memory");
    for (unsigned i = 0; i < 1024; i++)
        asked[i] = name_of(i * (names / 512));
    double start = cpu_ms();
    for (unsigned i = 0; i < LOOKUPS; i++)
        found += kept_back_find(kept, &asked[i % 1024], kept_back_hash(kept, &asked[i % 1024]), 0,
                                &entry);
    double ns = (cpu_ms() - start) * 1e6 / LOOKUPS;
    expect(found > 0 && found < LOOKUPS, "lookups");
    free(asked);
    return ns;
}

int main(int count, char **arguments)
{
    unsigned names = count > 1 ? (unsigned)strtoul(arguments[1], NULL, 10) : 1000000;
    char path[PATH_MOST];

    if (names < 1024 || mkdtemp(folder) == NULL)
        return 2;
    key = hash_key_random();
    snprintf(path, sizeof path, "%s/a.yaml", folder);
    FILE *zone = fopen(path, "w");
    expect(zone != NULL && fputs("space: a-space\nrouters: [10.0.0.37]\n", zone) >= 0, "zone file");
    fclose(zone);
    snprintf(state_path, sizeof state_path, "%s/state", folder);
    expect(state_open(&state, state_path, &key), "state");
    struct policy policy = {.suffixes = suffixes_default(), .localspace_to = 1 << CLIENT_SPACE};
    struct snapshot *snapshot = keep(load(&policy), 0, names);
    double start = cpu_ms();
    snapshot = keep(snapshot, names, names + 1);
    double store_cpu_ms = cpu_ms() - start;
    double lookup_ns = measure_lookups(snapshot->kept_back, names);
    snapshot_free(snapshot);
    state_close(&state);

    double before = resident_octets();
    start = cpu_ms();
    expect(state_open(&state, state_path, &key), "state");
    double open_cpu_ms = cpu_ms() - start, resident = resident_octets() - before;
    printf("{\"names\":%u,\"octets_per_name\":%.1f,\"resident_octets_per_name\":%.1f,"
           "\"open_cpu_ms\":%.0f,\"store_cpu_ms\":%.0f,\"lookup_ns\":%.1f}\n",
           names, (double)kept_back_octets(state.stored.kept_back) / names, resident / names,
           open_cpu_ms, store_cpu_ms, lookup_ns);
    state_close(&state);
    char command[PATH_MOST];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? EXIT_SUCCESS : EXIT_FAILURE; // NOLINT: a folder of its own
}
