#include "control/refusals.h"

#include "base/log.h"

/* True if a refusal of the user was logged a moment ago; remembers this one. */
static bool is_logged(struct refusals *refusals, uid_t uid, uint64_t now_ms)
{
    for (size_t i = 0; i < REFUSALS_USERS_MOST; i++)
        if (refusals->users[i].uid == uid && refusals->users[i].until_ms > now_ms)
            return true;
    refusals->users[refusals->next].uid = uid;
    refusals->users[refusals->next].until_ms = now_ms + REFUSALS_QUIET_MS;
    refusals->next = (refusals->next + 1) % REFUSALS_USERS_MOST;
    return false;
}

void refusals_log(struct refusals *refusals, const struct peer *peer, enum command_name command,
                  const char *sentence, uint64_t now_ms)
{
    char name[PEER_NAME_MOST];
    struct log_line line;

    if (is_logged(refusals, peer->uid, now_ms))
        return;
    log_start(&line, LOG_WARNING, "control_refused");
    log_number(&line, "by", peer->uid);
    if (peer_find_name(peer->uid, name))
        log_string(&line, "user", name);
    log_string(&line, "command", commands_table[command].name);
    log_string(&line, "text", sentence);
    log_send(&line);
}
