// wrap: launcher_check
// forks: its tests leave something behind
#include "spacednsd/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serve/pass.h"
#include "support/suite.h"

enum { PATIENCE_MS = 15000, STRANGER = 12345 };

static char folder[] = "/tmp/spacedns-launcher.XXXXXX";
static char path[sizeof folder + 64];
static char real[PATH_MAX];

/* The program that a link of the test leads to once it has been checked; "": it is left alone. */
static char exchanged[sizeof folder + 64];

bool __real_launcher_check(const char *asked, bool trusts_own_user, char checked[PATH_MAX],
                           struct err *err);
bool __wrap_launcher_check(const char *asked, bool trusts_own_user, char checked[PATH_MAX],
                           struct err *err);

bool __wrap_launcher_check(const char *asked, bool trusts_own_user, char checked[PATH_MAX],
                           struct err *err)
{
    bool passed = __real_launcher_check(asked, trusts_own_user, checked, err);

    if (exchanged[0] != '\0' && (unlink(asked) != 0 || symlink(exchanged, asked) != 0))
        abort();
    return passed;
}

static void set_up(void)
{
    exchanged[0] = '\0';
    strcpy(folder + strlen(folder) - 6, "XXXXXX"); // NOLINT: each test its own
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void tear_down(void)
{
    char command[sizeof folder + 16];

    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0); // NOLINT: a path of this test
}

/* Writes a script to folder/name; its path is left in `path`. */
static void write_script(const char *name, const char *text, mode_t mode)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "#!/bin/sh\n%s\n", text);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(path, mode), 0);
}

static void expect_refused(const char *sentence)
{
    struct err err;

    ck_assert(!launcher_check(path, true, real, &err));
    ck_assert_msg(strstr(err.text, sentence) != NULL, "%s", err.text);
}

FIXTURE(set_up, tear_down)

/* ---- what may be started ---- */

static const char *const good_names[] = {"spacednsd", "spacednsd-1.2.3", "spacednsd-"};

TEST_OVER(a_program_of_the_right_name_and_owner_is_accepted, good_names)
{
    struct err err;

    write_script(good_names[_i], "", 0755);
    ck_assert_msg(launcher_check(path, true, real, &err), "%s", err.text);
}

static const char *const bad_names[] = {"spacedns", "spacednsd2", "sh", "xspacednsd"};

TEST_OVER(a_program_of_another_name_is_refused, bad_names)
{
    write_script(bad_names[_i], "", 0755);
    expect_refused("is not called spacednsd or spacednsd-VERSION");
}

TEST(a_link_counts_as_what_it_leads_to)
{
    char link[sizeof path + 8];
    struct err err;

    write_script("other", "", 0755);
    snprintf(link, sizeof link, "%s/spacednsd", folder);
    ck_assert_int_eq(symlink(path, link), 0);
    ck_assert(!launcher_check(link, true, real, &err));
    ck_assert_msg(strstr(err.text, "/other is not called") != NULL, "%s", err.text);
}

TEST(what_was_checked_is_named_without_links)
{
    char link[sizeof path + 8];
    struct err err;

    write_script("spacednsd-1", "", 0755);
    snprintf(link, sizeof link, "%s/link", folder);
    ck_assert_int_eq(symlink(path, link), 0);
    ck_assert_msg(launcher_check(link, true, real, &err), "%s", err.text);
    ck_assert_str_eq(real, path);
}

TEST(a_path_that_leads_nowhere_is_refused)
{
    snprintf(path, sizeof path, "%s/spacednsd", folder);
    expect_refused("cannot be opened: No such file or directory");
    strcpy(path, "spacednsd"); // NOLINT
    expect_refused("is not an absolute path");
}

TEST(a_folder_is_refused)
{
    snprintf(path, sizeof path, "%s/spacednsd", folder);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    expect_refused("is not a regular file");
}

static const mode_t open_modes[] = {0775, 0757, 0777};

TEST_OVER(a_program_that_others_may_write_is_refused, open_modes)
{
    write_script("spacednsd", "", open_modes[_i]);
    expect_refused("other users may write to");
}

TEST_OVER(a_program_that_others_may_replace_is_refused, open_modes)
{
    write_script("spacednsd", "", 0755);
    ck_assert_int_eq(chmod(folder, open_modes[_i]), 0);
    expect_refused("other users may put files into");
    ck_assert_int_eq(chmod(folder, 01777), 0); /* not with the sticky bit */
    struct err err;
    ck_assert_msg(launcher_check(path, true, real, &err), "%s", err.text);
}

TEST(a_file_that_is_no_program_is_refused)
{
    write_script("spacednsd", "", 0644);
    expect_refused("cannot be executed: Permission denied (chmod +x)");
}

TEST(a_program_or_folder_of_a_stranger_is_refused)
{
    write_script("spacednsd", "", 0755);
    if (chown(path, STRANGER, STRANGER) != 0)
        return; /* only root can try it */
    expect_refused("belongs to a user who must not decide what the server runs");
    ck_assert_int_eq(chown(path, 0, 0), 0);
    ck_assert_int_eq(chown(folder, STRANGER, STRANGER), 0);
    expect_refused("belongs to a user who must not decide what the server runs");
}

TEST(the_servers_own_user_is_trusted_only_where_that_is_allowed)
{
    struct err err;

    write_script("spacednsd", "", 0755);
    if (getuid() != 0)
        return; /* only root can become a user, and be one again */
    ck_assert_int_eq(chown(path, STRANGER, STRANGER), 0);
    ck_assert_int_eq(chown(folder, STRANGER, STRANGER), 0);
    ck_assert_int_eq(seteuid(STRANGER), 0);
    bool is_trusted = launcher_check(path, true, real, &err);
    bool is_trusted_elsewhere = launcher_check(path, false, real, &err);
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert_msg(is_trusted, "%s", err.text);
    ck_assert(!is_trusted_elsewhere);
    ck_assert_int_eq(chown(folder, 0, 0), 0);
}

/* ---- starting ---- */

static struct launcher launcher;
static char text[LAUNCHER_TEXT_MOST];
static pid_t pid;

static void start_launcher(void)
{
    static char *const arguments[] = {(char *)"spacednsd", (char *)"--flag", NULL};
    const struct launcher_options options = {
        .argv = arguments, .standard_error = STDERR_FILENO, .trusts_own_user = true};
    struct err err;

    ck_assert_msg(launcher_start(&launcher, &options, &err), "%s", err.text);
}

static enum launcher_event await_event(void)
{
    struct pollfd poller = {.fd = launcher.descriptor, .events = POLLIN};

    ck_assert_int_eq(poll(&poller, 1, PATIENCE_MS), 1);
    return launcher_take(&launcher, &pid, text);
}

/* Starts the program at `path`; what it writes to standard error is read by read_output. */
static int channel[2], error[2];

static void request(void)
{
    ck_assert(pass_pair(channel, 0));
    ck_assert_int_eq(pipe2(error, O_CLOEXEC), 0);
    ck_assert(launcher_request(&launcher, path, channel[1], error[1]));
    close(channel[1]), close(error[1]);
}

static void expect_output(const char *wanted)
{
    char got[512] = "";
    size_t held = 0;
    ssize_t length;

    while ((length = read(error[0], got + held, sizeof got - 1 - held)) > 0)
        held += (size_t)length;
    ck_assert_str_eq(got, wanted);
    close(channel[0]), close(error[0]);
}

TEST(a_program_is_started_with_the_command_line_and_its_end_is_reported)
{
    start_launcher();
    write_script("spacednsd", "echo $1 >&2; exit 3", 0755);
    request();
    ck_assert_int_eq(await_event(), LAUNCHER_STARTED);
    pid_t started = pid;
    ck_assert_int_gt(started, 0);
    ck_assert_int_eq(await_event(), LAUNCHER_ENDED);
    ck_assert_int_eq(pid, started);
    ck_assert_str_eq(text, "exit code 3");
    expect_output("--flag\n");
    launcher_close(&launcher);
}

TEST(a_program_has_its_channel_and_nothing_else_open)
{
    start_launcher();
    write_script("spacednsd",
                 "[ $SPACEDNS_HANDOVER = $$ ] && echo mine >&2; for n in 3 4 5 6 7 8 9; do "
                 "[ -e /proc/self/fd/$n ] && echo $n >&2; done; echo channel >&3",
                 0755);
    setenv("LISTEN_FDS", "3", 1);
    request();
    ck_assert_int_eq(await_event(), LAUNCHER_STARTED);
    ck_assert_int_eq(await_event(), LAUNCHER_ENDED);
    char got[16] = "";
    ck_assert_int_eq(recv(channel[0], got, sizeof got - 1, 0), 8);
    ck_assert_str_eq(got, "channel\n");
    expect_output("mine\n3\n4\n");
    launcher_close(&launcher);
}

TEST(a_link_that_is_exchanged_after_the_check_is_not_followed)
{
    char link[sizeof path + 8];

    write_script("other", "echo other >&2", 0755);
    strcpy(exchanged, path); // NOLINT: of the same size
    write_script("spacednsd-1", "echo checked >&2", 0755);
    snprintf(link, sizeof link, "%s/link", folder);
    ck_assert_int_eq(symlink(path, link), 0);
    start_launcher();
    snprintf(path, sizeof path, "%s/link", folder);
    request();
    ck_assert_int_eq(await_event(), LAUNCHER_STARTED);
    ck_assert_int_eq(await_event(), LAUNCHER_ENDED);
    expect_output("checked\n");
    ck_assert_str_eq(realpath(path, real), exchanged);
    launcher_close(&launcher);
}

static const char *const for_one_process[] = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES",
                                              "WATCHDOG_PID"};

TEST_OVER(what_the_manager_told_the_first_process_is_not_passed_on, for_one_process)
{
    char script[128];

    ck_assert_int_eq(setenv(for_one_process[_i], "1", 1), 0);
    ck_assert_int_eq(setenv("WATCHDOG_USEC", "5", 1), 0);
    start_launcher();
    snprintf(script, sizeof script, "echo $%s,$WATCHDOG_USEC >&2", for_one_process[_i]);
    write_script("spacednsd", script, 0755);
    request();
    ck_assert_int_eq(await_event(), LAUNCHER_STARTED);
    ck_assert_int_eq(await_event(), LAUNCHER_ENDED);
    expect_output(",5\n");
    launcher_close(&launcher);
}

TEST(a_program_that_may_not_be_started_is_refused)
{
    start_launcher();
    write_script("spacednsd", "", 0777);
    request();
    ck_assert_int_eq(await_event(), LAUNCHER_REFUSED);
    ck_assert_msg(strstr(text, "other users may write to") != NULL, "%s", text);
    expect_output("");
    launcher_close(&launcher);
}

TEST(a_program_that_hangs_is_ended_on_request)
{
    start_launcher();
    write_script("spacednsd", "exec sleep 600", 0755);
    request();
    ck_assert_int_eq(await_event(), LAUNCHER_STARTED);
    launcher_end(&launcher);
    ck_assert_int_eq(await_event(), LAUNCHER_ENDED);
    ck_assert_str_eq(text, "signal 9 (Killed)");
    expect_output("");
    launcher_close(&launcher);
}

TEST(one_program_at_a_time)
{
    start_launcher();
    write_script("spacednsd", "exec sleep 600", 0755);
    request();
    ck_assert_int_eq(await_event(), LAUNCHER_STARTED);
    close(channel[0]), close(error[0]);
    request();
    ck_assert_int_eq(await_event(), LAUNCHER_REFUSED);
    ck_assert_str_eq(text, "what was started last has not ended yet");
    launcher_end(&launcher);
    ck_assert_int_eq(await_event(), LAUNCHER_ENDED);
    expect_output("");
    launcher_close(&launcher);
}

TEST(the_launcher_ends_with_its_server_and_what_it_started_goes_on)
{
    int status;

    start_launcher();
    write_script("spacednsd", "read line; echo on >&2; exec sleep 1", 0755);
    request();
    ck_assert_int_eq(await_event(), LAUNCHER_STARTED);
    launcher_close(&launcher);
    ck_assert_int_gt(wait(&status), 0); /* the only child */
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    expect_output("on\n");
}
