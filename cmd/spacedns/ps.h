#pragma once
/** Commands: list, add and remove an app's dynos, and set their states; see ps_scale.h. */
#include "spacedns/session.h"

session_command run_ps;
session_command run_ps_add;
session_command run_ps_remove;
session_command run_ps_set;
