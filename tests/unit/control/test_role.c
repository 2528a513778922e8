// wrap: geteuid getegid
#include "control/role.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/suite.h"

enum { SERVER = 997, SERVER_GROUP = 996, ADMINS = 700, READERS = 701, OTHERS = 702 };

static uid_t server_uid = SERVER;

uid_t __wrap_geteuid(void);
gid_t __wrap_getegid(void);

uid_t __wrap_geteuid(void)
{
    return server_uid;
}

gid_t __wrap_getegid(void)
{
    return SERVER_GROUP;
}

static const struct control_access none;
static const struct control_access both = {.all = {"admins", ADMINS}, .read = {"readers", READERS}};
static const struct control_access only_all = {.all = {"admins", ADMINS}};
static const struct control_access only_read = {.read = {"readers", READERS}};

static gid_t second[] = {OTHERS, READERS};

static const struct {
    const struct control_access *access;
    struct peer peer;
    enum control_role expected;
} peers[] = {
    {&none, {.uid = 0, .gid = 0}, ROLE_ALL},
    {&none, {.uid = SERVER, .gid = OTHERS}, ROLE_ALL},
    {&none, {.uid = 1000, .gid = 0}, ROLE_NONE},
    {&none, {.uid = 1000, .gid = SERVER_GROUP}, ROLE_NONE},
    {&both, {.uid = 0, .gid = 0}, ROLE_ALL},
    {&both, {.uid = SERVER, .gid = OTHERS}, ROLE_ALL},
    {&both, {.uid = 1000, .gid = ADMINS}, ROLE_ALL},
    {&both, {.uid = 1000, .gid = READERS}, ROLE_READ},
    {&both, {.uid = 1000, .gid = OTHERS}, ROLE_NONE},
    {&both, {.uid = 1000, .gid = OTHERS, .groups = second, .group_count = 2}, ROLE_READ},
    {&both, {.uid = 1000, .gid = ADMINS, .groups = second, .group_count = 2}, ROLE_ALL},
    {&both, {.uid = 1000, .gid = 0}, ROLE_NONE},
    {&only_all, {.uid = 1000, .gid = READERS}, ROLE_NONE},
    {&only_all, {.uid = 1000, .gid = 0}, ROLE_NONE},
    {&only_read, {.uid = 1000, .gid = ADMINS}, ROLE_NONE},
    {&only_read, {.uid = 1000, .gid = READERS}, ROLE_READ},
    {&only_read, {.uid = 1000, .gid = 0}, ROLE_NONE},
};

TEST_OVER(a_peer_has_the_role_of_its_user_or_its_groups, peers)
{
    ck_assert_int_eq(role_of_peer(peers[_i].access, &peers[_i].peer), peers[_i].expected);
}

static struct invocation read_line(const char *line)
{
    char *words[8], *rest = NULL;
    static char copy[256];
    int count = 0;
    struct invocation invocation;
    struct err err;

    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    ck_assert_msg(invocation_read(count, words, &invocation, &err), "%s", err.text);
    return invocation;
}

static const struct {
    const char *line;
    enum control_role expected;
} needs[] = {
    {"status", ROLE_READ},
    {"status --json", ROLE_READ},
    {"kept-back", ROLE_READ},
    {"explain a.example --live", ROLE_READ},
    {"whoami", ROLE_READ},
    {"plan", ROLE_READ},
    {"plan /etc/spacedns/next", ROLE_ALL},
    {"reload", ROLE_ALL},
    {"reload --force", ROLE_ALL},
    {"reload --dry-run", ROLE_READ},
    {"forget a.example", ROLE_ALL},
    {"apps", ROLE_ALL}, /* no command of the server's */
};

TEST_OVER(what_changes_the_server_needs_all, needs)
{
    struct invocation invocation = read_line(needs[_i].line);

    ck_assert_int_eq(role_needed(&invocation), needs[_i].expected);
}

static const struct {
    const struct control_access *access;
    const char *line;
    const char *parts[4];
} refusals[] = {
    {&none,
     "status",
     {"uid 61234 may not run status; root and the server's user may: run it with sudo",
      "the setting control_read_group and restart the server"}},
    {&none, "reload", {"may not run reload; ", "the setting control_group and restart the server"}},
    {&only_read, "reload", {"root and the server's user may", "the setting control_group"}},
    {&both,
     "reload --force",
     {"root, the server's user and members of the group admins may", "usermod -aG admins USER"}},
    {&both,
     "status",
     {"root, the server's user and members of the group readers or admins may",
      "usermod -aG readers USER, then log in again"}},
    {&only_all, "status", {"members of the group admins may", "usermod -aG admins USER"}},
};

TEST_OVER(a_refusal_says_who_may_and_how_to_become_so, refusals)
{
    struct invocation invocation = read_line(refusals[_i].line);
    const struct peer peer = {.uid = 61234, .gid = 61234};
    struct err err;

    role_set_refusal(refusals[_i].access, &peer, &invocation, &err);
    for (size_t i = 0; i < 4 && refusals[_i].parts[i] != NULL; i++)
        ck_assert_msg(strstr(err.text, refusals[_i].parts[i]) != NULL, "%s", err.text);
}

TEST(a_server_of_root_names_root_alone)
{
    struct invocation invocation = read_line("reload");
    const struct peer peer = {.uid = 61234, .gid = 61234};
    struct err err;

    server_uid = 0;
    role_set_refusal(&both, &peer, &invocation, &err);
    ck_assert_msg(strstr(err.text, "reload; root and members of the group admins may") != NULL,
                  "%s", err.text);
}

static const struct {
    struct control_access access;
    mode_t expected;
} modes[] = {
    {{.all = {NULL, 0}}, 0600},
    {{.all = {"spacedns", SERVER_GROUP}}, 0660},
    {{.read = {"spacedns", SERVER_GROUP}}, 0660},
    {{.all = {"spacedns", SERVER_GROUP}, .read = {"spacedns", SERVER_GROUP}}, 0660},
    {{.all = {"admins", ADMINS}}, 0666},
    {{.all = {"admins", ADMINS}, .read = {"spacedns", SERVER_GROUP}}, 0666},
    {{.all = {"spacedns", SERVER_GROUP}, .read = {"readers", READERS}}, 0666},
};

TEST_OVER(the_socket_is_open_no_further_than_its_groups_need, modes)
{
    ck_assert_uint_eq(role_socket_mode(&modes[_i].access), modes[_i].expected);
}
