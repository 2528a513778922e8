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

/** The server's zones folder, or NULL when none answers; kept in the session. Says nothing. */
const char *live_zones(struct session *session);
