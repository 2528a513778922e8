#pragma once
/**
 * Command plan: which answers would change; compared with another folder, or with what the running
 * server serves.
 */
#include "spacedns/session.h"

session_command run_plan;
