#pragma once
/**
 * Marks in the registry that every replica obeys: registry:pause, registry:resume,
 * registry:accept.
 */
#include "spacedns/session.h"

session_command run_registry_pause;
session_command run_registry_resume;
session_command run_registry_accept;
