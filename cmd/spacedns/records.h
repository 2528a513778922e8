#pragma once
/** Commands: list, add and remove a space's static records. */
#include "spacedns/session.h"

session_command run_records;
session_command run_records_add;
session_command run_records_remove;
