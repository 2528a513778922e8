#pragma once
/** Command check: all findings of a folder of zone files, in one run. */
#include "spacedns/session.h"

session_command run_check;
