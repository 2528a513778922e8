#pragma once
/** Commands: list, add and remove a space's routers, and set their states. */
#include "spacedns/session.h"

session_command run_spaces_routers;
session_command run_spaces_routers_add;
session_command run_spaces_routers_remove;
session_command run_spaces_routers_set;
