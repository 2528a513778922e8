#include "decide/explain_step.h"

#include <string.h>

#include "base/escape.h"

struct text explain_begin_step(struct explanation *explanation)
{
    return text_over(explanation->steps[explanation->count].octets, EXPLAIN_STEP_OCTETS);
}

void explain_end_step(struct explanation *explanation, const struct text *text)
{
    explanation->steps[explanation->count].length = (uint8_t)text_length(text);
    if (explanation->count < EXPLAIN_STEPS_MAX - 1)
        explanation->count++;
}

void explain_add_location(const struct explanation *explanation, struct text *text,
                          const struct segment *segment, uint32_t line)
{
    if (!explanation->has_locations)
        return;
    text_add_string(text, " (");
    escape_add(text, segment->file, strlen(segment->file));
    text_add_string(text, ":");
    text_add_number(text, line);
    text_add_string(text, ")");
}
