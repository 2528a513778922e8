#pragma once
/** Command spaces:import: a space's apps from the platform's topology. */
#include "spacedns/session.h"

session_command run_spaces_import;
