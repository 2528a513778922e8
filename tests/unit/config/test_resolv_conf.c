#include "config/resolv_conf.h"

#include <stdio.h>
#include <string.h>

#include "support/scratch.h"
#include "support/suite.h"

static struct resolv_conf conf;

static void read_text(const char *text)
{
    struct scratch folder;
    struct err err;
    char path[SCRATCH_PATH_MOST + 16];

    scratch_init(&folder);
    scratch_write(&folder, "resolv.conf", text, strlen(text));
    snprintf(path, sizeof path, "%s/resolv.conf", folder.path);
    ck_assert_msg(resolv_conf_read(path, &conf, &err), "%s", err.text);
    scratch_close(&folder);
}

/* A file, and its nameservers as "line:column=address". */
static const struct {
    const char *text, *servers;
} files[] = {
    {"", ""},
    {"nameserver 10.0.0.2", "1:12=10.0.0.2 "},
    {"# by hand\n\nnameserver 10.0.0.2\nnameserver\t ::1  # second\r\nnameserver 10.0.0.2\n",
     "3:12=10.0.0.2 4:13=::1 5:12=10.0.0.2 "},
    {"# nameserver 10.9.9.9\n;nameserver 10.9.9.9\n nameserver 10.9.9.9\n\tnameserver 10.9.9.9\n"
     "nameservers 10.9.9.9\nNameserver 10.9.9.9\nnameserver\nnameserver\r\n",
     ""},
    {"nameserver \nnameserver nonsense\n", "1:12= 2:12=nonsense "},
    {"nameserver 10.0.0.2\r\n", "1:12=10.0.0.2 "},
};

TEST_OVER(nameservers_have_their_location, files)
{
    char servers[256] = "";
    size_t length = 0;

    read_text(files[_i].text);
    for (size_t i = 0; i < conf.server_count; i++)
        length += (size_t)snprintf(servers + length, sizeof servers - length, "%u:%u=%s ",
                                   (unsigned)conf.servers[i].at.line,
                                   (unsigned)conf.servers[i].at.column, conf.servers[i].address);
    ck_assert_str_eq(servers, files[_i].servers);
    resolv_conf_close(&conf);
}

TEST(nameservers_beyond_the_limit_are_left_out)
{
    char text[100 * 24] = "";

    for (int i = 0; i < 100; i++)
        strcat(text, "nameserver 10.0.0.2\n");
    read_text(text);
    ck_assert_uint_eq(conf.server_count, RESOLV_CONF_SERVERS_MOST);
    resolv_conf_close(&conf);
}

TEST(the_last_search_list_wins)
{
    read_text("search a.example b.example\ndomain c.example\n");
    ck_assert_uint_eq(conf.search_count, 1);
    ck_assert_str_eq(conf.search[0], "c.example");
    resolv_conf_close(&conf);
    read_text("domain c.example\nsearch .\n");
    ck_assert_uint_eq(conf.search_count, 0);
    resolv_conf_close(&conf);
}

TEST(suffixes_beyond_the_limit_are_left_out)
{
    char text[64 * 16] = "search";

    for (int i = 0; i < 64; i++)
        strcat(text, " a.example");
    read_text(text);
    ck_assert_uint_eq(conf.search_count, RESOLV_CONF_SEARCH_MOST);
    resolv_conf_close(&conf);
}

static const struct {
    const char *text;
    unsigned ndots;
} options[] = {
    {"", 1},
    {"options edns0 rotate\n", 1},
    {"options rotate ndots:5 edns0\n", 5},
    {"options ndots:5\noptions ndots:2\n", 2},
    {"options ndots:99999999999999999999\n", 15},
    {"options ndots:\n", 0},
};

TEST_OVER(ndots_is_one_by_default_and_fifteen_at_most, options)
{
    read_text(options[_i].text);
    ck_assert_uint_eq(conf.ndots, options[_i].ndots);
    resolv_conf_close(&conf);
}

TEST(a_missing_file_is_an_error)
{
    struct err err;

    ck_assert(!resolv_conf_read("/nowhere/resolv.conf", &conf, &err));
    ck_assert_str_eq(err.text, "cannot be opened: No such file or directory");
}
