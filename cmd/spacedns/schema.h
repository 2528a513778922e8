#pragma once
/** Schema: the zone format for editors. */
#include "spacedns/session.h"

session_command run_schema;
