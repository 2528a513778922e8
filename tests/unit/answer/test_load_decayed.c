/* A registry's start without a member, from a state folder that has lost a text. */
#include <stdio.h>
#include <string.h>

#include "answer/load.h"
#include "support/kept.h"
#include "support/memory_source.h"
#include "support/scratch.h"
#include "support/suite.h"
#include "support/zones.h"

#define NAME "a-space"

static const char text[] = "space: a-space\ncidr: 10.0.0.0/16\nrouters: [10.0.0.37]\n"
                           "apps:\n  - {name: bill, internal_routing: true}\n";

static struct memory_source memory;
static struct policy policy;
static struct report *report;
static struct load_outcome outcome;
static struct snapshot *compiled, *snapshot;
static struct scratch folder;
static struct stored_text stored_text;
static struct stored stored;

/* What a mirror does for a text that is not on disk as it was. */
static bool read_nothing(struct source *source, const char *name, struct source_text *out,
                         struct report *findings)
{
    (void)source, (void)out;
    report_add(findings, FINDING_FILE, name, location_at(0, 0), "it is not there");
    return false;
}

static struct snapshot *load(struct snapshot *before, const struct stored *texts)
{
    const struct load_request request = {.source = &memory.source,
                                         .policy = &policy,
                                         .key = key_usual(),
                                         .threads = 1,
                                         .before = before,
                                         .is_start = before != NULL,
                                         .keeps_spaces = true,
                                         .stored = texts};
    struct err err;

    report_free(report);
    load_outcome_close(&outcome);
    report = report_new();
    return snapshot_load(&request, report, &outcome, &err);
}

static void set_up(void)
{
    memory_source_init(&memory);
    policy = policy_usual();
    memory_source_put(&memory, NAME, text);
    memory_source_commit(&memory);
    compiled = load(NULL, NULL);
    scratch_init(&folder);
    memory.source.read = read_nothing;
}

static void tear_down(void)
{
    report_free(report);
    report = NULL;
    load_outcome_close(&outcome);
    snapshot_free(snapshot);
    snapshot_free(compiled);
    snapshot = compiled = NULL;
    scratch_close(&folder);
}

FIXTURE(set_up, tear_down)

/* The state folder has these octets for the text that was accepted. */
static void store(const char *octets)
{
    static char path[SCRATCH_PATH_MOST + 16];

    scratch_write(&folder, NAME, octets, strlen(octets));
    snprintf(path, sizeof path, "%s/" NAME, folder.path);
    stored_text = (struct stored_text){.name = NAME,
                                       .path = path,
                                       .length = strlen(octets),
                                       .checksum = stored_checksum(text, sizeof text - 1)};
    stored = (struct stored){.generation = 40, .texts = &stored_text, .text_count = 1};
}

static const char *const rests[] = {"", "space: a-sp", "apps: [", text};

TEST_OVER(what_was_compiled_of_the_text_is_served, rests)
{
    store(rests[_i]);
    stored_text.checksum++;
    snapshot = load(compiled, &stored);
    ck_assert_ptr_nonnull(snapshot);
    ck_assert(!snapshot->segments[0]->is_unready);
    ck_assert_uint_eq(outcome.last_good_count, 0);
    ck_assert_uint_eq(report_total(report), 0);
}

TEST(what_was_compiled_of_another_text_is_not_served)
{
    memory_source_put(&memory, NAME, text);
    memory_source_commit(&memory);
    store("");
    snapshot = load(compiled, &stored);
    ck_assert(snapshot->segments[0]->is_unready);
}

TEST(of_a_text_that_has_decayed_clients_and_names_are_used)
{
    char decayed[sizeof text];

    memcpy(decayed, text, sizeof text);
    memcpy(strstr(decayed, "10.0.0.37"), "10.0.0.36", 9);
    store(decayed);
    snapshot = load(NULL, &stored);
    ck_assert(snapshot->segments[0]->is_unready);
    ck_assert_uint_eq(snapshot->segments[0]->cidr.bits, 16);
    ck_assert(snapshot_keeps_back(snapshot, "bill.herokuapp.com", NULL));
}
