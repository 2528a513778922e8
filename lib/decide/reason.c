#include "decide/reason.h"

static const struct reason_entry entries[REASON_COUNT] = {
    [REASON_NONE] = {"", REASON_LEVEL_NONE, 0, "", ""},
#define REASON(symbol, code, level, ede, description, remedy)                                      \
    [REASON_##symbol] = {code, REASON_LEVEL_##level, ede, description, remedy},
#include "decide/reasons.def"
#undef REASON
};

const struct reason_entry *reason_entry(enum reason reason)
{
    return &entries[reason];
}
