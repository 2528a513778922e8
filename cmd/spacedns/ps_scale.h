#pragma once
/** Command ps:scale: the number of dynos of a process type. */
#include "spacedns/session.h"

session_command run_ps_scale;
