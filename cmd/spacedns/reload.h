#pragma once
/** Command reload: the running server loads changed zone files. */
#include "spacedns/session.h"

session_command run_reload;
