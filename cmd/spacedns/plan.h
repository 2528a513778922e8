#pragma once
/** Plan: what clients would be answered otherwise, before it is so. */
#include "spacedns/session.h"

session_command run_plan;
