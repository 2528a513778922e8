#include "inspect/stats_visit.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "decide/reason.h"
#include "wire/types.h"

_Static_assert((int)REASON_COUNT <= STATS_REASONS, "every reason has a counter");

enum { KEY_OCTETS = 32 };

static void visit_rcodes(const struct totals *totals, stats_on_value *on_value, void *context)
{
    for (unsigned i = 0; i < STATS_RCODES; i++) {
        char key[KEY_OCTETS] = "rcode_";
        struct text text = text_over(key + strlen(key), sizeof key - strlen(key) - 1);
        rcode_add(&text, (uint16_t)i);
        if (totals->rcodes[i] > 0)
            on_value(context, &(struct stats_value){key, "replies with this response code",
                                                    totals->rcodes[i]});
    }
}

/* The sum of a code's reasons, of which `first` is the first; 0 for another one. */
static uint64_t sum_code(const struct totals *totals, unsigned first)
{
    const char *code = reason_entry((enum reason)first)->code;
    uint64_t sum = 0;

    for (unsigned i = REASON_NONE + 1; i < REASON_COUNT; i++) {
        if (strcmp(reason_entry((enum reason)i)->code, code) != 0)
            continue;
        if (i < first)
            return 0;
        sum += totals->reasons[i];
    }
    return sum;
}

static void visit_reasons(const struct totals *totals, stats_on_value *on_value, void *context)
{
    for (unsigned i = REASON_NONE + 1; i < REASON_COUNT; i++) {
        const struct reason_entry *entry = reason_entry((enum reason)i);
        uint64_t sum = sum_code(totals, i);
        char key[KEY_OCTETS];
        snprintf(key, sizeof key, "reason_%s", entry->code);
        if (sum > 0)
            on_value(context, &(struct stats_value){key, entry->description, sum});
    }
}

void stats_visit(const struct totals *totals, stats_on_value *on_value, void *context)
{
    for (unsigned i = 0; i < COUNTER_COUNT; i++)
        on_value(context,
                 &(struct stats_value){counter_name((enum counter)i), counter_help((enum counter)i),
                                       totals->counters[i]});
    visit_rcodes(totals, on_value, context);
    visit_reasons(totals, on_value, context);
}
