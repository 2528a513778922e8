#pragma once
/** An app's domains: the default one, and custom ones with their DNS targets. */
#include "spacedns/session.h"

session_command run_domains;
session_command run_domains_add;
session_command run_domains_remove;
