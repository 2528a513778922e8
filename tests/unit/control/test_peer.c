#include "control/peer.h"

#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/suite.h"

static int ends[2];

static void tear_down(void)
{
    close(ends[0]);
    close(ends[1]);
}

static void set_up(void)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
}

FIXTURE(set_up, tear_down)

TEST(the_kernel_names_the_peer)
{
    struct peer peer;

    ck_assert(peer_read(ends[0], &peer));
    ck_assert_uint_eq(peer.uid, getuid());
    ck_assert_uint_eq(peer.gid, getgid());
    ck_assert_int_eq(peer.pid, getpid());
    ck_assert(peer_is_member(&peer, getgid()));
    peer_close(&peer);
}

TEST(supplementary_groups_count)
{
    const gid_t groups[] = {61001, 61002, 61003};
    int own[2];
    struct peer peer;

    if (setgroups(3, groups) != 0)
        return; /* only root may */
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, own), 0);
    ck_assert(peer_read(own[0], &peer));
    ck_assert_uint_eq(peer.group_count, 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert(peer_is_member(&peer, groups[i]));
    ck_assert(!peer_is_member(&peer, 61004));
    peer_close(&peer);
    ck_assert_uint_eq(peer.group_count, 0);
    close(own[0]);
    close(own[1]);
}

TEST(what_is_no_socket_has_no_peer)
{
    struct peer peer;
    int pipes[2];

    ck_assert_int_eq(pipe(pipes), 0);
    ck_assert(!peer_read(pipes[0], &peer));
    close(pipes[0]);
    close(pipes[1]);
}

TEST(a_name_comes_from_the_file_of_users)
{
    char name[PEER_NAME_MOST];

    ck_assert(peer_find_name(0, name));
    ck_assert_str_eq(name, "root");
    ck_assert(!peer_find_name(3999999999, name));
    ck_assert_str_eq(name, "");
}
