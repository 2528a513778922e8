#include "control/role.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WHO_MOST = 160, OTHERS_MOST = 200 };

/* 0, which is ROLE_NONE, for commands that are not listed. */
static const enum control_role served[COMMAND_COUNT] = {
#define SERVED(command, role) [COMMAND_##command] = ROLE_##role,
#include "control/roles.def"
};

bool role_is_served(enum command_name command)
{
    return served[command] != ROLE_NONE;
}

enum control_role role_of_command(enum command_name command)
{
    return role_is_served(command) ? served[command] : ROLE_ALL;
}

enum control_role role_needed(const struct invocation *invocation)
{
    if (invocation->command == COMMAND_RELOAD && invocation_has(invocation, OPTION_DRY_RUN))
        return ROLE_READ;
    if (invocation->command == COMMAND_PLAN && invocation->operand_count > 0)
        return ROLE_ALL;
    return role_of_command(invocation->command);
}

static bool is_in(const struct control_group *group, const struct peer *peer)
{
    return group->name != NULL && peer_is_member(peer, group->gid);
}

enum control_role role_of_peer(const struct control_access *access, const struct peer *peer)
{
    if (peer->uid == 0 || peer->uid == geteuid() || is_in(&access->all, peer))
        return ROLE_ALL;
    return is_in(&access->read, peer) ? ROLE_READ : ROLE_NONE;
}

mode_t role_socket_mode(const struct control_access *access)
{
    const struct control_group *all = &access->all, *read = &access->read;

    if (all->name == NULL && read->name == NULL)
        return S_IRUSR | S_IWUSR;
    bool is_own = (all->name == NULL || all->gid == getegid()) &&
                  (read->name == NULL || read->gid == getegid());
    return is_own ? S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP
                  : S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH;
}

/* ---- the refusal ---- */

/* "user alice (uid 1000)" */
static void format_user(uid_t uid, char out[WHO_MOST])
{
    char name[PEER_NAME_MOST];

    if (peer_find_name(uid, name))
        snprintf(out, WHO_MOST, "user %s (uid %lu)", name, (unsigned long)uid);
    else
        snprintf(out, WHO_MOST, "uid %lu", (unsigned long)uid);
}

/* "root, uid 997 and members of the group oncall" */
static void format_allowed(const struct control_group *first, const struct control_group *second,
                           char out[OTHERS_MOST])
{
    bool is_root = geteuid() == 0;
    size_t length = (size_t)snprintf(out, OTHERS_MOST, "root");

    if (!is_root)
        length += (size_t)snprintf(out + length, OTHERS_MOST - length, "%s the server's user",
                                   first == NULL ? " and" : ",");
    if (first != NULL)
        snprintf(out + length, OTHERS_MOST - length, " and members of the group %.40s%s%.40s",
                 first->name, second == NULL ? "" : " or ", second == NULL ? "" : second->name);
}

void role_set_refusal(const struct control_access *access, const struct peer *peer,
                      const struct invocation *invocation, struct err *err)
{
    const char *command = commands_table[invocation->command].name;
    bool reads = role_needed(invocation) == ROLE_READ;
    const struct control_group *all = access->all.name == NULL ? NULL : &access->all;
    const struct control_group *read = access->read.name == NULL || !reads ? NULL : &access->read;
    const struct control_group *first = read == NULL ? all : read;
    char who[WHO_MOST], allowed[OTHERS_MOST];

    format_user(peer->uid, who);
    format_allowed(first, first == all ? NULL : all, allowed);
    if (first == NULL)
        err_set(err, ERR_RULE,
                "%s may not run %s; %s may: run it with sudo, or name a group in the setting "
                "%s and restart the server",
                who, command, allowed, reads ? "control_read_group" : "control_group");
    else
        err_set(err, ERR_RULE,
                "%s may not run %s; %s may: an administrator adds you with usermod -aG %.40s USER, "
                "then log in again",
                who, command, allowed, first->name);
}
