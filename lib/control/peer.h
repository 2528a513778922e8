#pragma once
/**
 * The process at the other end of a unix socket, as the kernel knows it.
 *
 * The credentials are those of the moment when it connected. No user database is asked: the groups
 * come from the kernel, too, and a user's name only from the file /etc/passwd.
 *
 * Sources: socket(7) and unix(7), SO_PEERCRED and SO_PEERGROUPS.
 * Threads: pure.  Memory: a peer's groups, freed by peer_close.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { PEER_NAME_MOST = 64 };

struct peer {
    uid_t uid;
    gid_t gid;
    pid_t pid;
    gid_t *groups; /* besides gid */
    size_t group_count;
};

/** Reads the peer of a connected socket. Returns false when the kernel does not name it. */
bool peer_read(int descriptor, struct peer *peer);

void peer_close(struct peer *peer);

bool peer_is_member(const struct peer *peer, gid_t gid);

/** Finds a user's name in /etc/passwd. Returns false, with "", when it is not there. */
bool peer_find_name(uid_t uid, char name[PEER_NAME_MOST]);
