#pragma once
/** Command upgrade: a new process takes over from the running server. */
#include "spacedns/session.h"

session_command run_upgrade;
