#pragma once
/** Why a name is answered as it is: decided from zone files, or by the running server. */
#include "spacedns/session.h"

session_command run_explain;
