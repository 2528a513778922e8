#pragma once
/**
 * Who uses what, as the running server has seen it: who-uses, last-asked, safe-to-stop, waste.
 */
#include "spacedns/session.h"

session_command run_who_uses;
session_command run_last_asked;
session_command run_safe_to_stop;
session_command run_waste;

/**
 * Prints to `err` who has asked for an app within a day, each on a line with how often. Prints
 * nothing when no server runs, or nobody has.
 */
void usage_print_recent(struct session *session, const char *app);
