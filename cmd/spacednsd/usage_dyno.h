#pragma once
/**
 * The call safe-to-stop: whether clients may still hold the address of a dyno.
 *
 * Exit code 0: it is safe to stop. 3: not yet, for some seconds, or until it is published no more,
 * by its own names or in a static record that has its address.
 *
 * Threads: the control thread.  Memory: each call is finished here.
 */
#include "spacednsd/usage_call.h"

enum { USAGE_CODE_UNSAFE = 3 };

void usage_dyno_answer(struct call *call, const struct status_source *source);
