// wrap: server_current server_publish server_reclaim server_set_log call_finish
// forks: its tests leave something behind
#include "spacednsd/reload_first.h"

#include <string.h>

#include "answer/policy.h"
#include "support/asked.h"
#include "support/capture.h"
#include "support/scratch.h"
#include "support/server_script.h"
#include "support/suite.h"

static struct scratch folder;
static struct settings start; /* of the start; main's */
static struct reloads reloads;
static uv_loop_t loop;
static struct capture capture;
static char settings_path[SCRATCH_PATH_MOST + 16];

static void write_settings(const char *more)
{
    char text[2 * SCRATCH_PATH_MOST];

    snprintf(text, sizeof text, "zones: %s\nworkers: 1\nupstreams: none\n%s", folder.path, more);
    scratch_write(&folder, "settings", text, strlen(text));
}

/* As the daemon starts. */
static void load_first(void)
{
    static char program[] = "spacednsd", flag[] = "--settings";
    static char *arguments[] = {program, flag, settings_path, NULL};
    struct report *report = report_new();

    ck_assert_int_eq(settings_init(&start, 3, arguments, report), SETTINGS_READY);
    ck_assert(reloads_init(&reloads, &start));
    reloads.loop = &loop;
    reloads.server = server_script_server();
    reload_first_open_state(&reloads, -1);
    reloads_prepare(&reloads, NULL);
    ck_assert(zones_loading_open(&reloads.loading, report));
    zones_load(&reloads.loading);
    ck_assert_ptr_nonnull(reloads.loading.snapshot);
    reload_first_store(&reloads);
    reloads.is_reloading = true;
    reloads_start(&reloads);
    reloads_publish(&reloads);
    reloads_finish(&reloads);
}

static void set_up(void)
{
    scratch_init(&folder);
    scratch_copy(&folder, "zones/test-space.yaml");
    snprintf(settings_path, sizeof settings_path, "%s/settings", folder.path);
    write_settings("");
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    capture_start(&capture);
    load_first();
}

/* What was logged up to here; ends the capture. */
static const char *logged(void)
{
    static bool is_stopped;

    if (!is_stopped)
        capture_stop(&capture);
    is_stopped = true;
    return capture.text;
}

static void tear_down(void)
{
    logged();
    reloads_stop(&reloads);
    uv_run(&loop, UV_RUN_DEFAULT);
    server_script_close();
    reloads_close(&reloads);
    settings_close(&start);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    scratch_close(&folder);
}

static void ask(struct asked *asked, const char *line)
{
    reloads_request(&reloads, asked_begin(asked, line));
}

/* Runs the loop until what was loaded is published, or refused; workers adopt it at once. */
static void settle(void)
{
    unsigned before = server_script.publications;

    while (reloads.is_reloading) {
        uv_run(&loop, UV_RUN_ONCE);
        if (server_script.publications == before)
            continue;
        before = server_script.publications;
        reloads_log_done(&reloads);
        reloads_finish(&reloads);
    }
}

/* Asks, and wants that exit code and those words in the answer. */
static void expect(const char *line, int code, const char *part)
{
    struct asked asked;

    ask(&asked, line);
    settle();
    asked_expect(&asked, code, part);
    asked_close(&asked);
}

static void edit(const char *old, const char *new)
{
    ck_assert(scratch_edit(&folder, "test-space.yaml", old, new));
}

static void remove_sleepy(void)
{
    edit("  - name: sleepy-river-2739\n    internal_routing: true\n    domains: [{hostname: "
         "sleepy.example.com, cname: drowsy-haiku-7.also-random-3847.herokuspace.com}]\n"
         "    formation: {web: {dynos: [{number: 1, private_ip: 10.0.131.7, state: crashed}]}}\n",
         "");
}

FIXTURE(set_up, tear_down)

TEST(a_changed_file_is_published)
{
    edit("10.0.130.56, state: up", "10.0.130.57, state: up");
    expect("reload", 0, "");
    ck_assert_uint_eq(server_script.publications, 2);
    ck_assert_uint_eq(server_script.current->generation, 2);
    ck_assert_int_eq(reloads.last.end, RELOAD_DONE);
    ck_assert_ptr_nonnull(strstr(logged(), "info reload_done generation=2 files=1 read=1"));
}

TEST(an_unchanged_folder_is_not_published)
{
    expect("reload", 0, "");
    ck_assert_uint_eq(server_script.publications, 1);
    ck_assert_int_eq(reloads.last.end, RELOAD_UNCHANGED);
    ck_assert_ptr_nonnull(strstr(logged(), "info reload_unchanged generation=1"));
}

TEST(a_broken_file_changes_nothing)
{
    edit("\ncidr: ", "\ncidr: x");
    expect("reload", 1, "test-space.yaml:14:7: ");
    ck_assert_uint_eq(server_script.publications, 1);
    ck_assert_int_eq(reloads.last.end, RELOAD_REFUSED);
    ck_assert_ptr_nonnull(strstr(reloads.last.cause.text, "E-"));
    ck_assert_ptr_nonnull(strstr(logged(), " reload_refused "));
}

TEST(a_dry_run_publishes_nothing_and_is_no_last_reload)
{
    struct reload_last before = reloads.last;

    edit("10.0.130.56, state: up", "10.0.130.57, state: up");
    expect("reload --dry-run", 0, "10.0.130.57");
    ck_assert_uint_eq(server_script.publications, 1);
    ck_assert_uint_eq(reloads.last.ended_ns, before.ended_ns);
}

TEST(the_guard_refuses_a_lost_space_unless_it_is_forced)
{
    scratch_copy(&folder, "tests/zones_good/other-space.yaml");
    expect("reload", 0, "");
    scratch_remove(&folder, "other-space.yaml");
    expect("reload", 1, "other-space");
    ck_assert_int_eq(reloads.last.end, RELOAD_GUARDED);
    ck_assert_uint_eq(server_script.publications, 2);
    expect("reload --force", 0, "");
    ck_assert_uint_eq(server_script.publications, 3);
    ck_assert_ptr_nonnull(strstr(logged(), "error reload_guard text="));
}

TEST(without_the_guard_a_lost_space_is_published)
{
    write_settings("reload_guard: false\n");
    scratch_copy(&folder, "tests/zones_good/other-space.yaml");
    expect("reload", 0, "");
    scratch_remove(&folder, "other-space.yaml");
    expect("reload", 0, "");
    ck_assert_uint_eq(server_script.publications, 3);
}

/* ---- settings ---- */

TEST(changed_settings_are_in_force_with_the_zones)
{
    write_settings("external: nxdomain\nlog_queries: all\n");
    expect("reload", 0, "");
    ck_assert(server_script.current->policy.external_nxdomain);
    ck_assert_int_eq(reloads.settings.external, EXTERNAL_NXDOMAIN);
    ck_assert_uint_eq(server_script.log_queries, LOG_QUERIES_ALL);
    ck_assert_ptr_nonnull(strstr(logged(), " settings="));
}

TEST(settings_of_a_refused_reload_are_not_in_force)
{
    write_settings("external: nxdomain\n");
    edit("\ncidr: ", "\ncidr: x");
    expect("reload", 1, "E-");
    ck_assert_int_ne(reloads.settings.external, EXTERNAL_NXDOMAIN);
    write_settings("external: maybe\n");
    expect("reload", 1, "settings:4:11: ");
}

/* ---- several at once ---- */

/* Files may have been read before the second request came, so it has a reload of its own. */
TEST(a_request_during_a_reload_has_one_of_its_own)
{
    struct asked first, second, third;

    ask(&first, "reload");
    ask(&second, "reload");
    ask(&third, "reload");
    edit("10.0.130.56, state: up", "10.0.130.57, state: up");
    settle();
    ck_assert(first.code == 0 && second.code == 0 && third.code == 0);
    ck_assert_uint_eq(server_script.publications, 2);
    ck_assert_str_eq(second.out, third.out);
    asked_close(&first);
    asked_close(&second);
    asked_close(&third);
}

TEST(a_signal_reloads_too)
{
    edit("10.0.130.56, state: up", "10.0.130.57, state: up");
    reloads_request_by_signal(&reloads, &(struct signal_sender){.pid = 0});
    settle();
    ck_assert_uint_eq(server_script.publications, 2);
}

TEST(calls_that_wait_are_answered_when_the_server_stops)
{
    struct asked first, second;

    ask(&first, "reload");
    ask(&second, "reload --force");
    reloads_stop(&reloads);
    ck_assert_int_eq(second.code, 1);
    ck_assert_ptr_nonnull(strstr(second.err, "the server is stopping; start it again"));
    uv_run(&loop, UV_RUN_DEFAULT); /* the loading ends and publishes nothing */
    ck_assert_uint_eq(server_script.publications, 1);
    asked_close(&first);
    asked_close(&second);
}

/* ---- names kept back ---- */

TEST(names_that_vanish_are_kept_back_until_they_are_forgotten)
{
    remove_sleepy();
    expect("reload", 0, "");
    ck_assert_uint_eq(server_script.current->kept_back->count, 3);
    expect("forget sleepy.example.com", 0, "Forgetting sleepy.example.com... done\n");
    ck_assert_uint_eq(server_script.current->kept_back->count, 2);
    ck_assert_uint_eq(server_script.current->generation, 3);
    expect("forget sleepy.example.com", 1, "Error: sleepy.example.com is not kept back; ");
    expect("forget a..b", 2, "a..b is not a name; write it as spacedns kept-back lists it");
    ck_assert_uint_eq(server_script.publications, 3);
    ck_assert_ptr_nonnull(strstr(logged(), "warning names_kept_back count=3 names="));
    ck_assert_ptr_nonnull(strstr(logged(), "info names_let_go count=1 cause=forget "
                                           "names=sleepy.example.com kept_back=2 generation=3"));
}

TEST(names_kept_back_are_listed)
{
    struct asked asked;
    static const bool is_json[] = {false, true, false};
    static const char lines[] = "sleepy.example.com  generation=1 since=";

    remove_sleepy();
    for (size_t i = 0; i < 3; i++) {
        if (i == 1)
            expect("reload", 0, "");
        kept_answer_list(asked_begin(&asked, "kept-back"), server_script.current, &reloads.state,
                         is_json[i]);
        ck_assert_int_eq(asked.code, 0);
        if (i == 0)
            ck_assert_str_eq(asked.out, "No name is kept back.\n");
        else
            ck_assert_msg(strstr(asked.out, is_json[i] ? "\"count\": 3," : lines) != NULL, "%s",
                          asked.out);
        asked_close(&asked);
    }
}

TEST(the_next_expiry_is_at_most_an_hour_away)
{
    ck_assert_uint_eq(kept_next_ms(server_script.current, 0), 0);
    remove_sleepy();
    expect("reload", 0, "");
    int64_t left_s = (int64_t)server_script.current->policy.kept_back_seconds;
    ck_assert_uint_eq(kept_next_ms(server_script.current, 0), 3600000);
    ck_assert_uint_eq(kept_next_ms(server_script.current, left_s + 10), 1000);
    ck_assert_uint_eq(server_script.current->kept_back->pushed_out, 0);
}
