#pragma once
/** Commands: set the status of a space's peerings and VPN connections. */
#include "spacedns/session.h"

session_command run_spaces_peerings_set;
session_command run_spaces_vpn_set;
