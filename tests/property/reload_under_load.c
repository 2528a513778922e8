// label: threads
// timeout: 120
/**
 * Reloads while workers answer: every answer comes from one generation, generations only grow, and
 * a snapshot is freed only when no worker answers from it.
 *
 * The zone file alternates between two contents; the router's address shows which content a
 * generation has.
 */
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "answer/mailbox.h"
#include "source/folder.h"
#include "support/suite.h"
#include "support/world.h"
#include "support/zones.h"

enum { WORKERS = 3, RELOADS = 150, QUESTIONS = 3 };

static const char *const questions[QUESTIONS] = {"moving-app-1.herokuapp.com.",
                                                 "moving.example.com.",
                                                 "router-1.moving-space.space.localspace."};

struct worker {
    uv_thread_t thread;
    struct mailbox mailbox;
    atomic_bool *stop;
    uint64_t answers;
    uint64_t last_generation;
    bool failed; /* read after the thread ended; Check's own asserts are for the main thread */
};

static uint32_t router_of(uint64_t generation)
{
    return generation % 2 == 1 ? 0x0a070011 : 0x0a070012;
}

static void write_zone(struct scratch *folder, uint64_t generation)
{
    char text[1024];
    int length = snprintf(text, sizeof text,
                          "# content of generation %llu\n"
                          "space: moving-space\n"
                          "cidr: 10.7.0.0/16\n"
                          "routers: [10.7.0.%d]\n"
                          "apps:\n"
                          "  - name: moving-app-1\n"
                          "    internal_routing: true\n"
                          "    domains: [{hostname: moving.example.com, "
                          "cname: haiku-1.moving-2.herokuspace.com}]\n"
                          "    formation: {web: {dynos: [{number: 1, private_ip: 10.7.130.1}]}}\n",
                          (unsigned long long)generation, generation % 2 == 1 ? 17 : 18);
    scratch_write(folder, "moving.yaml", text, (size_t)length);
}

/* One address, and the one that belongs to the generation. */
static bool answers_rightly(const struct snapshot *snapshot, const char *name)
{
    uint8_t request[REQUEST_OCTETS_MOST], reply[UDP_OCTETS_MOST];
    uint32_t addresses[4];
    struct decoded decoded;
    struct exchange exchange = {
        .request = request,
        .request_length = request_write(&(struct ask){.name = name}, request),
        .path = {.source = 0x0a078201, .destination = 0x0a000002},
        .reply = reply,
    };

    size_t length = respond(snapshot, &exchange);
    decode(reply, length, &decoded);
    size_t count = decoded_addresses(&decoded, addresses, 4);
    bool is_right = count == 1 && addresses[0] == router_of(snapshot->generation);
    decoded_close(&decoded);
    return is_right;
}

static void work(void *argument)
{
    struct worker *worker = argument;
    const struct snapshot *current = NULL;

    while (!atomic_load(worker->stop)) {
        if (mailbox_collect(&worker->mailbox, &current)) {
            worker->failed = worker->failed || current->generation <= worker->last_generation;
            worker->last_generation = current->generation;
        }
        if (current == NULL) {
            sched_yield();
            continue;
        }
        for (int i = 0; i < QUESTIONS; i++)
            worker->failed = worker->failed || !answers_rightly(current, questions[i]);
        worker->answers += QUESTIONS;
    }
}

static struct snapshot *load(struct world *world, const struct snapshot *before)
{
    struct folder source;
    struct load_request request = {.source = &source.source,
                                   .policy = &world->policy,
                                   .key = world->key,
                                   .threads = 2,
                                   .before = before};
    struct load_outcome outcome;
    struct report *report = report_new();
    struct err err = {.code = ERR_NONE};
    folder_init(&source, world->folder.path, NULL);
    struct snapshot *snapshot = snapshot_load(&request, report, &outcome, &err);

    if (snapshot == NULL) {
        report_print(report, stderr);
        fprintf(stderr, "%s\n", err.text);
    }
    load_outcome_close(&outcome);
    report_free(report);
    return snapshot;
}

/* Waits until every worker answers from the generation; they check between two batches. */
static void await_adoption(const struct worker *workers, uint64_t generation)
{
    for (int i = 0; i < WORKERS; i++)
        while (mailbox_adopted(&workers[i].mailbox) < generation)
            sched_yield();
}

TEST(every_answer_comes_from_one_generation)
{
    struct world world;
    static struct worker workers[WORKERS];
    atomic_bool stop = false;
    struct snapshot *current = NULL;

    world_init(&world);
    /* A second file never changes: every generation shares its segment. */
    scratch_copy(&world.folder, "tests/zones_good/other-space.yaml");
    for (int i = 0; i < WORKERS; i++) {
        workers[i].stop = &stop;
        uv_thread_create(&workers[i].thread, work, &workers[i]);
    }
    for (uint64_t generation = 1; generation <= RELOADS; generation++) {
        write_zone(&world.folder, generation);
        struct snapshot *next = load(&world, current);
        ck_assert_ptr_nonnull(next);
        ck_assert_uint_eq(next->generation, generation);
        for (int i = 0; i < WORKERS; i++)
            mailbox_post(&workers[i].mailbox, next);
        await_adoption(workers, generation);
        snapshot_free(current);
        current = next;
    }
    atomic_store(&stop, true);
    for (int i = 0; i < WORKERS; i++) {
        uv_thread_join(&workers[i].thread);
        ck_assert(!workers[i].failed);
        ck_assert_uint_eq(workers[i].last_generation, RELOADS);
        ck_assert_uint_gt(workers[i].answers, 0);
    }
    snapshot_free(current);
    world_close(&world);
}
