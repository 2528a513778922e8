#pragma once
/**
 * The answers: what each case gets, from answers.def.
 *
 * Threads, memory: constant data.
 */
#include <stdint.h>

#include "decide/reason.h"

/** The case that a verdict is about. */
enum situation {
#define SITUATION(symbol, rcode, aa, answer, authority, ede, reasons, when) SITUATION_##symbol,
#include "decide/answers.def"
    SITUATION_COUNT
};

/** What a section of the reply holds. */
enum answer_part {
#define PART(symbol, text) PART_##symbol,
#include "decide/answers.def"
};

/** Response codes of others, beyond those that a verdict can have by itself. */
enum { RCODE_OF_UPSTREAM = 0x100, RCODE_OF_LAST };

enum answer_aa { AA_NO, AA_YES, AA_OF_FIRST };

/** Reasons of a row that may have any. */
enum { REASONS_ALL = -1 };

struct answer_row {
    const char *symbol; /* "NO_WEB" */
    uint16_t rcode;
    enum answer_aa aa;
    enum answer_part answer;
    enum answer_part authority;
    enum answer_part ede;
    uint32_t reasons; /* a bit for each enum reason */
    const char *when;
};

/** The row of a case. */
const struct answer_row *answer_row(enum situation situation);

/** The words for a section. */
const char *answer_part_text(enum answer_part part);
