#pragma once
/**
 * Command words: the names that completions of a shell offer, a line each.
 */
#include "spacedns/session.h"

session_command run_words;
