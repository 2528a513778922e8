#pragma once
/**
 * Reasons: the one table behind EDE, _why, explain, log lines, metrics and the README.
 *
 * Sources: RFC 8914 (Extended DNS Errors).
 * Threads, memory: constant data.
 */
#include <stdbool.h>
#include <stdint.h>

#include "wire/types.h"

enum reason {
    REASON_NONE,
#define REASON(symbol, code, level, ede, description, remedy) REASON_##symbol,
#include "decide/reasons.def"
#undef REASON
    REASON_COUNT
};

enum reason_level { REASON_LEVEL_NONE, REASON_LEVEL_NOTE, REASON_LEVEL_ERROR };

struct reason_entry {
    const char *code; /* "Q14" */
    enum reason_level level;
    uint16_t ede;
    const char *description;
    const char *remedy;
};

/** The table's entry of a reason; REASON_NONE has empty texts. */
const struct reason_entry *reason_entry(enum reason reason);

/**
 * True when a reply with this reason and response code is a failure: the reason has the level
 * error, or the code is neither NOERROR, NXDOMAIN nor BADCOOKIE, as nobody has to mend these three.
 */
static inline bool reason_is_failure(enum reason reason, uint16_t rcode)
{
    bool is_usual = rcode == RCODE_NOERROR || rcode == RCODE_NXDOMAIN || rcode == RCODE_BADCOOKIE;

    return !is_usual || reason_entry(reason)->level == REASON_LEVEL_ERROR;
}
