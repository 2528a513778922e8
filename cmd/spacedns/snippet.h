#pragma once
/** Configuration with which somebody else's resolver asks this server for a space's names. */
#include "spacedns/session.h"

session_command run_snippet;
