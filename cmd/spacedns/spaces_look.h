#pragma once
/** What spaces there are, what they are like, and the dynos in them. */
#include "spacedns/session.h"

session_command run_spaces;
session_command run_spaces_info;
session_command run_spaces_ps;
