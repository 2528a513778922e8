#pragma once
/** Command snippet: configuration that makes another resolver forward a space's names here. */
#include "spacedns/session.h"

session_command run_snippet;
