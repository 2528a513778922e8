#pragma once
/**
 * Names about the server and the client: _whoami, _why, id.server and others, from names.def.
 *
 *     _whoami.localspace                PARENT_SUFFIX
 *     _dynos.APP.app.localspace         PARENT_APP
 *     _why.NAME                         PARENT_ANY
 *     id.server, in class CH            PARENT_CHAOS
 *
 * Each name has a kind of answer of its own, which respond/introspect.h writes.
 *
 * Sources: RFC 4892 (id.server, version.server).
 * Threads: pure.  Memory: constant data.
 */
#include "decide/discovery.h"
#include "decide/verdict.h"

enum name_parent { PARENT_SUFFIX, PARENT_APP, PARENT_ANY, PARENT_CHAOS };

/**
 * Returns the kind of answer of the name with this label below the parent; ANSWER_NONE if there is
 * none. With a constant parent, only the comparisons with that parent's labels remain.
 */
static inline enum answer_kind names_find(enum name_parent parent, const uint8_t *label)
{
#define NAME(symbol, stands_below, text, type, printer, help)                                      \
    if (parent == PARENT_##stands_below && label_reads(label, text))                               \
        return ANSWER_##symbol;
#include "decide/names.def"
    return ANSWER_NONE;
}

/** As names_find with PARENT_CHAOS, for a whole name. */
enum answer_kind names_find_chaos(const struct name *name);

/** Answers the kind's type and ANY; other types get NODATA. */
void names_answer(const struct query *query, enum answer_kind kind, struct verdict *verdict);
