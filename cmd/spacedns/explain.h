#pragma once
/** Command explain: why a client gets its answer, from zone files or from the running server. */
#include "spacedns/session.h"

session_command run_explain;
