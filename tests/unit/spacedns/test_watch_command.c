#include "spacedns/watch_command.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/suite.h"

enum { MOST = 100000 };

/* Runs a line for at most a second; NULL: it was refused. */
static char *run(const char *line, size_t *length, struct err *err)
{
    const struct watch_command command = {
        .line = line, .timeout_ms = 1000, .octets_most = MOST, .stop = -1};

    return watch_command_run(&command, length, err);
}

TEST(the_output_is_taken_whole)
{
    struct err err;
    size_t length = 0;
    char *octets = run("printf abc; printf def; echo note >&2", &length, &err);

    ck_assert_ptr_nonnull(octets);
    ck_assert_uint_eq(length, 6);
    ck_assert_str_eq(octets, "abcdef");
    free(octets);
}

TEST(as_much_as_is_allowed_is_taken)
{
    struct err err;
    size_t length = 0;
    char *octets = run("head -c 100000 /dev/zero", &length, &err);

    ck_assert_ptr_nonnull(octets);
    ck_assert_uint_eq(length, MOST);
    free(octets);
}

static const struct {
    const char *line;
    enum err_code code;
    const char *sentence; /* its beginning */
} refused[] = {
    {"head -c 100001 /dev/zero", ERR_LIMIT,
     "head -c 100001 /dev/zero has printed more than the 100000 octets of any topology"},
    {"exec head -c 1000000000 /dev/zero", ERR_LIMIT,
     "exec head -c 1000000000 /dev/zero has printed"},
    {"exit 3", ERR_SYSTEM, "exit 3 has failed with exit code 3; run it by itself"},
    {"echo one >&2; echo two >&2; exit 3", ERR_SYSTEM,
     "echo one >&2; echo two >&2; exit 3 has failed with exit code 3: two; run it by itself"},
    {"echo '{}'; exit 1", ERR_SYSTEM, "echo '{}'; exit 1 has failed with exit code 1; run"},
    {"kill -9 $$", ERR_SYSTEM, "kill -9 $$ was ended by signal 9; run it by itself"},
    {":", ERR_SYSTEM, ": has printed nothing; run it by itself"},
    {"sleep 99", ERR_SYSTEM, "sleep 99 took longer than 1 s, and was ended"},
    {"trap '' TERM; sleep 99 & wait; sleep 99", ERR_SYSTEM, "trap '' TERM; sleep 99 & wait; sleep"},
    {"exec >&-; sleep 99", ERR_SYSTEM, "exec >&-; sleep 99 took longer than 1 s, and was ended"},
    {"no-such-program", ERR_SYSTEM, "no-such-program has failed with exit code 127: "},
    {"head -c 3000 /dev/zero | tr '\\0' x >&2; exit 1", ERR_SYSTEM,
     "head -c 3000 /dev/zero | tr '\\0' x >&2; exit 1 has failed with exit code 1: xxxx"},
};

TEST_OVER(what_fails_or_has_no_bounds_is_refused, refused)
{
    struct err err;
    size_t length = 0;

    ck_assert_ptr_null(run(refused[_i].line, &length, &err));
    ck_assert_int_eq(err.code, refused[_i].code);
    ck_assert_msg(strncmp(err.text, refused[_i].sentence, strlen(refused[_i].sentence)) == 0, "%s",
                  err.text);
}

/* What it leaves behind holds its output open, and must not hold up the watch. */
TEST(output_that_others_hold_open_is_taken)
{
    struct err err;
    size_t length = 0;
    char *octets = run("sleep 98 & echo {}", &length, &err);

    ck_assert_ptr_nonnull(octets);
    ck_assert_str_eq(octets, "{}\n");
    free(octets);
}

TEST(a_watch_that_is_stopped_ends_its_command)
{
    int ends[2];
    struct err err;
    size_t length = 0;

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    const struct watch_command command = {
        .line = "sleep 97", .timeout_ms = 60000, .octets_most = MOST, .stop = ends[0]};
    ck_assert_ptr_null(watch_command_run(&command, &length, &err));
    ck_assert_int_eq(err.code, ERR_NONE);
    close(ends[0]);
    close(ends[1]);
}
