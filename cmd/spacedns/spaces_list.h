#pragma once
/** Commands spaces, spaces:info and spaces:ps. */
#include "spacedns/session.h"

session_command run_spaces;
session_command run_spaces_info;
session_command run_spaces_ps;
