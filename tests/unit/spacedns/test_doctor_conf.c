#include "spacedns/doctor_conf.h"

#include <stdio.h>
#include <string.h>

#include "support/scratch.h"
#include "support/suite.h"

static struct doctor_conf conf;

static bool reads(const char *text)
{
    struct scratch folder;
    struct err err;
    char path[SCRATCH_PATH_MOST + 16];

    scratch_init(&folder);
    scratch_write(&folder, "resolv.conf", text, strlen(text));
    snprintf(path, sizeof path, "%s/resolv.conf", folder.path);
    bool is_read = doctor_conf_read(path, &conf, &err);
    scratch_close(&folder);
    return is_read;
}

static void expect_server(size_t number, const char *wanted)
{
    char text[ENDPOINT_TEXT_MAX];

    ck_assert_uint_lt(number, conf.server_count);
    endpoint_write(&conf.servers[number], text);
    ck_assert_str_eq(text, wanted);
}

TEST(an_empty_file_is_a_server_on_this_host)
{
    ck_assert(reads(""));
    ck_assert_uint_eq(conf.server_count, 1);
    expect_server(0, "127.0.0.1:53");
    ck_assert_uint_eq(conf.search_count, 0);
    ck_assert_uint_eq(conf.ndots, 1);
}

TEST(three_servers_are_used_and_others_counted)
{
    ck_assert(reads("nameserver 10.0.0.2\n# nameserver 10.9.9.9\n; nameserver 10.9.9.9\n"
                    "nameserver\nnameserver\t::1  \nnameserver dns.example\nnameserver 10.0.0.3\n"
                    "nameserver 10.0.0.4"));
    ck_assert_uint_eq(conf.server_count, 3);
    expect_server(0, "10.0.0.2:53");
    expect_server(1, "[::1]:53");
    expect_server(2, "10.0.0.3:53");
    ck_assert_uint_eq(conf.ignored, 2);
}

TEST(the_search_list_and_ndots_are_those_of_the_file)
{
    ck_assert(reads("search a.example b.example\noptions rotate ndots:5\n"));
    ck_assert_uint_eq(conf.search_count, 2);
    ck_assert_uint_eq(conf.ndots, 5);
}

static const struct {
    const char *name;
    const char *options;
    unsigned waste;
} lookups[] = {
    {"api.example.com", "options ndots:1", 0},
    {"api.example.com", "options ndots:2", 0},
    {"api.example.com", "options ndots:3", 4},
    {"api.example.com.", "options ndots:15", 0},
    {"api", "", 4},
    {"api", "options ndots:0", 0},
    {"", "", 4},
};

TEST_OVER(a_name_with_few_dots_goes_through_the_search_list_twice, lookups)
{
    char text[256];

    snprintf(text, sizeof text, "search a.example b.example\n%s\n", lookups[_i].options);
    ck_assert(reads(text));
    ck_assert_uint_eq(doctor_conf_waste(&conf, lookups[_i].name), lookups[_i].waste);
}

TEST(a_missing_file_is_named_in_the_error)
{
    struct err err;

    ck_assert(!doctor_conf_read("/nowhere/resolv.conf", &conf, &err));
    ck_assert_str_eq(err.text,
                     "/nowhere/resolv.conf cannot be opened: No such file or directory; name "
                     "another with --resolv-conf FILE");
}
