#pragma once
/**
 * top on a terminal: what comes from the server is shown, and keys are obeyed.
 *
 *     server's line ─► shown, unless paused ─┐
 *     key, new size ─► view ─────────────────┴─► shown again
 *
 * It ends with q or Ctrl-C (0); with the server (1, with its sentence, or why there is none); by
 * SIGTERM or SIGHUP, which then end the process. In each case the terminal is given back before
 * anything is printed.
 */
#include "spacedns/session.h"

/** Watches until it ends. Returns the exit code. */
int top_watch(struct session *session);
