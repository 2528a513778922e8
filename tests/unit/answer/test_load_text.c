// wrap: malloc calloc realloc
/*
 * Loading from a source that has revisions and no files: which texts are read, and that a change
 * of several texts makes one generation.
 */
#include "answer/load.h"

#include <stdio.h>
#include <string.h>

#include "support/allocations.h"
#include "support/memory_source.h"
#include "support/suite.h"
#include "support/zones.h"

static struct memory_source memory;
static struct policy policy;
static struct snapshot *snapshot;
static struct report *report;
static struct load_outcome outcome;
static struct err err;
static bool is_due; /* a load was asked for */

static void set_up(void)
{
    memory_source_init(&memory);
    policy = policy_usual();
    is_due = false;
}

static void tear_down(void)
{
    load_outcome_close(&outcome);
    snapshot_free(snapshot);
    snapshot = NULL;
    report_free(report);
    report = NULL;
}

/* Loads; a new snapshot replaces the previous one. Returns whether there is one. */
static bool load_with(struct load_request request)
{
    request.source = &memory.source;
    request.policy = &policy;
    request.key = key_usual();
    request.threads = 1;
    request.before = snapshot;
    memory.reads = 0;
    load_outcome_close(&outcome);
    report_free(report);
    report = report_new();
    err.code = ERR_NONE;
    struct snapshot *next = snapshot_load(&request, report, &outcome, &err);
    if (next == NULL)
        return false;
    snapshot_free(snapshot);
    snapshot = next;
    return true;
}

static bool load(void)
{
    return load_with((struct load_request){.now_s = 0});
}

/* Puts a space of one internal app, with `more` at its end. */
static void put(const char *space, unsigned octet, const char *app, const char *more)
{
    char text[MEMORY_TEXT_MOST];

    snprintf(text, sizeof text,
             "space: %s\n"
             "cidr: 10.%u.0.0/16\n"
             "routers: [10.%u.0.37]\n"
             "apps:\n"
             "  - name: %s\n"
             "    internal_routing: true\n"
             "    formation: {web: {dynos: [{number: 1, private_ip: 10.%u.130.1}]}}\n"
             "%s",
             space, octet, octet, app, octet, more);
    memory_source_put(&memory, space, text);
}

static void put_two_spaces(void)
{
    put("one-space", 1, "one-app", "");
    put("two-space", 2, "two-app", "");
    memory_source_commit(&memory);
}

/* The space that has the app; NULL when none has. */
static const char *space_of(const char *app)
{
    struct index_entry entry;

    return snapshot_find_app(snapshot, app, strlen(app), &entry)
               ? snapshot->segments[entry.segment]->name
               : NULL;
}

FIXTURE(set_up, tear_down)

TEST(texts_are_listed_and_read_once)
{
    put_two_spaces();
    ck_assert_msg(load(), "%s", err.text);
    ck_assert_uint_eq(memory.reads, 2);
    ck_assert_uint_eq(outcome.file_count, 2);
    ck_assert_str_eq(space_of("one-app"), "one-space");
    ck_assert_str_eq(space_of("two-app"), "two-space");
    ck_assert_str_eq(snapshot->segments[0]->file, "registry/one-space");
}

TEST(a_text_of_the_same_stamp_is_not_read_again)
{
    put_two_spaces();
    ck_assert(load());
    ck_assert(!load());
    ck_assert(outcome.is_unchanged);
    ck_assert_uint_eq(memory.reads, 0);
    ck_assert(!load_with((struct load_request){.reads_all = true}));
    ck_assert(outcome.is_unchanged);
    ck_assert_uint_eq(memory.reads, 2);
}

TEST(a_text_of_another_stamp_is_read_and_the_others_are_not)
{
    put_two_spaces();
    ck_assert(load());
    const struct segment *kept = snapshot->segments[0];
    put("two-space", 2, "new-app", "");
    memory_source_commit(&memory);
    ck_assert(load());
    ck_assert_uint_eq(memory.reads, 1);
    ck_assert_ptr_eq(snapshot->segments[0], kept);
    ck_assert_str_eq(space_of("new-app"), "two-space");
    ck_assert_ptr_null(space_of("two-app"));
}

TEST(the_same_octets_at_another_revision_change_nothing_and_are_read_once)
{
    put_two_spaces();
    ck_assert(load());
    put("two-space", 2, "two-app", "");
    memory_source_commit(&memory);
    ck_assert(!load());
    ck_assert(outcome.is_unchanged);
    ck_assert_uint_eq(memory.reads, 1);
    ck_assert(!load());
    ck_assert_uint_eq(memory.reads, 0);
}

TEST(a_removed_text_is_no_longer_served)
{
    put_two_spaces();
    ck_assert(load());
    memory_source_put(&memory, "one-space", NULL);
    memory_source_commit(&memory);
    ck_assert(load());
    ck_assert_uint_eq(memory.reads, 0);
    ck_assert_ptr_null(space_of("one-app"));
    ck_assert_str_eq(space_of("two-app"), "two-space");
}

/* Puts two spaces whose apps have the domains; either space alone would take the other's. */
static void put_domains(const char *one, const char *two)
{
    char more[2][128];

    snprintf(more[0], sizeof more[0], "    domains: [{hostname: %s, cname: a.b.herokuspace.com}]\n",
             one);
    snprintf(more[1], sizeof more[1], "    domains: [{hostname: %s, cname: c.d.herokuspace.com}]\n",
             two);
    put("one-space", 1, "one-app", more[0]);
    put("two-space", 2, "two-app", more[1]);
    memory_source_commit(&memory);
}

/* The space whose app has the domain. */
static const char *space_of_domain(const char *domain)
{
    struct name name;
    struct index_entry entry;

    ck_assert(name_from_text(domain, &name));
    ck_assert(snapshot_find(snapshot, &name, index_hash(&snapshot->index, &name), &entry));
    return snapshot->segments[entry.segment]->name;
}

TEST(texts_that_change_together_are_one_generation)
{
    put_domains("www.example.com", "api.example.com");
    ck_assert(load());
    put_domains("api.example.com", "www.example.com");
    ck_assert(load());
    ck_assert_uint_eq(snapshot->generation, 2);
    ck_assert_str_eq(space_of_domain("api.example.com"), "one-space");
    ck_assert_str_eq(space_of_domain("www.example.com"), "two-space");
}

/* Swaps the domains after the first text was read. */
static void swap_domains(struct memory_source *source)
{
    source->on_read = NULL;
    put_domains("api.example.com", "www.example.com");
}

static void ask_for_a_load(void *context)
{
    *(bool *)context = true;
}

TEST(a_change_during_a_load_is_for_the_next_one)
{
    const struct source_listener listener = {.on_change = ask_for_a_load, .context = &is_due};

    ck_assert(memory.source.watch(&memory.source, &listener, &err));
    put_domains("www.example.com", "api.example.com");
    ck_assert(is_due);
    is_due = false;
    memory.on_read = swap_domains;
    ck_assert_msg(load(), "half of a change was loaded");
    ck_assert_str_eq(space_of_domain("www.example.com"), "one-space");
    ck_assert(is_due);
    ck_assert(load());
    ck_assert_str_eq(space_of_domain("www.example.com"), "two-space");
}

TEST(a_finding_names_the_text)
{
    put("one-space", 1, "one-app", "oops: true\n");
    memory_source_commit(&memory);
    ck_assert(!load());
    const struct finding *finding = report_first_error(report);
    ck_assert_ptr_nonnull(finding);
    ck_assert_str_eq(finding->file, "registry/one-space");
    ck_assert_uint_eq(finding->at.line, 8);
}

TEST(a_text_that_loses_its_end_mark_was_cut)
{
    put("one-space", 1, "one-app", "...\n");
    memory_source_commit(&memory);
    ck_assert(load());
    put("one-space", 1, "one-app", "");
    memory_source_commit(&memory);
    ck_assert(!load());
    ck_assert_int_eq(report_first_error(report)->code, FINDING_CUT);
}

TEST(a_source_without_texts_is_an_error)
{
    ck_assert(!load());
    ck_assert_int_eq(err.code, ERR_RULE);
    ck_assert_str_eq(err.text, "registry has no text");
}

TEST(models_are_handed_over_in_the_order_of_the_names)
{
    put("two-space", 2, "two-app", "");
    put("one-space", 1, "one-app", "");
    memory_source_commit(&memory);
    ck_assert(load_with((struct load_request){.wants_models = true}));
    ck_assert_uint_eq(outcome.model_count, 2);
    ck_assert_str_eq(outcome.models[0].space->name.text, "one-space");
    ck_assert_str_eq(outcome.models[0].space->file, "registry/one-space");
    ck_assert_str_eq(outcome.models[1].space->apps[0].name.text, "two-app");
    ck_assert_uint_eq(memory.reads, 2);
}

/* Whichever allocation fails, what was served stays whole, and the next load makes up for it. */
TEST(a_load_without_memory_is_refused_and_changes_nothing)
{
    put_two_spaces();
    ck_assert(load());
    put("two-space", 2, "new-app", "");
    put("three-space", 3, "three-app", "");
    memory_source_commit(&memory);
    size_t failures = 0;
    for (bool is_loaded = false; !is_loaded; failures++) {
        report_free(report);
        report = report_new();
        load_outcome_close(&outcome);
        err.code = ERR_NONE;
        const struct load_request request = {.source = &memory.source,
                                             .policy = &policy,
                                             .key = key_usual(),
                                             .threads = 1,
                                             .before = snapshot,
                                             .wants_models = true};
        size_t before = allocations_count();
        allocations_fail(failures + 1);
        struct snapshot *next = snapshot_load(&request, report, &outcome, &err);
        is_loaded = allocations_count() - before <= failures;
        allocations_fail(0);
        ck_assert_msg(next != NULL || err.code == ERR_MEMORY || !report_is_clean(report),
                      "the failure of allocation %zu is not reported", failures + 1);
        ck_assert(next == NULL || outcome.model_count == 2);
        snapshot_free(next);
        ck_assert_str_eq(space_of("two-app"), "two-space");
    }
    ck_assert_uint_gt(failures, 20);
    ck_assert(load());
    ck_assert_str_eq(space_of("three-app"), "three-space");
}

TEST(no_model_is_handed_over_by_a_load_that_is_refused)
{
    put("one-space", 1, "one-app", "");
    put("two-space", 1, "two-app", "");
    memory_source_commit(&memory);
    ck_assert(!load_with((struct load_request){.wants_models = true}));
    ck_assert_uint_eq(outcome.model_count, 0);
}
