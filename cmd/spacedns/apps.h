#pragma once
/** Commands: list, describe, create, rename and destroy apps. */
#include "spacedns/session.h"

session_command run_apps;
session_command run_apps_create;
session_command run_apps_info;
session_command run_apps_destroy;
session_command run_apps_rename;
