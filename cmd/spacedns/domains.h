#pragma once
/** Commands: list, add and remove an app's domains. */
#include "spacedns/session.h"

session_command run_domains;
session_command run_domains_add;
session_command run_domains_remove;
