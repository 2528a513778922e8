#pragma once
/** Commands help and version, made from commands.def. */
#include "spacedns/session.h"

session_command run_help;
session_command run_version;
