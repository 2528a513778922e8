#pragma once
/**
 * Commands that the running server answers: they are said as they are, and what comes back is
 * printed.
 */
#include "spacedns/session.h"

session_command run_status;
session_command run_whoami;
session_command run_kept_back;
session_command run_forget;

/** Has the server run this command, prints what it says. Returns its exit code. */
int live_ask(struct session *session);

/**
 * Has the server run another command than this one's, with --force if that was given; what it says
 * goes to standard error. Returns its exit code.
 */
int live_ask_instead(struct session *session, enum command_name command);
