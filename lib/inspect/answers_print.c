#include "inspect/answers_print.h"

#include "base/text.h"
#include "decide/answers.h"
#include "inspect/print.h"
#include "wire/types.h"

enum { CELL_SIZE = 256, HEAD_COLUMNS = 17 };

static const char *const aa_texts[] = {
    [AA_NO] = "",
    [AA_YES] = "aa",
    [AA_OF_FIRST] = "(aa)",
};

static void add_rcode(struct text *text, const struct answer_row *row)
{
    if (row->rcode == RCODE_OF_UPSTREAM)
        text_add_string(text, "upstream's");
    else if (row->rcode == RCODE_OF_LAST)
        text_add_string(text, "last name's");
    else
        rcode_add(text, row->rcode);
}

static bool has_reason(const struct answer_row *row, unsigned reason)
{
    return (row->reasons >> reason & 1) != 0;
}

/* "0 Q10, 0 Q14": with their EDE codes. Empty if there are none. */
static void add_reasons(struct text *text, const struct answer_row *row)
{
    const char *comma = "";

    if (row->ede == PART_NOTHING)
        return;
    if (row->reasons == (uint32_t)REASONS_ALL) {
        text_add_string(text, answer_part_text(PART_LAST));
        return;
    }
    for (unsigned i = REASON_NONE + 1; i < REASON_COUNT; i++) {
        const struct reason_entry *reason = reason_entry((enum reason)i);
        if (!has_reason(row, i))
            continue;
        text_add_string(text, comma);
        text_add_number(text, reason->ede);
        text_add_string(text, " ");
        text_add_string(text, reason->code);
        comma = ", ";
    }
    if (row->ede == PART_REASON_OR_UPSTREAM) {
        text_add_string(text, comma[0] == '\0' ? "" : ", ");
        text_add_string(text, answer_part_text(PART_UPSTREAM));
    } else if (comma[0] != '\0' && has_reason(row, REASON_NONE)) {
        text_add_string(text, ", or none");
    }
}

static void print_part(FILE *out, const char *title, const char *text)
{
    fprintf(out, "%*s%s: %s\n", HEAD_COLUMNS, "", title, text);
}

static void print_paragraph(FILE *out, const struct answer_row *row)
{
    char head[CELL_SIZE] = "", reasons[CELL_SIZE] = "";
    struct text head_text = text_over(head, sizeof head - 1);
    struct text reasons_text = text_over(reasons, sizeof reasons - 1);

    add_rcode(&head_text, row);
    text_add_string(&head_text, " ");
    text_add_string(&head_text, aa_texts[row->aa]);
    add_reasons(&reasons_text, row);
    fprintf(out, "%-*s%s\n", HEAD_COLUMNS, head, row->when);
    if (row->answer != PART_NOTHING)
        print_part(out, "answer", answer_part_text(row->answer));
    if (row->authority != PART_NOTHING)
        print_part(out, "authority", answer_part_text(row->authority));
    if (reasons[0] != '\0')
        print_part(out, "EDE", reasons);
}

void answers_print_text(FILE *out)
{
    for (unsigned i = 0; i < SITUATION_COUNT; i++)
        print_paragraph(out, answer_row((enum situation)i));
    fputs("\n(aa): as the first name of the chain has it. EDE: the extended error of a reply with "
          "EDNS;\n`spacedns explain NAME --from ADDR` prints why a client gets what it gets.\n",
          out);
}

static json_t *part_json(enum answer_part part)
{
    return part == PART_NOTHING ? json_null() : json_string(answer_part_text(part));
}

/* The reasons that the reply can have; null for those of the last name of a chain. */
static json_t *reasons_json(const struct answer_row *row)
{
    if (row->reasons == (uint32_t)REASONS_ALL)
        return json_null();
    json_t *list = json_array();
    for (unsigned i = REASON_NONE + 1; i < REASON_COUNT && row->ede != PART_NOTHING; i++) {
        const struct reason_entry *reason = reason_entry((enum reason)i);
        if (has_reason(row, i))
            json_array_append_new(
                list, json_pack("{s:s, s:i}", "code", reason->code, "ede", (int)reason->ede));
    }
    return list;
}

static json_t *row_json(const struct answer_row *row)
{
    char rcode[CELL_SIZE] = "";
    struct text text = text_over(rcode, sizeof rcode - 1);

    add_rcode(&text, row);
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "case", row->symbol, "when", row->when,
                     "rcode", rcode, "aa",
                     row->aa == AA_OF_FIRST ? json_null() : json_boolean(row->aa == AA_YES),
                     "answer", part_json(row->answer), "authority", part_json(row->authority),
                     "reasons", reasons_json(row));
}

void answers_print_json(FILE *out)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < SITUATION_COUNT; i++)
        json_array_append_new(list, row_json(answer_row((enum situation)i)));
    print_json(list, out);
}

static const char *or_dash(const char *text)
{
    return text[0] == '\0' ? "–" : text;
}

static const char *part_or_dash(enum answer_part part)
{
    return part == PART_NOTHING ? "–" : answer_part_text(part);
}

void answers_print_markdown(FILE *out)
{
    fputs("| case | rcode | aa | answer | authority | EDE |\n"
          "| --- | --- | --- | --- | --- | --- |\n",
          out);
    for (unsigned i = 0; i < SITUATION_COUNT; i++) {
        const struct answer_row *row = answer_row((enum situation)i);
        char rcode[CELL_SIZE] = "", reasons[CELL_SIZE] = "";
        struct text rcode_text = text_over(rcode, sizeof rcode - 1);
        struct text reasons_text = text_over(reasons, sizeof reasons - 1);
        add_rcode(&rcode_text, row);
        add_reasons(&reasons_text, row);
        fprintf(out, "| %s | %s | %s | %s | %s | %s |\n", row->when, rcode,
                or_dash(aa_texts[row->aa]), part_or_dash(row->answer), part_or_dash(row->authority),
                or_dash(reasons));
    }
}
