#pragma once
/**
 * Who caused what the server does, for its log.
 *
 *     by=1000 user=alice command=SIGHUP                             a signal
 *     by=signal                                                     one whose sender is not known
 *     by=1000 user=alice command="reload --force" note="ticket 7"   a call of the control socket
 *     by=0 user=root command=reload note="apps:create calm-bay-1"   an edit by the command
 *     by=1000,0 user=alice,root command=reload                      calls that share a reload
 *     by=0 user=root sudo=alice command=reload                      root, for whom it says
 *
 * `by` is the uid that the kernel names; the note is what the caller said, cut when it is long.
 * `sudo` is a claim of the caller, too, and taken from root alone.
 *
 * Threads: the control thread.  Memory: none.
 */
#include "base/log.h"
#include "control/control_socket.h"
#include "spacednsd/signals.h"

enum { AUDIT_BY_MOST = 80, AUDIT_USERS_MOST = 160, AUDIT_COMMAND_MOST = 80, AUDIT_NOTE_MOST = 300 };

/** Lists, with a comma between; each value once. */
struct audit {
    char by[AUDIT_BY_MOST]; /* empty: no operator caused it */
    char users[AUDIT_USERS_MOST];
    char sudo[AUDIT_USERS_MOST];
    char commands[AUDIT_COMMAND_MOST];
    char notes[AUDIT_NOTE_MOST];
};

void audit_add_signal(struct audit *audit, const struct signal_sender *sender);

void audit_add_call(struct audit *audit, const struct call *call);

/** Adds by=, user=, command= and note= to a line, those that are known. */
void audit_log(const struct audit *audit, struct log_line *line);
