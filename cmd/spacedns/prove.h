#pragma once
/** Command prove: tries every client, name and type for answers that must never be given. */
#include "spacedns/session.h"

session_command run_prove;
