#pragma once
/**
 * Command watch-topology: a space's apps follow the platform's topology.
 *
 *     file: inotify, and a timer as a net ─┐
 *     command: a timer ────────────────────┴─► octets ──► as before: nothing
 *                                                    └──► round (watch_round.h) ──► line
 *
 * A file that cannot be parsed is read again for two seconds, for it may be half written. What
 * fails is tried again, later each time (watch_pace.h), and has changed nothing. SIGTERM, SIGINT
 * and SIGHUP end the watch, after the round that is under way.
 */
#include "spacedns/session.h"

session_command run_watch_topology;
