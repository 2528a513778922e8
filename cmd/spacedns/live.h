#pragma once
/**
 * The running server, asked over its control socket.
 *
 * The socket is --socket, else the settings' control_socket, else the usual one. Whatever stands in
 * the way is said in one sentence with its remedy.
 */
#include "spacedns/session.h"

session_command run_status;
session_command run_whoami;

/** Has the server run this command, prints what it says. Returns its exit code. */
int live_ask(struct session *session);

/**
 * Has the server run another command than this one's, with --force if that was given; what it says
 * goes to standard error. Returns its exit code.
 */
int live_ask_instead(struct session *session, enum command_name command);

/**
 * The server's zones folder, or NULL when none answers, and then session->server_problem is why;
 * kept in the session. Says nothing.
 */
const char *live_zones(struct session *session);
