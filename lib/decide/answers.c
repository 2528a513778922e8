#include "decide/answers.h"

#include <assert.h>

#include "wire/types.h"

static_assert(REASON_COUNT <= 32, "a row has a bit for each reason");

static const struct answer_row rows[] = {
#define R(symbol) (UINT32_C(1) << REASON_##symbol)
#define SITUATION(symbol, rcode, aa, answer, authority, ede, reasons, when)                        \
    [SITUATION_##                                                                                  \
        symbol] = {#symbol,    RCODE_##rcode,       AA_##aa, PART_##answer, PART_##authority,      \
                   PART_##ede, (uint32_t)(reasons), when},
#include "decide/answers.def"
#undef R
};

static const char *const parts[] = {
#define PART(symbol, text) [PART_##symbol] = (text),
#include "decide/answers.def"
};

const struct answer_row *answer_row(enum situation situation)
{
    return &rows[situation];
}

const char *answer_part_text(enum answer_part part)
{
    return parts[part];
}
