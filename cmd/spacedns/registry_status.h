#pragma once
/**
 * What the registry has, and who follows it: registry, registry:replicas.
 */
#include "spacedns/session.h"

session_command run_registry;
session_command run_registry_replicas;
