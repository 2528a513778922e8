#pragma once
/**
 * Parses the text of one zone file into a model.
 *
 * Parsing continues after a fault, so that one run reports all findings. It checks the form (keys,
 * types of values, limits); rules.h checks the meaning of the values.
 *
 * Threads: each file may be parsed on its own thread; nothing is shared.
 * Memory: the model lives in `arena`.
 */
#include "base/arena.h"
#include "findings/report.h"
#include "space/model.h"

/**
 * Reads `length` octets of YAML.
 *
 * file  the file's name in findings; borrowed for the life of the model
 *
 * Returns the model, or NULL if it is unusable (syntax, no space name, no memory); the report then
 * has the reason. There may be error findings for a returned model, too.
 */
struct space *space_parse(struct arena *arena, const char *file, const char *text, size_t length,
                          struct report *report);
