#pragma once
/** The command support: one archive for a bug report, listed before it is written. */
#include "spacedns/session.h"

session_command run_support;
