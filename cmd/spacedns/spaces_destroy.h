#pragma once
/** Command spaces:destroy: removes the zone file of a space. */
#include "spacedns/session.h"

session_command run_spaces_destroy;
