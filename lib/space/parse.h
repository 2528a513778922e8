#pragma once
/**
 * From the text of one zone file to a model.
 *
 * Reading goes on after a mistake, so that all findings come in one run. The shape (keys, types
 * of values, limits) is checked here, what the values mean in rules.h.
 *
 * Threads: each file on its own thread if wanted; nothing is shared.
 * Memory: the model lives in `arena`.
 */
#include "base/arena.h"
#include "findings/report.h"
#include "space/model.h"

/**
 * Reads `length` octets of YAML.
 *
 * file  how the file is called in findings; borrowed for the life of the model
 *
 * Returns the model, or NULL when it is too broken to go on (syntax, no space name, no memory);
 * then the report says why. A returned model may still come with error findings.
 */
struct space *space_parse(struct arena *arena, const char *file, const char *text, size_t length,
                          struct report *report);
