#pragma once
/**
 * Commands explain and whoami: why a client gets its answer, and which class it has, from zone
 * files or from the running server.
 */
#include "spacedns/session.h"

session_command run_explain, run_whoami;
