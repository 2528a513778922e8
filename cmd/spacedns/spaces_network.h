#pragma once
/** Commands: list a space's peerings, VPN connections and trusted IP ranges. */
#include "spacedns/session.h"

session_command run_spaces_peerings;
session_command run_spaces_vpn_connections;
session_command run_spaces_trusted_ips;
