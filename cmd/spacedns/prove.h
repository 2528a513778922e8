#pragma once
/** Prove: what must never be answered, tried over every client, name and type. */
#include "spacedns/session.h"

session_command run_prove;
