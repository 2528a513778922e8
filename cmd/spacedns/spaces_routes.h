#pragma once
/** Command spaces:peerings:routes: which routes a peered VPC lacks or does not need, and the
 * commands that fix it. */
#include "spacedns/session.h"

session_command run_spaces_peerings_routes;
