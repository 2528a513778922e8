#pragma once
/** Command spaces:zonefile: what a space answers to a client, as a zone file. */
#include "spacedns/session.h"

session_command run_spaces_zonefile;
