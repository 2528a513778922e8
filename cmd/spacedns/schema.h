#pragma once
/** Command schema: the zone format as a JSON Schema, for editors. */
#include "spacedns/session.h"

session_command run_schema;
