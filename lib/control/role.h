#pragma once
/**
 * Who may run which of the server's commands.
 *
 *     peer                                           role
 *     root, the server's own user                    all commands
 *     a member of control_group                      all commands
 *     a member of control_read_group                 those that change nothing (roles.def)
 *     anyone else                                    none
 *
 * `reload --dry-run` changes nothing. `plan FOLDER` needs all: the server reads that folder with
 * its own rights.
 *
 * Threads: pure.  Memory: borrows the names of the groups.
 */
#include <sys/stat.h>

#include "base/err.h"
#include "control/command.h"
#include "control/peer.h"

enum control_role { ROLE_NONE, ROLE_READ, ROLE_ALL, ROLE_COUNT };

/** A group of a setting; the name as written there, which may be a number. */
struct control_group {
    const char *name; /* NULL: not set */
    gid_t gid;
};

struct control_access {
    struct control_group all;  /* control_group */
    struct control_group read; /* control_read_group */
};

/** True for a command that the running server answers, and nobody else. */
bool role_is_served(enum command_name command);

/** The role that a request needs. */
enum control_role role_needed(const struct invocation *invocation);

/** The role that a command needs at least, without regard to its options. */
enum control_role role_of_command(enum command_name command);

/** The role of a peer. */
enum control_role role_of_peer(const struct control_access *access, const struct peer *peer);

/**
 * Sets *err to the sentence for a peer without the role: who it is, who may, how an administrator
 * lets it.
 */
void role_set_refusal(const struct control_access *access, const struct peer *peer,
                      const struct invocation *invocation, struct err *err);

/**
 * The mode of the socket: 0600 without groups; 0660 when the socket's own group, the server's, is
 * the only one named; else 0666, for a file has one group only. Roles are checked in any case.
 */
mode_t role_socket_mode(const struct control_access *access);
