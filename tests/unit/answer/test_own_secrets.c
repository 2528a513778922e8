#include "answer/own_secrets.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/scratch.h"
#include "support/suite.h"

enum { NOW_S = 1764437901 };

static struct scratch scratch;
static int folder;

static void set_up(void)
{
    scratch_init(&scratch);
    folder = open(scratch.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(folder, 0);
}

static void tear_down(void)
{
    close(folder);
    scratch_close(&scratch);
}

FIXTURE(set_up, tear_down)

static bool is_equal(const struct own_secrets *a, const struct own_secrets *b)
{
    return a->made_s == b->made_s && a->secrets.count == b->secrets.count &&
           memcmp(a->secrets.octets, b->secrets.octets,
                  (size_t)a->secrets.count * COOKIE_SECRET_OCTETS) == 0;
}

/* Two secrets, the first made at NOW_S. */
static struct own_secrets two_secrets(void)
{
    struct own_secrets own = {.made_s = 0};

    ck_assert(own_secrets_roll_over(&own, NOW_S - OWN_SECRET_SECONDS));
    ck_assert(own_secrets_roll_over(&own, NOW_S));
    return own;
}

static char *path_of(const char *name)
{
    static char path[SCRATCH_PATH_MOST + 32];

    snprintf(path, sizeof path, "%s/%s", scratch.path, name);
    return path;
}

TEST(a_secret_lasts_a_day_and_verifies_for_another)
{
    struct own_secrets own = {.made_s = 0};

    ck_assert(own_secrets_roll_over(&own, NOW_S));
    ck_assert_uint_eq(own.secrets.count, 1);
    const struct own_secrets first = own;
    ck_assert(!own_secrets_roll_over(&own, NOW_S + OWN_SECRET_SECONDS - 1));
    ck_assert(is_equal(&own, &first));
    ck_assert(own_secrets_roll_over(&own, NOW_S + OWN_SECRET_SECONDS));
    ck_assert_uint_eq(own.secrets.count, 2);
    ck_assert_mem_eq(own.secrets.octets[1], first.secrets.octets[0], COOKIE_SECRET_OCTETS);
    ck_assert_mem_ne(own.secrets.octets[0], first.secrets.octets[0], COOKIE_SECRET_OCTETS);
    ck_assert(own_secrets_roll_over(&own, NOW_S + 2 * OWN_SECRET_SECONDS));
    ck_assert_uint_eq(own.secrets.count, 2);
    ck_assert_mem_ne(own.secrets.octets[1], first.secrets.octets[0], COOKIE_SECRET_OCTETS);
}

/* A clock that was ahead once does not keep a secret for years. */
TEST(a_clock_that_is_set_back_begins_the_day_anew)
{
    struct own_secrets own = {.made_s = 0};

    ck_assert(own_secrets_roll_over(&own, NOW_S + 1000 * (int64_t)OWN_SECRET_SECONDS));
    ck_assert(!own_secrets_roll_over(&own, NOW_S));
    ck_assert(own_secrets_roll_over(&own, NOW_S + OWN_SECRET_SECONDS));
}

TEST_LOOP(what_is_written_is_read_again, 1, 3)
{
    struct own_secrets own = two_secrets(), again = {.made_s = 0};
    struct stat facts;
    struct err err;

    own.secrets.count = (uint32_t)_i;
    ck_assert(own_secrets_write(folder, &own, &err));
    ck_assert(own_secrets_read(folder, &again, &err));
    ck_assert(is_equal(&own, &again));
    ck_assert_int_eq(stat(path_of("cookie-secrets"), &facts), 0);
    ck_assert_uint_eq(facts.st_mode & 07777, 0600);
    ck_assert_int_ne(access(path_of("cookie-secrets.new"), F_OK), 0);
}

TEST(no_file_is_no_error)
{
    struct own_secrets own = {.made_s = 7};
    struct err err;

    ck_assert(!own_secrets_read(folder, &own, &err));
    ck_assert_int_eq(err.code, ERR_NONE);
    ck_assert_int_eq(own.made_s, 7);
}

static void expect_refusal(const char *why)
{
    struct own_secrets own = {.made_s = 7};
    struct err err;

    ck_assert(!own_secrets_read(folder, &own, &err));
    ck_assert_msg(err.code != ERR_NONE && strstr(err.text, why) != NULL, "%s", err.text);
    ck_assert_ptr_nonnull(strstr(err.text, "a new secret was made"));
    ck_assert_int_eq(own.made_s, 7);
}

/* Every bit and every cut of the file. */
TEST(a_decayed_file_is_not_used)
{
    struct own_secrets own = two_secrets();
    struct err err;
    size_t length;

    ck_assert(own_secrets_write(folder, &own, &err));
    char *text = file_read(path_of("cookie-secrets"), &length);
    ck_assert_uint_gt(length, 100);
    ck_assert_int_eq(chmod(path_of("cookie-secrets"), 0600), 0);
    for (size_t i = 0; i < 9 * length; i++) {
        bool is_cut = i >= 8 * length;
        FILE *out = fopen(path_of("cookie-secrets"), "we");
        text[i / 8 % length] ^= is_cut ? 0 : (char)(1 << i % 8);
        fwrite(text, 1, is_cut ? i - 8 * length : length, out);
        fclose(out);
        text[i / 8 % length] ^= is_cut ? 0 : (char)(1 << i % 8);
        expect_refusal("is damaged, or of another version");
    }
    free(text);
}

TEST(a_longer_file_is_not_used)
{
    static const char more[4096] = "spacedns cookie-secrets 1\n";

    scratch_write(&scratch, "cookie-secrets", more, sizeof more);
    ck_assert_int_eq(chmod(path_of("cookie-secrets"), 0600), 0);
    expect_refusal("is damaged");
}

TEST(a_file_that_others_may_read_is_not_used)
{
    struct own_secrets own = two_secrets();
    struct err err;

    ck_assert(own_secrets_write(folder, &own, &err));
    ck_assert_int_eq(chmod(path_of("cookie-secrets"), 0640), 0);
    expect_refusal("its mode must be 0600");
}

TEST(what_is_no_file_is_not_used)
{
    ck_assert_int_eq(mkfifo(path_of("cookie-secrets"), 0600), 0);
    expect_refusal("is no regular file");
    ck_assert_int_eq(unlink(path_of("cookie-secrets")), 0);
    ck_assert_int_eq(symlink("elsewhere", path_of("cookie-secrets")), 0);
    expect_refusal("Too many levels of symbolic links");
}

TEST(a_file_that_cannot_be_written_stays_as_it_was)
{
    struct own_secrets own = two_secrets(), again;
    struct err err;

    ck_assert(own_secrets_write(folder, &own, &err));
    ck_assert_int_eq(mkdir(path_of("cookie-secrets.new"), 0700), 0); /* in the draft's place */
    struct own_secrets next = own;
    ck_assert(own_secrets_roll_over(&next, NOW_S + OWN_SECRET_SECONDS));
    ck_assert(!own_secrets_write(folder, &next, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "a restart makes a new secret"));
    ck_assert_int_eq(rmdir(path_of("cookie-secrets.new")), 0);
    ck_assert(own_secrets_read(folder, &again, &err));
    ck_assert(is_equal(&own, &again));
}
