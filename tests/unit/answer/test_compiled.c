// timeout: 240
// forks: its tests leave something behind
#include "answer/compiled.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer/segment_image.h"
#include "answer/state.h"
#include "inspect/diff.h"
#include "source/folder.h"
#include "support/kept.h"
#include "support/packets.h"
#include "support/scratch.h"
#include "support/suite.h"
#include "support/zones.h"

/* A server that is started again and again, and the result of its last load. */
static struct scratch zones, home;
static char path[SCRATCH_PATH_MOST + 16];
static struct policy policy;
static struct hash_key key;
static struct state state;
static struct snapshot *snapshot;
static struct load_outcome outcome;
static struct err err;
static size_t errors;
static bool was_compiled;

/* A clock by which every file is old, so that stamps prove something. */
static int64_t long_after(void *context)
{
    (void)context;
    return INT64_C(4102444800000000); /* the year 2100 */
}

static const struct waiting_clock late = {.wall_us = long_after};

static const char *const files[] = {"zones/test-space.yaml", "tests/zones_good/other-space.yaml",
                                    "tests/zones_good/every-shape.yaml",
                                    "tests/zones_good/changing-space.yaml"};
enum { FILES = sizeof files / sizeof files[0] };

static void set_up(void)
{
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1);
    scratch_init(&zones);
    scratch_init(&home);
    for (size_t i = 0; i < FILES; i++)
        scratch_copy(&zones, files[i]);
    snprintf(path, sizeof path, "%s/state", home.path);
    policy = policy_usual();
    key = key_usual();
}

static void end(void)
{
    snapshot_free(snapshot);
    snapshot = NULL;
    state_close(&state);
}

static void tear_down(void)
{
    end();
    scratch_remove_folder(path);
    scratch_close(&zones);
    scratch_close(&home);
}

/* Loads, at a start with what was compiled, or again. Returns whether there is a new snapshot. */
static bool load(struct snapshot *compiled)
{
    struct folder source;
    struct load_request request = {.source = &source.source,
                                   .policy = &policy,
                                   .key = key,
                                   .threads = 2,
                                   .before = compiled == NULL ? snapshot : compiled,
                                   .is_start = compiled != NULL,
                                   .stored = &state.stored};
    struct report *report = report_new();
    struct err load_err;

    folder_init(&source, zones.path, &late);
    struct snapshot *next = snapshot_load(&request, report, &outcome, &load_err);
    errors = report_count(report, FINDING_ERROR);
    report_free(report);
    if (next != NULL)
        ck_assert(state_store(&state, next, 0, &outcome));
    load_outcome_close(&outcome);
    if (next == NULL)
        return false;
    snapshot_free(snapshot);
    snapshot = next;
    return true;
}

/* As the server starts. */
static void start(void)
{
    end();
    struct snapshot *compiled = compiled_read(path, &policy.suffixes, 2, &err);
    was_compiled = compiled != NULL;
    key.first += 1234567; /* each process has its own, */
    if (was_compiled)
        key = compiled->index.key; /* unless it uses another's */
    ck_assert_msg(state_open(&state, path, &key), "%s", state.problem.text);
    ck_assert(load(compiled));
    snapshot_free(compiled);
}

static bool write_compiled(void)
{
    static const atomic_bool goes_on;
    struct compiled *compiled = compiled_hold(snapshot);
    bool written = compiled_write(compiled, state.folder, &goes_on, &err);

    compiled_release(compiled);
    return written;
}

/* Two starts, the second one with what the first compiled. */
static void start_compiled(void)
{
    start();
    ck_assert(!was_compiled);
    ck_assert_msg(write_compiled(), "%s", err.text);
    start();
    ck_assert_msg(was_compiled, "%s", err.code == ERR_NONE ? "" : err.text);
}

static const struct segment *segment_of(const struct snapshot *of, const char *file)
{
    for (size_t i = 0; i < of->segment_count; i++)
        if (of->segments[i] != NULL && strcmp(of->segments[i]->file, file) == 0)
            return of->segments[i];
    return NULL;
}

/* The answers are those of a start from the zone files alone. */
static void expect_answers_of_the_files(void)
{
    struct state none = {.folder = -1, .zones = -1};
    struct state kept = state;
    struct snapshot *served = snapshot;

    state = none;
    snapshot = NULL;
    key.first++; /* so that no file counts as equal unread */
    ck_assert(load(NULL));
    key.first--;
    struct snapshot *fresh = snapshot;
    snapshot = served;
    state = kept;
    ck_assert_uint_eq(snapshot_count_spaces(served), snapshot_count_spaces(fresh));
    ck_assert_uint_eq(served->app_count, fresh->app_count);
    ck_assert_uint_eq(served->host_count, fresh->host_count);
    const struct diff_options options = {.changes_most = 10};
    struct diff *diff = diff_new(fresh, served, &options);
    ck_assert(!diff_has_changes(diff));
    diff_free(diff);
    snapshot_free(fresh);
}

static bool is_kept_back(const char *text)
{
    return snapshot_keeps_back(snapshot, text, NULL);
}

FIXTURE(set_up, tear_down)

TEST(a_start_with_compiled_files_reads_none_and_answers_the_same)
{
    start_compiled();
    ck_assert_uint_eq(outcome.read_count, 0);
    ck_assert_uint_eq(outcome.file_count, FILES);
    ck_assert_uint_eq(outcome.change_count, 0);
    expect_answers_of_the_files();
}

/* Without its device a connection would let everyone in. */
TEST(a_device_is_compiled_too)
{
    static const char text[] =
        "space: by-device\ncidr: 10.9.0.0/16\nvpns:\n"
        "  - {name: a, status: active, routable_cidrs: [172.27.0.0/16], device: ipsec0}\n"
        "  - {name: b, status: active, routable_cidrs: [172.28.0.0/16]}\n...\n";

    scratch_write(&zones, "device.yaml", text, sizeof text - 1);
    start_compiled();
    const struct segment *segment = snapshot_find_space(snapshot, "by-device");
    ck_assert_uint_eq(outcome.read_count, 0);
    ck_assert_str_eq(segment->connections[0].device, "ipsec0");
    ck_assert_ptr_null(segment->connections[1].device);
    ck_assert_uint_eq(snapshot->access.device_count, 1);
    expect_answers_of_the_files();
}

TEST(generations_go_on)
{
    start_compiled();
    uint64_t generation = snapshot->generation;
    start();
    ck_assert(was_compiled);
    ck_assert_uint_eq(snapshot->generation, generation + 1);
}

TEST(a_file_that_changed_meanwhile_is_read_and_no_other)
{
    start_compiled();
    ck_assert(scratch_edit(&zones, "test-space.yaml", "api.example.com", "papi.example.com"));
    start();
    ck_assert_uint_eq(outcome.read_count, 1);
    ck_assert(is_kept_back("api.example.com"));
    expect_answers_of_the_files();
}

TEST(a_file_that_is_new_or_gone_is_noticed)
{
    start_compiled();
    scratch_remove(&zones, "other-space.yaml");
    start();
    ck_assert_uint_eq(outcome.read_count, 0);
    ck_assert_uint_eq(outcome.change_count, 1);
    ck_assert(is_kept_back("quiet.example.org"));
    expect_answers_of_the_files();
    ck_assert(write_compiled());
    scratch_copy(&zones, "tests/zones_good/other-space.yaml");
    start();
    ck_assert(was_compiled);
    ck_assert_uint_eq(outcome.read_count, 1);
    ck_assert(!is_kept_back("quiet.example.org"));
    expect_answers_of_the_files();
}

TEST(the_content_decides_where_the_stamp_differs)
{
    start_compiled();
    scratch_copy(&zones, "zones/test-space.yaml"); /* another inode */
    start();
    ck_assert_uint_eq(outcome.read_count, 1);
    ck_assert_uint_eq(outcome.change_count, 0);
    expect_answers_of_the_files();
}

TEST(a_reload_after_such_a_start_is_as_ever)
{
    start_compiled();
    ck_assert(!load(NULL));
    ck_assert_uint_eq(outcome.read_count, 0);
    ck_assert(scratch_edit(&zones, "test-space.yaml", "api.example.com", "papi.example.com"));
    ck_assert(load(NULL));
    ck_assert(is_kept_back("api.example.com"));
    expect_answers_of_the_files();
}

/* What was compiled has an older text: the name was removed, and let go, after that. */
TEST(a_compiled_file_that_is_behind_brings_no_name_back)
{
    start();
    ck_assert(write_compiled());
    ck_assert(scratch_edit(&zones, "test-space.yaml", "api.example.com", "papi.example.com"));
    ck_assert(load(NULL));
    ck_assert(is_kept_back("api.example.com"));
    struct snapshot *forgotten = snapshot_renew(snapshot, snapshot->generation + 1, NULL);
    ck_assert(state_store(&state, forgotten, 0, &(struct load_outcome){.texts = NULL}));
    snapshot_free(forgotten);
    start();
    ck_assert(was_compiled);
    ck_assert_uint_eq(outcome.read_count, 1);
    ck_assert(!is_kept_back("api.example.com"));
    expect_answers_of_the_files();
}

TEST(a_text_that_the_state_lacks_is_read_and_stored_again)
{
    char text[sizeof path + 64];

    start_compiled();
    snprintf(text, sizeof text, "%s/zones/test-space.yaml", path);
    ck_assert_int_eq(unlink(text), 0);
    start();
    ck_assert(was_compiled);
    ck_assert_uint_eq(outcome.read_count, 1);
    ck_assert_int_eq(access(text, F_OK), 0);
}

TEST(a_file_with_errors_is_served_from_its_accepted_text)
{
    start_compiled();
    ck_assert(scratch_edit(&zones, "test-space.yaml", "cidr: 10.0.0.0/16", "cidr: 10.0.0.1/16"));
    start();
    ck_assert(was_compiled);
    ck_assert_uint_eq(errors, 0);
    ck_assert_uint_eq(outcome.read_count, 1);
    scratch_copy(&zones, "zones/test-space.yaml");
    expect_answers_of_the_files();
}

/* Fixed on creation, but a start has nothing before it, whether it has compiled files or not. */
TEST(what_a_start_accepts_does_not_depend_on_compiled_files)
{
    start_compiled();
    ck_assert(scratch_edit(&zones, "other-space.yaml", "    internal_routing: true\n", ""));
    start();
    ck_assert(was_compiled);
    ck_assert_uint_eq(errors, 0);
    ck_assert_uint_eq(outcome.change_count, 2);
}

TEST(other_suffixes_compile_anew)
{
    start_compiled();
    policy.suffixes.apps = "apps.example";
    end();
    ck_assert_ptr_null(compiled_read(path, &policy.suffixes, 1, &err));
    ck_assert_int_eq(err.code, ERR_NONE);
}

TEST(a_file_that_others_may_read_or_write_is_not_used)
{
    char file[sizeof path + 16];

    start_compiled();
    end();
    snprintf(file, sizeof file, "%s/compiled", path);
    ck_assert_int_eq(chmod(file, 0640), 0);
    ck_assert_ptr_null(compiled_read(path, &policy.suffixes, 1, &err));
    ck_assert_int_eq(chmod(file, 0600), 0);
    struct snapshot *compiled = compiled_read(path, &policy.suffixes, 1, &err);
    ck_assert_ptr_nonnull(compiled);
    snapshot_free(compiled);
}

TEST(a_write_that_fails_or_is_stopped_leaves_the_former_file)
{
    static const atomic_bool is_stopping = true, goes_on;
    char drafts[sizeof path + 64];
    struct err write_err;

    start_compiled();
    struct compiled *compiled = compiled_hold(snapshot);
    ck_assert(!compiled_write(compiled, state.folder, &is_stopping, &write_err));
    ck_assert_int_eq(write_err.code, ERR_NONE);
    ck_assert(!compiled_write(compiled, -1, &goes_on, &write_err));
    ck_assert_int_eq(write_err.code, ERR_SYSTEM);
    compiled_release(compiled);
    snprintf(drafts, sizeof drafts, "! ls -A '%s' | grep -q '^\\.new'", path);
    ck_assert_int_eq(system(drafts), 0); // NOLINT: a folder of this test's own
    start();
    ck_assert(was_compiled);
}

TEST(while_a_name_waits_for_its_owner_nothing_is_written)
{
    struct index_waiting waiting = {.holds = 2, .count = 0};

    start_compiled();
    snapshot->index.waiting = &waiting;
    ck_assert_ptr_null(compiled_hold(snapshot));
    snapshot->index.waiting = NULL;
    ck_assert(write_compiled());
}

/* ---- damage ---- */

/* The files of the state folder. */
static const char *const state_files[] = {"compiled",
                                          "compiled",
                                          "compiled",
                                          "compiled",
                                          "state",
                                          "kept-back",
                                          "kept-back.copy",
                                          "zones/test-space.yaml",
                                          "zones/every-shape.yaml"};
enum { STATE_FILES = sizeof state_files / sizeof state_files[0], DAMAGES = 125 };

/* Flips a bit, or cuts the file's end off. */
static void spoil(struct dice *dice, const char *name)
{
    char file[sizeof path + 64];
    size_t length;

    snprintf(file, sizeof file, "%s/%s", path, name);
    char *octets = file_read(file, &length);
    ck_assert_ptr_nonnull(octets);
    ck_assert_uint_gt(length, 0);
    if (dice_roll(dice, 4) == 0) {
        ck_assert_int_eq(truncate(file, (off_t)dice_roll(dice, (uint32_t)length)), 0);
    } else {
        uint32_t at = dice_roll(dice, (uint32_t)length);
        octets[at] = (char)(octets[at] ^ 1 << dice_roll(dice, 8));
        int descriptor = open(file, O_WRONLY | O_CLOEXEC);
        ck_assert_int_eq(pwrite(descriptor, &octets[at], 1, at), 1);
        ck_assert_int_eq(close(descriptor), 0);
    }
    free(octets);
}

static void copy_state(const char *from, const char *to)
{
    char command[4 * SCRATCH_PATH_MOST];

    snprintf(command, sizeof command, "rm -rf '%s' && cp -rp '%s' '%s'", to, from, to);
    ck_assert_int_eq(system(command), 0); // NOLINT: folders of this test's own
}

TEST_LOOP(whatever_decays_a_start_answers_what_the_files_say, 0, 8)
{
    struct dice dice = {.state = 0x636f6d70 + (uint64_t)_i};
    char sound[sizeof path];
    size_t used = 0;

    snprintf(sound, sizeof sound, "%s/sound", home.path);
    start();
    ck_assert(scratch_edit(&zones, "test-space.yaml", "api.example.com", "papi.example.com"));
    ck_assert(load(NULL));
    ck_assert(write_compiled());
    end();
    copy_state(path, sound);
    for (int i = 0; i < DAMAGES; i++) {
        const char *name = state_files[dice_roll(&dice, STATE_FILES)];
        copy_state(sound, path);
        spoil(&dice, name);
        start();
        ck_assert_msg(!was_compiled || strcmp(name, "compiled") != 0, "damage goes unnoticed");
        used += was_compiled;
        ck_assert(is_kept_back("api.example.com"));
        expect_answers_of_the_files();
        end();
    }
    ck_assert_uint_gt(used, DAMAGES / 4);
    scratch_remove_folder(sound);
}

/* An image in memory of its own, aligned. */
static uint8_t *place(struct arena *arena, const uint8_t *octets, size_t length)
{
    uint8_t *copy = arena_take(arena, length + SEGMENT_IMAGE_ALIGNMENT);

    copy += (SEGMENT_IMAGE_ALIGNMENT - (uintptr_t)copy % SEGMENT_IMAGE_ALIGNMENT) %
            SEGMENT_IMAGE_ALIGNMENT;
    memcpy(copy, octets, length);
    return copy;
}

static const char *const paths_of_segments[] = {"zones/test-space.yaml",
                                                "tests/zones_good/every-shape.yaml"};

/* Whatever a segment has is in its image: that of the segment made of it is the same. */
TEST_OVER(an_image_has_everything_of_a_segment, paths_of_segments)
{
    char *text = zone_text(paths_of_segments[_i]);
    struct segment *segment = segment_of_text(text);
    size_t length = 0, again_length = 0;
    struct arena *arena = arena_new();

    uint8_t *octets = segment_image_make(segment, &segment->identity, &length);
    struct segment *used = segment_image_use(place(arena, octets, length), length);
    ck_assert_ptr_nonnull(used);
    ck_assert_str_eq(used->name, segment->name);
    ck_assert_str_eq(used->file, segment->file);
    segment_release(segment);
    arena_free(arena); /* nothing of the image is borrowed */
    uint8_t *again = segment_image_make(used, &used->identity, &again_length);
    ck_assert_uint_eq(again_length, length);
    ck_assert_mem_eq(again, octets, length);
    segment_release(used);
    free(again);
    free(octets);
    free(text);
}

/* An offset that leads out of the image is refused, even under a right checksum. */
TEST(an_image_is_used_only_within_its_bounds)
{
    static const struct text_identity none;
    size_t length = 0;

    start();
    const struct segment *segment = segment_of(snapshot, snapshot->segments[0]->file);
    uint8_t *octets = segment_image_make(segment, &none, &length);
    /* The last eight octets are only to be readable. */
    for (size_t cut = 0; cut < length - 8; cut += 1 + cut / 16) {
        struct arena *arena = arena_new();
        ck_assert_ptr_null(segment_image_use(place(arena, octets, cut), cut));
        arena_free(arena);
    }
    free(octets);
}
