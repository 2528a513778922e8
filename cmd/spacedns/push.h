#pragma once
/**
 * Commands that write zone files into the registry, and read them from there: push, promote, pull.
 */
#include "spacedns/session.h"

session_command run_push;
session_command run_promote;
