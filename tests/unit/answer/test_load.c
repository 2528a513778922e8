#include "answer/load.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/folder.h"
#include "source/overlay.h"
#include "support/scratch.h"
#include "support/suite.h"
#include "support/zones.h"

/* A folder, its snapshot, and the result of the last load. */
struct stand {
    struct scratch folder;
    struct policy policy;
    struct snapshot *snapshot;
    struct report *report;
    struct load_outcome outcome;
    struct err err;
    unsigned threads;
    bool is_new_policy;
    bool reads_all;
    bool wants_marks;
    struct source *source; /* NULL: the folder */
    const struct waiting_clock *clock;
};

static struct stand stand;

/* A clock by which every file is old: neither busy nor recently changed. */
static int64_t long_after(void *context)
{
    (void)context;
    return INT64_C(4102444800000000); /* the year 2100 */
}

static const struct waiting_clock late = {.wall_us = long_after};

static void set_up(void)
{
    stand = (struct stand){.policy = policy_usual(), .threads = 1, .clock = &late};
    scratch_init(&stand.folder);
}

static void tear_down(void)
{
    snapshot_free(stand.snapshot);
    report_free(stand.report);
    load_outcome_close(&stand.outcome);
    scratch_close(&stand.folder);
}

/* Loads; a new snapshot replaces the previous one. Returns whether there is one. */
static bool load(void)
{
    struct folder zones;
    struct load_request request = {.source = stand.source == NULL ? &zones.source : stand.source,
                                   .policy = &stand.policy,
                                   .is_new_policy = stand.is_new_policy,
                                   .key = key_usual(),
                                   .threads = stand.threads,
                                   .before = stand.snapshot,
                                   .reads_all = stand.reads_all,
                                   .wants_marks = stand.wants_marks};

    report_free(stand.report);
    stand.report = report_new();
    load_outcome_close(&stand.outcome);
    stand.outcome = (struct load_outcome){.is_unchanged = false};
    stand.err = (struct err){.code = ERR_NONE};
    folder_init(&zones, stand.folder.path, stand.clock);
    struct snapshot *next = snapshot_load(&request, stand.report, &stand.outcome, &stand.err);
    if (next == NULL)
        return false;
    snapshot_free(stand.snapshot);
    stand.snapshot = next;
    return true;
}

/* The file's time is long ago, a second later for each write, so it can be trusted. */
static void write_text(const char *name, const char *text)
{
    static time_t seconds = 1000000000;
    char path[SCRATCH_PATH_MOST + 64];
    struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};

    seconds++;
    scratch_write(&stand.folder, name, text, strlen(text));
    snprintf(path, sizeof path, "%s/%s", stand.folder.path, name);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* A space NAME-space of one internal app NAME-app, with the second octet of its CIDR. */
static void write_space(const char *name, int octet, const char *more)
{
    char text[2048];

    snprintf(text, sizeof text,
             "space: %s-space\n"
             "cidr: 10.%d.0.0/16\n"
             "routers: [10.%d.0.37]\n"
             "apps:\n"
             "  - name: %s-app\n"
             "    internal_routing: true\n"
             "    formation: {web: {dynos: [{number: 1, private_ip: 10.%d.130.1}]}}\n"
             "%s",
             name, octet, octet, name, octet, more);
    char file[128];
    snprintf(file, sizeof file, "%s.yaml", name);
    write_text(file, text);
}

static size_t count_findings(enum finding_code code)
{
    size_t count = 0;

    for (size_t i = 0; i < report_total(stand.report); i++)
        count += report_findings(stand.report)[i].code == code;
    return count;
}

/* The segment of a space, to see whether it is shared. */
static const struct segment *segment_of(const char *space)
{
    for (size_t i = 0; i < stand.snapshot->segment_count; i++)
        if (stand.snapshot->segments[i] != NULL &&
            strcmp(stand.snapshot->segments[i]->name, space) == 0)
            return stand.snapshot->segments[i];
    return NULL;
}

static bool has_app(const char *name)
{
    struct index_entry entry;
    return snapshot_find_app(stand.snapshot, name, strlen(name), &entry);
}

FIXTURE(set_up, tear_down)

TEST_LOOP(a_folder_becomes_the_first_generation, 1, 4)
{
    stand.threads = (unsigned)_i;
    write_space("one", 1, "");
    write_space("two", 2, "");
    ck_assert(load());
    ck_assert_uint_eq(stand.snapshot->generation, 1);
    ck_assert_uint_eq(stand.outcome.file_count, 2);
    ck_assert_uint_eq(stand.outcome.read_count, 2);
    ck_assert(report_is_clean(stand.report));
    ck_assert(has_app("one-app") && has_app("two-app"));
    ck_assert(!has_app("three-app"));
}

TEST(nothing_changed_means_nothing_to_do)
{
    write_space("one", 1, "");
    ck_assert(load());
    ck_assert(!load());
    ck_assert(stand.outcome.is_unchanged);
    ck_assert_uint_eq(stand.outcome.read_count, 0);
    ck_assert_uint_eq(stand.snapshot->generation, 1);
}

TEST(another_policy_makes_a_generation_of_the_same_files)
{
    write_space("one", 1, "");
    ck_assert(load());
    const struct segment *before = segment_of("one-space");
    stand.policy.external_nxdomain = stand.is_new_policy = true;
    ck_assert(load());
    ck_assert_uint_eq(stand.snapshot->generation, 2);
    ck_assert(stand.snapshot->policy.external_nxdomain);
    ck_assert_ptr_eq(segment_of("one-space"), before);
    ck_assert_uint_eq(stand.outcome.read_count, 0);
    write_text("two.yaml", "space: [");
    ck_assert(!load());
    ck_assert(!stand.outcome.is_unchanged);
}

TEST(the_same_content_written_again_is_no_change)
{
    write_space("one", 1, "");
    ck_assert(load());
    write_space("one", 1, "");
    ck_assert(!load());
    ck_assert(stand.outcome.is_unchanged);
}

TEST(a_changed_file_is_read_and_the_others_are_shared)
{
    write_space("one", 1, "");
    write_space("two", 2, "");
    ck_assert(load());
    const struct segment *one = segment_of("one-space");
    write_space("two", 2, "  - name: late-app\n");
    ck_assert(load());
    ck_assert_uint_eq(stand.snapshot->generation, 2);
    ck_assert_uint_eq(stand.outcome.file_count, 2);
    ck_assert_uint_eq(stand.outcome.read_count, 1);
    ck_assert_ptr_eq(segment_of("one-space"), one);
    ck_assert(has_app("late-app") && has_app("two-app") && has_app("one-app"));
}

/* Writes into the file as it is: same inode, same size, and the same time of change. */
static void overwrite(const char *name, const char *text)
{
    char path[SCRATCH_PATH_MOST + 64];
    struct stat status;

    snprintf(path, sizeof path, "%s/%s", stand.folder.path, name);
    ck_assert_int_eq(stat(path, &status), 0);
    FILE *file = fopen(path, "r+");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    struct timespec times[2] = {status.st_atim, status.st_mtim};
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* Two changes within the clock's resolution: a time that was recent when read proves nothing. */
TEST(a_change_in_the_same_moment_is_noticed)
{
    static const char first[] = "space: one-space\ncidr: 10.1.0.0/16\n";

    stand.clock = NULL;
    scratch_write(&stand.folder, "one.yaml", first, strlen(first));
    ck_assert(load());
    overwrite("one.yaml", "space: one-space\ncidr: 10.2.0.0/16\n");
    ck_assert(!load());
    ck_assert_uint_eq(count_findings(FINDING_IMMUTABLE), 1);
}

TEST(every_file_is_read_when_that_is_asked_for)
{
    write_space("one", 1, "");
    write_space("two", 2, "");
    ck_assert(load());
    const struct segment *one = segment_of("one-space");
    stand.reads_all = true;
    ck_assert(!load());
    ck_assert(stand.outcome.is_unchanged);
    ck_assert_uint_eq(stand.outcome.read_count, 2);
    ck_assert_ptr_eq(segment_of("one-space"), one);
}

TEST(a_file_that_was_served_with_its_end_mark_is_refused_without_it)
{
    write_space("one", 1, "...\n");
    ck_assert(load());
    write_text("one.yaml", "space: one-space\ncidr: 10.1.0.0/16\n");
    ck_assert(!load());
    ck_assert_uint_eq(report_total(stand.report), 1);
    const struct finding *finding = report_findings(stand.report);
    ck_assert_str_eq(finding_name(finding->code), "E-CUT");
    ck_assert_uint_eq(finding->at.line, 2);
    ck_assert(has_app("one-app"));
    /* It is remembered as long as the file is served. */
    ck_assert(!load());
    ck_assert_uint_eq(count_findings(FINDING_CUT), 1);
    write_text("one.yaml", "space: one-space\ncidr: 10.1.0.0/16\n...\n");
    ck_assert(load());
    ck_assert(!has_app("one-app"));
}

TEST(no_cut_of_a_marked_file_is_served)
{
    char text[1024], part[512];

    write_space("one", 1, "...\n");
    ck_assert(load());
    snprintf(text, sizeof text, "%s/one.yaml", stand.folder.path);
    size_t length;
    char *whole = file_read(text, &length);
    ck_assert_uint_lt(length, sizeof part);
    for (size_t cut = 0; cut + 1 < length; cut++) {
        memcpy(part, whole, cut);
        part[cut] = '\0';
        write_text("one.yaml", part);
        ck_assert_msg(!load(), "%zu octets of %zu", cut, length);
        ck_assert(!stand.outcome.is_unchanged);
    }
    free(whole);
}

TEST(a_file_that_never_had_a_mark_needs_none)
{
    write_space("one", 1, "");
    ck_assert(load());
    ck_assert_uint_eq(report_total(stand.report), 0);
    write_space("one", 1, "# more\n");
    ck_assert(load());
    stand.wants_marks = true;
    write_space("two", 2, "...\n");
    ck_assert(load());
    ck_assert_uint_eq(report_total(stand.report), 1);
    ck_assert_uint_eq(count_findings(FINDING_NO_END), 1);
    ck_assert_uint_eq(report_findings(stand.report)->at.line, 8);
}

/* Loads the folder with this text as its file one.yaml, which is not written. */
static bool load_draft(const char *text)
{
    char name[SCRATCH_PATH_MOST + 16];
    const struct overlay_text draft = {.name = name, .octets = text, .length = strlen(text)};
    struct folder base;
    struct overlay overlay;

    snprintf(name, sizeof name, "%s/one.yaml", stand.folder.path);
    folder_init(&base, stand.folder.path, stand.clock);
    overlay_init(&overlay, &base.source, &draft, 1);
    stand.source = &overlay.source;
    bool is_loaded = load();
    stand.source = NULL;
    return is_loaded;
}

TEST(a_draft_may_be_the_first_file_of_a_folder)
{
    char file[SCRATCH_PATH_MOST + 16];

    snprintf(file, sizeof file, "%s/one.yaml", stand.folder.path);
    ck_assert(load_draft("space: one-space\ncidr: 10.1.0.0/16\n"));
    ck_assert_str_eq(stand.snapshot->segments[0]->file, file);
    ck_assert(!load_draft("space: one-space\ncidr: 10.1.0.0/8\n"));
    ck_assert_int_eq(stand.err.code, ERR_NONE);
    ck_assert_str_eq(report_first_error(stand.report)->file, file);
    ck_assert_int_ne(access(file, F_OK), 0);
}

TEST(a_draft_is_checked_against_the_other_files)
{
    write_space("one", 1, "");
    write_space("two", 2, "");
    ck_assert(load());
    ck_assert(!load_draft("space: two-space\ncidr: 10.1.0.0/16\n"));
    ck_assert_uint_eq(count_findings(FINDING_DUP), 1);
    ck_assert_uint_eq(stand.outcome.read_count, 1);
    ck_assert(load_draft("space: one-space\ncidr: 10.1.0.0/16\n"));
    ck_assert(!has_app("one-app"));
    ck_assert(has_app("two-app"));
}

TEST(a_comment_alone_makes_no_difference_to_answers)
{
    write_space("one", 1, "");
    ck_assert(load());
    write_space("one", 1, "# a comment\n");
    if (load())
        ck_assert_uint_eq(stand.snapshot->generation, 2);
    ck_assert(has_app("one-app"));
}

TEST(a_new_file_is_added_and_a_removed_one_is_dropped)
{
    write_space("one", 1, "");
    ck_assert(load());
    write_space("two", 2, "");
    ck_assert(load());
    ck_assert_uint_eq(stand.outcome.read_count, 1);
    ck_assert(has_app("two-app"));
    scratch_remove(&stand.folder, "one.yaml");
    ck_assert(load());
    ck_assert_uint_eq(stand.outcome.file_count, 1);
    ck_assert(!has_app("one-app"));
    ck_assert(has_app("two-app"));
    ck_assert_uint_eq(stand.snapshot->generation, 3);
    /* And may come back. */
    write_space("one", 1, "");
    ck_assert(load());
    ck_assert(has_app("one-app"));
}

TEST(a_renamed_file_is_no_clash_with_itself)
{
    write_space("one", 1, "");
    ck_assert(load());
    scratch_remove(&stand.folder, "one.yaml");
    write_space("one", 1, "");
    char from[SCRATCH_PATH_MOST + 16], to[SCRATCH_PATH_MOST + 16];
    snprintf(from, sizeof from, "%s/one.yaml", stand.folder.path);
    snprintf(to, sizeof to, "%s/renamed.yaml", stand.folder.path);
    ck_assert_int_eq(rename(from, to), 0);
    load();
    ck_assert_msg(report_is_clean(stand.report), "renaming a file is refused");
    ck_assert(has_app("one-app"));
}

TEST(one_broken_file_refuses_the_whole)
{
    write_space("one", 1, "");
    write_space("two", 2, "");
    ck_assert(load());
    write_space("one", 1, "  - name: late-app\n");
    write_text("two.yaml", "space: [");
    ck_assert(!load());
    ck_assert(!stand.outcome.is_unchanged);
    ck_assert(!report_is_clean(stand.report));
    ck_assert_uint_eq(count_findings(FINDING_SYNTAX), 1);
    ck_assert_int_eq(stand.err.code, ERR_NONE); /* the findings are the whole error */
    ck_assert(!has_app("late-app"));
    ck_assert_uint_eq(stand.snapshot->generation, 1);
    /* Once fixed, both changes are loaded. */
    write_space("two", 2, "  - name: last-app\n");
    ck_assert(load());
    ck_assert(has_app("late-app") && has_app("last-app"));
    ck_assert_uint_eq(stand.snapshot->generation, 2);
}

TEST(a_refused_file_stays_refused_until_it_is_mended)
{
    write_space("one", 1, "");
    ck_assert(load());
    write_text("one.yaml", "space: [");
    ck_assert(!load());
    ck_assert(!load());
    ck_assert(!stand.outcome.is_unchanged);
    ck_assert_uint_eq(count_findings(FINDING_SYNTAX), 1);
    /* Back to the loaded content: nothing has changed. */
    write_space("one", 1, "");
    ck_assert(!load());
    ck_assert(stand.outcome.is_unchanged);
}

TEST_LOOP(findings_of_all_files_come_in_one_run, 1, 4)
{
    stand.threads = (unsigned)_i;
    write_text("a.yaml", "space: [");
    write_space("one", 1, "surprise: true\n");
    write_text("z.yaml", "space: z-space\nrouters: [10.0.130.1]\n");
    ck_assert(!load());
    ck_assert_uint_eq(count_findings(FINDING_SYNTAX), 1);
    ck_assert_uint_eq(count_findings(FINDING_UNKNOWN_KEY), 1);
    ck_assert_uint_eq(count_findings(FINDING_ROUTER_DYNO), 1);
    const struct finding *findings = report_findings(stand.report);
    for (size_t i = 1; i < report_total(stand.report); i++)
        ck_assert_int_le(strcmp(findings[i - 1].file, findings[i].file), 0);
}

TEST(warnings_come_with_the_snapshot)
{
    write_text("one.yaml", "space: one-space\nrouters: [10.0.0.37]\n"
                           "apps: [{name: idle-app, internal_routing: true}]\n");
    ck_assert(load());
    ck_assert(report_is_clean(stand.report));
    ck_assert_uint_eq(count_findings(FINDING_NO_WEB), 1);
}

/* Two spaces in files one.yaml and two.yaml that do not go together. */
static const struct {
    const char *what;
    const char *one, *two;
    enum finding_code code;
} clashes[] = {
    {"space name", "space: a-space\ncidr: 10.1.0.0/16\n", "space: a-space\ncidr: 10.2.0.0/16\n",
     FINDING_DUP},
    {"app name", "space: a-space\ncidr: 10.1.0.0/16\napps: [{name: same-app}]\n",
     "space: b-space\ncidr: 10.2.0.0/16\napps: [{name: same-app}]\n", FINDING_DUP},
    {"app name under another default domain",
     "space: a-space\ncidr: 10.1.0.0/16\napps: [{name: same-app}]\n",
     "space: b-space\ncidr: 10.2.0.0/16\napps: [{name: same-app, "
     "default_domain: same-app-1234567890ab.herokuapp.com}]\n",
     FINDING_DUP},
    {"app id",
     "space: a-space\ncidr: 10.1.0.0/16\napps: [{name: a-app, id: "
     "01234567-89ab-cdef-0123-456789abcdef}]\n",
     "space: b-space\ncidr: 10.2.0.0/16\napps: [{name: b-app, id: "
     "01234567-89ab-cdef-0123-456789abcdef}]\n",
     FINDING_DUP},
    {"space id", "space: a-space\nid: 01234567-89ab-cdef-0123-456789abcdef\ncidr: 10.1.0.0/16\n",
     "space: b-space\nid: 01234567-89ab-cdef-0123-456789abcdef\ncidr: 10.2.0.0/16\n", FINDING_DUP},
    {"pending domain",
     "space: a-space\ncidr: 10.1.0.0/16\napps: [{name: a-app, domains: "
     "[{hostname: www.example.com}]}]\n",
     "space: b-space\ncidr: 10.2.0.0/16\napps: [{name: b-app, domains: "
     "[{hostname: www.example.com, cname: c.d.herokuspace.com}]}]\n",
     FINDING_DOM_TAKEN},
    {"custom domain",
     "space: a-space\ncidr: 10.1.0.0/16\napps: [{name: a-app, domains: "
     "[{hostname: www.example.com, cname: a.b.herokuspace.com}]}]\n",
     "space: b-space\ncidr: 10.2.0.0/16\napps: [{name: b-app, domains: "
     "[{hostname: WWW.Example.com., cname: c.d.herokuspace.com}]}]\n",
     FINDING_DOM_TAKEN},
    {"wildcard domain",
     "space: a-space\ncidr: 10.1.0.0/16\napps: [{name: a-app, domains: "
     "[{hostname: \"*.example.com\", cname: a.b.herokuspace.com}]}]\n",
     "space: b-space\ncidr: 10.2.0.0/16\napps: [{name: b-app, domains: "
     "[{hostname: \"*.example.com\", cname: c.d.herokuspace.com}]}]\n",
     FINDING_DOM_TAKEN},
    {"DNS target",
     "space: a-space\ncidr: 10.1.0.0/16\napps: [{name: a-app, domains: "
     "[{hostname: www.example.com, cname: a.b.herokuspace.com}]}]\n",
     "space: b-space\ncidr: 10.2.0.0/16\napps: [{name: b-app, domains: "
     "[{hostname: api.example.com, cname: a.b.herokuspace.com}]}]\n",
     FINDING_DOM_TARGET},
    {"static record on a custom domain",
     "space: a-space\ncidr: 10.1.0.0/16\napps: [{name: a-app, domains: "
     "[{hostname: www.example.com, cname: a.b.herokuspace.com}]}]\n",
     "space: b-space\ncidr: 10.2.0.0/16\nrecords: [www.example.com. 60 IN A 10.2.0.1]\n",
     FINDING_REC_NAME},
    {"static record of two spaces",
     "space: a-space\ncidr: 10.1.0.0/16\nrecords: [db.example.com. 60 IN A 10.1.0.1]\n",
     "space: b-space\ncidr: 10.2.0.0/16\nrecords: [db.example.com. 60 IN A 10.2.0.1]\n",
     FINDING_REC_NAME},
    {"CIDR", "space: a-space\ncidr: 10.1.0.0/16\n", "space: b-space\ncidr: 10.1.0.0/16\n",
     FINDING_SPACE_OVERLAP},
    {"CIDR at a common address",
     "space: a-space\ncidr: 10.1.0.0/16\nlisten: [10.0.0.2, 10.0.0.3]\n",
     "space: b-space\ncidr: 10.1.0.0/16\nlisten: [10.0.0.3]\n", FINDING_SPACE_OVERLAP},
};

TEST_OVER(what_must_be_unique_across_files_is_found_once, clashes)
{
    write_text("one.yaml", clashes[_i].one);
    write_text("two.yaml", clashes[_i].two);
    ck_assert_msg(!load(), "%s", clashes[_i].what);
    ck_assert_msg(count_findings(clashes[_i].code) == 1, "%s: found %zu times", clashes[_i].what,
                  count_findings(clashes[_i].code));
    ck_assert_msg(report_count(stand.report, FINDING_ERROR) == 1, "%s: %zu errors",
                  clashes[_i].what, report_count(stand.report, FINDING_ERROR));
    const struct finding *found = report_findings(stand.report);
    while (found->code != clashes[_i].code)
        found++;
    ck_assert_msg(found->at.line > 0, "%s has no place", clashes[_i].what);
    ck_assert_ptr_nonnull(strstr(found->file, ".yaml"));
}

/* The same, the second file coming later, or changing into the clash. */
TEST_OVER(a_clash_is_found_by_a_reload_too, clashes)
{
    write_text("one.yaml", clashes[_i].one);
    ck_assert(load());
    write_text("two.yaml", clashes[_i].two);
    ck_assert_msg(!load(), "%s", clashes[_i].what);
    ck_assert_msg(count_findings(clashes[_i].code) == 1, "%s: found %zu times", clashes[_i].what,
                  count_findings(clashes[_i].code));
    scratch_remove(&stand.folder, "one.yaml");
    ck_assert_msg(load() || count_findings(FINDING_IMMUTABLE) > 0, "%s", clashes[_i].what);
}

TEST(spaces_of_one_cidr_may_listen_at_different_addresses)
{
    write_text("one.yaml", "space: a-space\ncidr: 10.1.0.0/16\nlisten: [10.0.0.2]\n");
    write_text("two.yaml", "space: b-space\ncidr: 10.1.0.0/16\nlisten: [10.0.0.3]\n");
    ck_assert(load());
    ck_assert_uint_eq(report_total(stand.report), 0);
}

/*
 * Another space behind a VPN or peering sees this space's names: reported when either file is new.
 */
static const struct {
    const char *connection;
    size_t found;
} covering[] = {
    {"vpns: [{name: office, status: active, routable_cidrs: [10.2.0.0/16]}]\n", 1},
    {"vpns: [{name: office, status: active, routable_cidrs: [10.2.128.0/20]}]\n", 1},
    {"vpns: [{name: office, status: active, routable_cidrs: [10.2.0.0/15]}]\n", 1},
    {"peerings: [{pcx_id: pcx-1, status: active, cidr_blocks: [10.2.0.0/16]}]\n", 1},
    {"peerings: [{pcx_id: pcx-1, status: pending-acceptance, cidr_blocks: [10.2.0.0/16]}]\n", 0},
    {"vpns: [{name: office, status: active, routable_cidrs: [10.3.0.0/16]}]\n", 0},
    {"vpns: [{name: office, status: active, routable_cidrs: [10.2.0.0/16], device: tun0}]\n", 0},
};

TEST_OVER(a_connection_over_another_space_is_reported, covering)
{
    char one[320];

    snprintf(one, sizeof one, "space: a-space\ncidr: 10.1.0.0/16\n%s", covering[_i].connection);
    write_text("one.yaml", one);
    ck_assert(load());
    ck_assert_uint_eq(count_findings(FINDING_CONN_SPACE), 0);
    write_text("two.yaml", "space: b-space\ncidr: 10.2.0.0/16\n");
    ck_assert(load());
    ck_assert_uint_eq(count_findings(FINDING_CONN_SPACE), covering[_i].found);
    write_text("one.yaml", "space: a-space\ncidr: 10.1.0.0/16\n");
    ck_assert(load());
    ck_assert_uint_eq(count_findings(FINDING_CONN_SPACE), 0);
}

static void write_devices(const char *file, const char *space, unsigned number, unsigned first,
                          unsigned count)
{
    static char text[8192];
    int length =
        snprintf(text, sizeof text, "space: %s\ncidr: 10.%u.0.0/16\nvpns:\n", space, number);

    for (unsigned i = first; i < first + count; i++)
        length += snprintf(text + length, sizeof text - (size_t)length,
                           "  - {name: v%u, status: active, routable_cidrs: [172.18.0.0/16], "
                           "device: tun%u}\n",
                           i, i);
    write_text(file, text);
}

TEST(all_files_name_64_devices_at_most)
{
    write_devices("one.yaml", "a-space", 1, 0, 40);
    write_devices("two.yaml", "b-space", 2, 16, 48);
    ck_assert(load());
    ck_assert_uint_eq(count_findings(FINDING_DEVICE), 0);
    write_devices("two.yaml", "b-space", 2, 16, 50);
    ck_assert(!load());
    ck_assert_uint_eq(count_findings(FINDING_DEVICE), 2);
}

TEST(a_name_may_move_between_files_in_one_reload)
{
    write_text("one.yaml", "space: a-space\ncidr: 10.1.0.0/16\napps: [{name: a-app, domains: "
                           "[{hostname: www.example.com, cname: a.b.herokuspace.com}]}]\n");
    write_text("two.yaml", "space: b-space\ncidr: 10.2.0.0/16\napps: [{name: b-app}]\n");
    ck_assert(load());
    write_text("one.yaml", "space: a-space\ncidr: 10.1.0.0/16\napps: [{name: a-app}]\n");
    write_text("two.yaml", "space: b-space\ncidr: 10.2.0.0/16\napps: [{name: b-app, domains: "
                           "[{hostname: www.example.com, cname: a.b.herokuspace.com}]}]\n");
    bool loaded = load();
    ck_assert_msg(loaded, "%s",
                  report_total(stand.report) > 0 ? report_findings(stand.report)[0].sentence
                                                 : stand.err.text);
}

static const char immutable_before[] =
    "space: fixed-space\ncidr: 10.1.0.0/16\ndata_cidr: 172.23.0.0/20\nregion: virginia\n"
    "routers: [10.1.0.37]\napps:\n"
    "  - {name: inner-app, internal_routing: true}\n"
    "  - {name: outer-app}\n";

static const struct {
    const char *what;
    const char *after;
    bool is_allowed;
} immutables[] = {
    {"nothing", immutable_before, true},
    {"internal to not",
     "space: fixed-space\ncidr: 10.1.0.0/16\ndata_cidr: 172.23.0.0/20\nregion: virginia\n"
     "routers: [10.1.0.37]\napps: [{name: inner-app}, {name: outer-app}]\n",
     false},
    {"not to internal",
     "space: fixed-space\ncidr: 10.1.0.0/16\ndata_cidr: 172.23.0.0/20\nregion: virginia\n"
     "routers: [10.1.0.37]\napps: [{name: inner-app, internal_routing: true}, "
     "{name: outer-app, internal_routing: true}]\n",
     false},
    {"cidr",
     "space: fixed-space\ncidr: 10.2.0.0/16\ndata_cidr: 172.23.0.0/20\nregion: virginia\n"
     "routers: [10.2.0.37]\napps: [{name: inner-app, internal_routing: true}]\n",
     false},
    {"data_cidr",
     "space: fixed-space\ncidr: 10.1.0.0/16\ndata_cidr: 172.24.0.0/20\nregion: virginia\n"
     "routers: [10.1.0.37]\napps: [{name: inner-app, internal_routing: true}]\n",
     false},
    {"region",
     "space: fixed-space\ncidr: 10.1.0.0/16\ndata_cidr: 172.23.0.0/20\nregion: oregon\n"
     "routers: [10.1.0.37]\napps: [{name: inner-app, internal_routing: true}]\n",
     false},
    {"shield",
     "space: fixed-space\ncidr: 10.1.0.0/16\ndata_cidr: 172.23.0.0/20\nregion: virginia\n"
     "shield: true\nrouters: [10.1.0.37]\napps: [{name: inner-app, internal_routing: true}]\n",
     false},
    {"generation",
     "space: fixed-space\ncidr: 10.1.0.0/16\ndata_cidr: 172.23.0.0/20\nregion: virginia\n"
     "generation: fir\nrouters: [10.1.0.37]\napps: [{name: outer-app}]\n",
     false},
    {"apps that go",
     "space: fixed-space\ncidr: 10.1.0.0/16\ndata_cidr: 172.23.0.0/20\nregion: virginia\n"
     "routers: [10.1.0.37]\n",
     true},
    {"routers, and apps that come",
     "space: fixed-space\ncidr: 10.1.0.0/16\ndata_cidr: 172.23.0.0/20\nregion: virginia\n"
     "routers: [10.1.0.38]\napps: [{name: inner-app, internal_routing: true}, {name: new-app}]\n",
     true},
    {"another space", "space: other-space\ncidr: 10.2.0.0/16\n", true},
};

TEST_OVER(what_is_fixed_at_creation_cannot_be_reloaded, immutables)
{
    write_text("one.yaml", immutable_before);
    ck_assert(load());
    write_text("one.yaml", immutables[_i].after);
    bool loaded = load() || stand.outcome.is_unchanged;
    ck_assert_msg(loaded == immutables[_i].is_allowed, "%s", immutables[_i].what);
    ck_assert_msg(count_findings(FINDING_IMMUTABLE) == !immutables[_i].is_allowed,
                  "%s: found %zu times", immutables[_i].what, count_findings(FINDING_IMMUTABLE));
    ck_assert_uint_eq(report_count(stand.report, FINDING_ERROR), !immutables[_i].is_allowed);
}

TEST(an_app_stays_in_its_space_even_in_another_file)
{
    write_space("one", 1, "");
    ck_assert(load());
    write_text("one.yaml", "space: one-space\ncidr: 10.1.0.0/16\n");
    write_text("two.yaml", "space: two-space\ncidr: 10.2.0.0/16\napps: [{name: one-app}]\n");
    ck_assert(!load());
    ck_assert_uint_ge(count_findings(FINDING_IMMUTABLE), 1);
}

/* Other files of a folder than *.yaml are ignored. */
TEST(only_yaml_files_are_zone_files)
{
    write_space("one", 1, "");
    write_text("README.md", "not a zone file: [");
    write_text("one.yaml.orig", "[");
    write_text(".hidden.yaml", "[");
    ck_assert(load());
    ck_assert_uint_eq(stand.outcome.file_count, 1);
    scratch_remove(&stand.folder, ".hidden.yaml");
}

TEST(a_folder_called_like_a_zone_file_is_a_finding)
{
    char path[SCRATCH_PATH_MOST + 16];

    write_space("one", 1, "");
    snprintf(path, sizeof path, "%s/x.yaml", stand.folder.path);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    bool loaded = load();
    bool is_reported = count_findings(FINDING_FILE) == 1 || stand.err.code != ERR_NONE;
    rmdir(path);
    ck_assert(!loaded);
    ck_assert(is_reported);
}

TEST(an_empty_or_missing_folder_is_an_error)
{
    ck_assert(!load());
    ck_assert(!stand.outcome.is_unchanged);
    ck_assert(stand.err.code != ERR_NONE);
    ck_assert_ptr_nonnull(strstr(stand.err.text, stand.folder.path));
    struct scratch kept = stand.folder;
    snprintf(stand.folder.path, sizeof stand.folder.path, "/nonexistent/zones");
    ck_assert(!load());
    ck_assert_int_eq(stand.err.code, ERR_SYSTEM);
    ck_assert_ptr_nonnull(strstr(stand.err.text, "/nonexistent/zones"));
    stand.folder = kept;
}

TEST(a_folder_that_empties_keeps_what_is_served)
{
    write_space("one", 1, "");
    ck_assert(load());
    scratch_clear(&stand.folder);
    ck_assert(!load());
    ck_assert(!stand.outcome.is_unchanged);
    ck_assert(has_app("one-app"));
}
