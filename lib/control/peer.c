#include "control/peer.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { LINE_OCTETS = 4096 };

/* Without them, as with a kernel before 4.13, only the first group counts. */
static void read_groups(int descriptor, struct peer *peer)
{
    socklen_t size = 0;

    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE)
        return;
    peer->groups = malloc(size);
    if (peer->groups != NULL &&
        getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, peer->groups, &size) == 0)
        peer->group_count = size / sizeof peer->groups[0];
}

bool peer_read(int descriptor, struct peer *peer)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;

    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0 ||
        size != sizeof credentials)
        return false;
    *peer = (struct peer){.uid = credentials.uid, .gid = credentials.gid, .pid = credentials.pid};
    read_groups(descriptor, peer);
    return true;
}

void peer_close(struct peer *peer)
{
    free(peer->groups);
    peer->groups = NULL;
    peer->group_count = 0;
}

bool peer_is_member(const struct peer *peer, gid_t gid)
{
    for (size_t i = 0; i < peer->group_count; i++)
        if (peer->groups[i] == gid)
            return true;
    return peer->gid == gid;
}

bool peer_find_name(uid_t uid, char name[PEER_NAME_MOST])
{
    FILE *users = fopen("/etc/passwd", "re");
    struct passwd entry, *found = NULL;
    char line[LINE_OCTETS];

    name[0] = '\0';
    while (users != NULL && name[0] == '\0' &&
           fgetpwent_r(users, &entry, line, sizeof line, &found) == 0)
        if (entry.pw_uid == uid)
            snprintf(name, PEER_NAME_MOST, "%s", entry.pw_name);
    if (users != NULL)
        fclose(users);
    return name[0] != '\0';
}
