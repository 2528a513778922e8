#include "spacednsd/daemon_replica.h"

#include "spacednsd/daemon_upgrade.h"

enum { PATIENCE_MS = 5000 }; /* for etcd; without it, what the state folder has is answered */

/* The server before knows more than this one: that must not get lost. */
static void daemon_on_caught_up(void *context)
{
    struct daemon *daemon = context;

    if (server_current(daemon->server)->is_waiting) {
        daemon_upgrade_fail(daemon,
                            "not taking over, because the registry cannot be reached and state_dir "
                            "has nothing of it: the names that the running server knows would not "
                            "be answered; set state_dir, or upgrade once etcd is there");
        return;
    }
    daemon->has_probed = true;
    takeover_probe(&daemon->takeover);
}

void daemon_replica_go_on(struct daemon *daemon)
{
    bool is_waiting = server_current(daemon->server)->is_waiting;

    if (!takeover_is_upgrade(&daemon->takeover) && !is_waiting) {
        daemon_become_ready(daemon);
        return;
    }
    reloads_finish(&daemon->reloads);
    if (!takeover_is_upgrade(&daemon->takeover))
        service_wait(&daemon->service, "the registry: every query gets SERVFAIL until it was read");
    if (takeover_is_upgrade(&daemon->takeover) && !daemon->has_probed &&
        daemon->replica.on_caught_up == NULL)
        replica_await(&daemon->replica, PATIENCE_MS, daemon_on_caught_up, daemon);
}
