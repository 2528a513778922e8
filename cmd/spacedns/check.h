#pragma once
/** Check: everything that is wrong in a folder of zone files, in one run. */
#include "spacedns/session.h"

session_command run_check;
