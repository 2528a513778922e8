#pragma once
/** Commands: add and remove a space's peerings and VPN connections, and set their status. */
#include "spacedns/session.h"

session_command run_spaces_peerings_add, run_spaces_peerings_remove, run_spaces_peerings_set;
session_command run_spaces_vpn_add, run_spaces_vpn_remove, run_spaces_vpn_set;
