#pragma once
/**
 * Zone files beside those of a registry: check --registry, and plan with a registry.
 */
#include "spacedns/session.h"

session_command registry_check;
session_command registry_plan;
