#pragma once
/**
 * Plan: what clients would be answered otherwise, before it is so; against another folder, or
 * against what the running server serves.
 */
#include "spacedns/session.h"

session_command run_plan;
