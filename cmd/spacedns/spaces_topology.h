#pragma once
/** Command spaces:topology: a space as the platform's topology, as text or the platform's JSON. */
#include "spacedns/session.h"

session_command run_spaces_topology;
