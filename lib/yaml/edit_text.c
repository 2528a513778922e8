#include "yaml/edit_text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { STEP = 2 }; /* of indentation */

const char *edit_text_print(struct arena *arena, const char *format, ...)
{
    va_list arguments, again;

    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = length < 0 ? NULL : arena_take(arena, (size_t)length + 1);
    if (text != NULL)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

static bool fail_without_memory(struct edit_text *edit)
{
    return err_set(edit->err, ERR_MEMORY, "out of memory");
}

static bool fail_form(struct edit_text *edit, size_t offset)
{
    size_t line = 1;

    for (size_t i = 0; i < offset && i < edit->length; i++)
        line += edit->text[i] == '\n';
    return err_set(edit->err, ERR_SYNTAX,
                   "line %zu is written in a form that cannot be edited safely; edit the file by "
                   "hand",
                   line);
}

static bool splice(struct edit_text *edit, size_t at, size_t removed, const char *text)
{
    if (text == NULL)
        return fail_without_memory(edit);
    assert(edit->splice_count < SPLICES_MOST);
    edit->splices[edit->splice_count++] =
        (struct text_change){.at = at, .removed = removed, .text = text};
    return true;
}

/* ---- lines ---- */

static size_t line_start(const struct edit_text *edit, size_t offset)
{
    while (offset > 0 && edit->text[offset - 1] != '\n')
        offset--;
    return offset;
}

/* The offset of the line's '\n', or of the text's end. */
static size_t line_end(const struct edit_text *edit, size_t offset)
{
    while (offset < edit->length && edit->text[offset] != '\n')
        offset++;
    return offset;
}

/* As line_end, just after the '\n'. */
static size_t next_line(const struct edit_text *edit, size_t offset)
{
    size_t end = line_end(edit, offset);

    return end < edit->length ? end + 1 : end;
}

static bool is_blank(char octet)
{
    return octet == ' ' || octet == '\t';
}

static size_t skip_blanks(const struct edit_text *edit, size_t offset)
{
    while (offset < edit->length && is_blank(edit->text[offset]))
        offset++;
    return offset;
}

static bool is_blank_before(const struct edit_text *edit, size_t offset)
{
    size_t start = line_start(edit, offset);

    return skip_blanks(edit, start) >= offset;
}

/* True when nothing but blanks and a comment follows on the line. */
static bool is_blank_after(const struct edit_text *edit, size_t offset)
{
    size_t next = skip_blanks(edit, offset);

    return next == edit->length || edit->text[next] == '\n' || edit->text[next] == '\r' ||
           (edit->text[next] == '#' && next > offset);
}

/* The number of characters before the offset on its line, without the byte order mark. */
static size_t column_of(const struct edit_text *edit, size_t offset)
{
    size_t column = 0;

    for (size_t i = line_start(edit, offset); i < offset; i++)
        column += ((unsigned char)edit->text[i] & 0xC0) != 0x80;
    bool has_mark = edit->length >= 3 && memcmp(edit->text, "\xEF\xBB\xBF", 3) == 0;
    return has_mark && line_start(edit, offset) == 0 ? column - 1 : column;
}

static const char *line_break(const struct edit_text *edit)
{
    size_t end = line_end(edit, 0);

    return end > 0 && end < edit->length && edit->text[end - 1] == '\r' ? "\r\n" : "\n";
}

/* ---- pieces ---- */

static size_t count_breaks(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

/* Prefixes the first line with `first` and every other line with `before`. */
static const char *indent(struct arena *arena, const char *lines, const char *first,
                          const char *before)
{
    if (lines == NULL || first == NULL || before == NULL)
        return NULL;
    size_t size = strlen(lines) + strlen(first) + count_breaks(lines) * strlen(before) + 1;
    char *text = arena_take(arena, size);
    if (text == NULL)
        return NULL;
    char *next = stpcpy(text, first);
    for (; *lines != '\0'; lines++) {
        *next++ = *lines;
        if (*lines == '\n')
            next = stpcpy(next, before);
    }
    return text;
}

static struct piece as_list(struct arena *arena, struct piece item)
{
    if (item.flow == NULL || item.block == NULL)
        return (struct piece){.flow = NULL};
    return (struct piece){.flow = edit_text_print(arena, "[%s]", item.flow),
                          .block = indent(arena, item.block, "- ", "  ")};
}

/* The value is written with its brackets or braces. */
static struct piece as_pair(struct arena *arena, const char *key, struct piece value)
{
    const char *lines = indent(arena, value.block, "  ", "  ");

    if (value.flow == NULL || lines == NULL)
        return (struct piece){.flow = NULL};
    return (struct piece){.flow = edit_text_print(arena, "%s: %s", key, value.flow),
                          .block = edit_text_print(arena, "%s:\n%s", key, lines)};
}

static struct piece as_mapping(struct arena *arena, struct piece pair)
{
    if (pair.flow == NULL)
        return pair;
    return (struct piece){.flow = edit_text_print(arena, "{%s}", pair.flow), .block = pair.block};
}

/* The value of the key before `keys`, when nothing of it exists. */
static struct piece value_under(struct arena *arena, const char *const *keys, struct piece item)
{
    struct piece piece = as_list(arena, item);
    size_t count = 0;

    while (keys[count] != NULL)
        count++;
    while (count > 0)
        piece = as_mapping(arena, as_pair(arena, keys[--count], piece));
    return piece;
}

/* ---- insertion ---- */

/* Inserts lines after the line of `after`. */
static bool put_lines(struct edit_text *edit, size_t after, size_t column, const char *lines)
{
    const char *end = line_break(edit);
    const char *margin = edit_text_print(edit->arena, "%*s", (int)column, "");
    const char *before = margin == NULL ? NULL : edit_text_print(edit->arena, "%s%s", end, margin);
    size_t at = next_line(edit, after);
    bool is_unended = at == edit->length && (at == 0 || edit->text[at - 1] != '\n');

    if (lines == NULL || before == NULL)
        return fail_without_memory(edit);
    const char *start = is_unended ? before : margin;
    /* Each '\n' is replaced by the file's line end and the margin. */
    size_t size = strlen(start) + strlen(lines) + (count_breaks(lines) + 1) * strlen(before) + 3;
    char *text = arena_take(edit->arena, size);
    if (text == NULL)
        return fail_without_memory(edit);
    char *next = stpcpy(text, start);
    for (; *lines != '\0'; lines++)
        if (*lines == '\n')
            next = stpcpy(next, before);
        else
            *next++ = *lines;
    stpcpy(next, is_unended ? "" : end);
    return splice(edit, at, 0, text);
}

static bool is_braced(const struct edit_text *edit, const struct yaml_mark *node)
{
    char octet = edit->text[node->start];

    return octet == '[' || octet == '{';
}

/* Appends a piece to a collection, in block or flow form. */
static bool append(struct edit_text *edit, const struct yaml_mark *collection, struct piece piece)
{
    if (!collection->is_flow)
        return put_lines(edit, collection->end, column_of(edit, collection->start), piece.block);
    if (!is_braced(edit, collection))
        return fail_form(edit, collection->start);
    if (piece.flow == NULL)
        return fail_without_memory(edit);
    if (collection->last == NULL)
        return splice(edit, collection->start + 1, 0, piece.flow);
    return splice(edit, collection->last->end, 0, edit_text_print(edit->arena, ", %s", piece.flow));
}

static bool replace_in_line(struct edit_text *edit, const struct yaml_mark *value, const char *text)
{
    bool needs_blank =
        value->start == value->end && value->start > 0 && !is_blank(edit->text[value->start - 1]);

    if (text == NULL)
        return fail_without_memory(edit);
    return splice(edit, value->start, value->end - value->start,
                  edit_text_print(edit->arena, "%s%s", needs_blank ? " " : "", text));
}

/* Sets the value of a key whose value is null or an empty collection. */
static bool give_value(struct edit_text *edit, const struct yaml_mark *mapping,
                       const struct yaml_mark *key, struct piece value)
{
    const struct yaml_mark *old = key->next;

    if (mapping->is_flow)
        return replace_in_line(edit, old, value.flow);
    size_t from = old->start, to = old->end;
    if (to > from && skip_blanks(edit, to) < edit->length) {
        char next = edit->text[skip_blanks(edit, to)];
        while (from > key->end && (next == '\n' || next == '\r') && is_blank(edit->text[from - 1]))
            from--;
    }
    if (to > from && !splice(edit, from, to - from, ""))
        return false;
    return put_lines(edit, to > key->end ? to : key->end, column_of(edit, mapping->start) + STEP,
                     value.block);
}

bool edit_text_add(struct edit_text *edit, const struct yaml_mark *mapping, const char *const *keys,
                   struct piece item)
{
    for (;; keys++) {
        const struct yaml_mark *key = yaml_marks_find(mapping, keys[0]);
        const struct yaml_mark *value = key == NULL ? NULL : key->next;
        bool is_list = keys[1] == NULL;
        if (key == NULL)
            return append(edit, mapping,
                          as_pair(edit->arena, keys[0], value_under(edit->arena, keys + 1, item)));
        if (yaml_marks_is_null(value) || (value->kind != YAML_SCALAR && value->first == NULL))
            return give_value(edit, mapping, key, value_under(edit->arena, keys + 1, item));
        if (value->kind != (is_list ? YAML_SEQUENCE : YAML_MAPPING))
            return fail_form(edit, value->start);
        if (is_list)
            return append(
                edit, value,
                (struct piece){.flow = item.flow, .block = as_list(edit->arena, item).block});
        mapping = value;
    }
}

bool edit_text_set(struct edit_text *edit, const struct yaml_mark *mapping, const char *key,
                   const char *value)
{
    const struct yaml_mark *found = yaml_marks_find(mapping, key);

    if (found != NULL && found->next->kind != YAML_SCALAR)
        return fail_form(edit, found->start);
    if (found != NULL)
        return replace_in_line(edit, found->next, value);
    const char *pair = edit_text_print(edit->arena, "%s: %s", key, value);
    return append(edit, mapping, (struct piece){.flow = pair, .block = pair});
}

bool edit_text_replace(struct edit_text *edit, const struct yaml_mark *item, const char *value)
{
    assert(item->kind == YAML_SCALAR);
    return replace_in_line(edit, item, value);
}

/* ---- removal ---- */

/* The hyphen of a block sequence's item. */
static bool find_hyphen(const struct edit_text *edit, const struct yaml_mark *list,
                        const struct yaml_mark *item, size_t *hyphen)
{
    size_t column = list->start - line_start(edit, list->start);
    size_t start = line_start(edit, item->start);

    if (item == list->first) {
        *hyphen = list->start;
        return true;
    }
    while (start > item->before->end) {
        if (skip_blanks(edit, start) == start + column && edit->text[start + column] == '-') {
            *hyphen = start + column;
            return true;
        }
        start = line_start(edit, start - 1);
    }
    return false;
}

static bool remove_lines(struct edit_text *edit, const struct yaml_mark *list,
                         const struct yaml_mark *item)
{
    size_t hyphen = 0;

    if (!find_hyphen(edit, list, item, &hyphen) || !is_blank_before(edit, hyphen) ||
        !is_blank_after(edit, item->end))
        return fail_form(edit, item->start);
    size_t from = line_start(edit, hyphen);
    return splice(edit, from, next_line(edit, item->end) - from, "");
}

/* Skips blanks, line ends and comments. */
static size_t skip_to_mark(const struct edit_text *edit, size_t offset)
{
    while (offset < edit->length) {
        char octet = edit->text[offset];
        if (octet == '#')
            offset = line_end(edit, offset);
        else if (is_blank(octet) || octet == '\n' || octet == '\r')
            offset++;
        else
            return offset;
    }
    return offset;
}

/* Widens to whole lines, comment included, when nothing else is on them. */
static void widen(const struct edit_text *edit, size_t *from, size_t *to)
{
    bool is_alone = is_blank_before(edit, *from) && is_blank_after(edit, *to);

    if (is_alone) {
        *from = line_start(edit, *from);
        *to = next_line(edit, *to);
    } else {
        *to = skip_blanks(edit, *to);
    }
}

/* An item with the comma after it; the last one with the comma before it. */
static bool remove_in_line(struct edit_text *edit, const struct yaml_mark *list,
                           const struct yaml_mark *item)
{
    size_t from = item->start;
    size_t to = skip_to_mark(edit, item->end);
    bool has_comma = to < edit->length && edit->text[to] == ',';

    if (!is_braced(edit, list))
        return fail_form(edit, list->start);
    to = has_comma ? to + 1 : item->end;
    if (has_comma || item->before == NULL) {
        widen(edit, &from, &to);
        return splice(edit, from, to - from, "");
    }
    size_t comma = skip_to_mark(edit, item->before->end);
    if (comma >= from || edit->text[comma] != ',')
        return fail_form(edit, item->start);
    if (skip_blanks(edit, comma + 1) == from)
        return splice(edit, comma, to - comma, "");
    widen(edit, &from, &to);
    return splice(edit, comma, 1, "") && splice(edit, from, to - from, "");
}

bool edit_text_remove(struct edit_text *edit, const struct yaml_mark *list,
                      const struct yaml_mark *item)
{
    return list->is_flow ? remove_in_line(edit, list, item) : remove_lines(edit, list, item);
}

/* ---- the new text ---- */

const char *edit_text_apply(struct edit_text *edit, size_t *length)
{
    size_t size = edit->length + 1, from = 0;

    for (size_t i = 0; i < edit->splice_count; i++)
        size += strlen(edit->splices[i].text);
    char *text = arena_take(edit->arena, size);
    if (text == NULL) {
        fail_without_memory(edit);
        return NULL;
    }
    char *next = text;
    for (size_t i = 0; i < edit->splice_count; i++) {
        const struct text_change *splice = &edit->splices[i];
        assert(splice->at >= from);
        next = mempcpy(next, edit->text + from, splice->at - from);
        next = stpcpy(next, splice->text);
        from = splice->at + splice->removed;
    }
    next = mempcpy(next, edit->text + from, edit->length - from);
    *length = (size_t)(next - text);
    return text;
}
