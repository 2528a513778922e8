#pragma once
/** Who is connected to a space: peerings, VPN connections, trusted IP ranges. */
#include "spacedns/session.h"

session_command run_spaces_peerings;
session_command run_spaces_vpn_connections;
session_command run_spaces_trusted_ips;
