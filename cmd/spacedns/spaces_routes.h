#pragma once
/** Which routes a peered VPC lacks or can do without, and the commands that mend it. */
#include "spacedns/session.h"

session_command run_spaces_peerings_routes;
