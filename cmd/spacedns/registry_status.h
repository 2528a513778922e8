#pragma once
/**
 * What the registry has: command registry.
 *
 * Threads: one.
 */
#include "spacedns/session.h"

session_command run_registry;
