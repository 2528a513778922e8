#pragma once
/** The setting recursion_for for tests, as the settings file's reader reads it. */
#include "config/recursion.h"

/**
 * Reads the value of recursion_for: "[space]", or "{peered: [herokuapp.com, example.com]}". It must
 * be right, and lives as long as the process.
 */
struct recursion recursion_of(const char *yaml);
