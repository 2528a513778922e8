/* How a replica logs in: its password, as long as its file can be read. */
#include "spacednsd/replica_login.h"

#include <stdio.h>
#include <string.h>

#include "support/scratch.h"
#include "support/suite.h"

static const char *endpoints[] = {"http://10.9.0.1:2379"};
static struct scratch scratch;
static struct replica_login login;
static struct settings settings;
static char path[SCRATCH_PATH_MOST + 16];
static struct err err;

static void set_up(void)
{
    scratch_init(&scratch);
    snprintf(path, sizeof path, "%s/password", scratch.path);
    settings = (struct settings){.registry_password_file = path};
    settings.registry_endpoints.items = endpoints;
    settings.registry_endpoints.count = 1;
    err = (struct err){.text = ""};
}

static void tear_down(void)
{
    replica_login_close(&login);
    scratch_close(&scratch);
}

FIXTURE(set_up, tear_down)

static void write_password(const char *text)
{
    scratch_write(&scratch, "password", text, strlen(text));
}

TEST(the_password_is_the_first_line)
{
    write_password("one two \r\nmore\n");
    ck_assert(replica_login_open(&login, &settings, &err));
    ck_assert_str_eq(login.password, "one two ");
    ck_assert_ptr_null(login.trust);
}

TEST(without_a_file_there_is_none)
{
    settings.registry_password_file = NULL;
    ck_assert(replica_login_open(&login, &settings, &err));
    ck_assert(replica_login_renew(&login, &settings, 1, &err));
    ck_assert_ptr_null(login.password);
}

TEST(a_file_that_is_not_there_is_named)
{
    ck_assert(!replica_login_open(&login, &settings, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "registry.password_file cannot be opened"));
}

TEST(a_changed_file_is_taken_by_a_reload)
{
    write_password("one\n");
    ck_assert(replica_login_open(&login, &settings, &err));
    write_password("two\n");
    ck_assert(replica_login_renew(&login, &settings, 1, &err));
    ck_assert_str_eq(login.password, "two");
}

TEST(without_its_file_the_former_password_stays)
{
    write_password("one\n");
    ck_assert(replica_login_open(&login, &settings, &err));
    scratch_remove(&scratch, "password");
    ck_assert(!replica_login_renew(&login, &settings, 1, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "registry.password_file cannot be opened"));
    ck_assert_str_eq(login.password, "one");
}
