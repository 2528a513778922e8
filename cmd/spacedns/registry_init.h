#pragma once
/**
 * Makes a registry: registry:init.
 */
#include "spacedns/session.h"

session_command run_registry_init;
