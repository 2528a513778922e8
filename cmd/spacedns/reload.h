#pragma once
/** Has the running server take up changed zone files. */
#include "spacedns/session.h"

session_command run_reload;
