#pragma once
/**
 * Edits the value of a dyno key (answer/dyno_key.h): one dyno a line, and words of other writers
 * stay as they are.
 *
 *     1 up 10.0.130.56 host=blue-7          dyno_text_set(…, 1, DYNO_DOWN)
 *     2 starting 10.0.151.218         ──►   1 down 10.0.130.56 host=blue-7
 *                                           2 starting 10.0.151.218
 *
 * A text that an edit returns is in the arena. False without memory; the text is then as it was.
 *
 * Threads: pure.  Memory: the arena's.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "registry/lines.h"
#include "space/model.h"

/** True if a line is of this dyno. */
bool dyno_text_has(struct line_text text, uint32_t number);

/** Adds a dyno behind the others. `ip` 0: without an address. */
bool dyno_text_add(struct arena *arena, struct line_text *text, const struct dyno *dyno);

/** Takes out every line of the dyno. */
bool dyno_text_remove(struct arena *arena, struct line_text *text, uint32_t number);

/** Sets the state in the dyno's line. */
bool dyno_text_set(struct arena *arena, struct line_text *text, uint32_t number,
                   enum dyno_state state);
