#pragma once
/** Apps: what there are, what one is like, one more, one less. */
#include "spacedns/session.h"

session_command run_apps;
session_command run_apps_create;
session_command run_apps_info;
session_command run_apps_destroy;
