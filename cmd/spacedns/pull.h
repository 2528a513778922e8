#pragma once
/**
 * Writes the registry's zone files into a folder.
 */
#include "spacedns/session.h"

session_command run_pull;
