#pragma once
/** A new space: its zone file, with what is worth knowing as comments. */
#include "spacedns/session.h"

session_command run_spaces_create;
