#pragma once
/** Command spaces:create: the zone file of a new space, with comments for its editor. */
#include "spacedns/session.h"

session_command run_spaces_create;
