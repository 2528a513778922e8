#pragma once
/**
 * The command logs: the queries that the running server has answered last, and those that come.
 *
 *     2024-10-16T12:00:01.000000+00:00 heroku[dns]: at=error code=Q14 ... app=sleepy-river-2739 ...
 *                                                   └─ red                    └─ the app's colour
 *
 * The server filters. With --tail the command ends when it is interrupted, with 0; with 1 and the
 * server's sentence when the server stops or an upgrade replaces it.
 */
#include "spacedns/session.h"

session_command run_logs;
