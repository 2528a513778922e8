#include "decide/names.h"

#include "wire/types.h"

static const uint16_t types[] = {
#define NAME(symbol, parent, label, type, printer, help) [ANSWER_##symbol] = TYPE_##type,
#include "decide/names.def"
};

/* True when the name is `text` below the root, such as id.server. */
static bool name_reads(const struct name *name, const char *text)
{
    struct name wanted;
    return name_from_text(text, &wanted) && name_equals(name, wanted.octets, wanted.length);
}

enum answer_kind names_find_chaos(const struct name *name)
{
#define NAME(symbol, stands_below, text, type, printer, help)                                      \
    if (PARENT_##stands_below == PARENT_CHAOS && name_reads(name, text))                           \
        return ANSWER_##symbol;
#include "decide/names.def"
    return ANSWER_NONE;
}

void names_answer(const struct query *query, enum answer_kind kind, struct verdict *verdict)
{
    if (query->type != types[kind] && query->type != TYPE_ANY) {
        verdict_negative(verdict, SITUATION_NO_DATA, RCODE_NOERROR, REASON_NONE);
        return;
    }
    verdict->is_authoritative = true;
    verdict->situation = SITUATION_INTROSPECTION;
    verdict->answer = kind;
}
