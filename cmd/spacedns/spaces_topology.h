#pragma once
/** A space as the platform's topology: for people, or the platform's own JSON. */
#include "spacedns/session.h"

session_command run_spaces_topology;
