#pragma once
/**
 * Commands that the running server answers: they are sent unchanged, and the answer is printed.
 */
#include "spacedns/session.h"
#include "spacedns/talk.h"

session_command run_status;
session_command run_kept_back;
session_command run_forget;
session_command run_cache;
session_command run_cache_flush;

/** Sends this command to the server and prints the answer. Returns its exit code. */
int live_request(struct session *session);

/** The same, with a talk whose output and way to print are set; `err` NULL: the session's. */
int live_talk(struct session *session, struct talk *talk);

/**
 * Sends another command to the server, with --force if that was given, and prints the answer on
 * standard error. Returns its exit code.
 *
 * note  for the server's log: what the command is for
 */
int live_request_other(struct session *session, enum command_name command, const char *note);
