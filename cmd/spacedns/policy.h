#pragma once
/** `spacedns policy`: which case gets which answer. */
#include "spacedns/session.h"

session_command run_policy;
