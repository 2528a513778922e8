#pragma once
/**
 * The command top: what the running server is asked, at a glance (inspect/top.h).
 *
 *     top            the terminal, anew each second (top_screen.h, top_watch.h)
 *     top --once     lines, once; as wide as the terminal, or 80
 *     top --json     an object a second, each on a line, until Ctrl-C; with --once one
 */
#include "spacedns/session.h"

session_command run_top;
