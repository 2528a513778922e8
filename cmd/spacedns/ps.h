#pragma once
/** An app's dynos: which there are, their states, one more, one less. */
#include "spacedns/session.h"

session_command run_ps;
session_command run_ps_add;
session_command run_ps_remove;
session_command run_ps_set;
