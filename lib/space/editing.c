#include "space/editing.h"

#include <string.h>

#include "base/text.h"

/* ---- one edit ---- */

bool editing_begin(const struct edit *edit, struct edit_text *change, struct err *err)
{
    *change = (struct edit_text){
        .arena = edit->arena, .text = edit->text, .length = edit->length, .err = err};
    change->root = yaml_marks_read(edit->arena, edit->text, edit->length, err);
    return change->root != NULL;
}

/* Returns the most octets that write_meaning needs. */
static size_t meaning_size(const struct yaml_mark *node)
{
    size_t size = 3 + (node->text == NULL ? 0 : strlen(node->text));

    for (const struct yaml_mark *child = node->first; child != NULL; child = child->next)
        size += meaning_size(child); /* at most YAML_DEPTH_MAX deep */
    return size;
}

/* Writes a tree independently of its style: two texts mean the same if the results are equal. */
static void write_meaning(const struct yaml_mark *node, struct text *out)
{
    static const char *const opening[] = {"\x01", "\x02", "\x03"};

    text_add_string(out, yaml_marks_is_null(node) ? "\x04" : opening[node->kind]);
    if (node->text != NULL && !yaml_marks_is_null(node))
        text_add_string(out, node->text);
    for (const struct yaml_mark *child = node->first; child != NULL; child = child->next)
        write_meaning(child, out);
    text_add_string(out, "\x05");
}

static bool take_meaning(struct arena *arena, const struct yaml_mark *root, struct text *out)
{
    size_t size = meaning_size(root);
    char *buffer = arena_take(arena, size);

    *out = text_over(buffer, buffer == NULL ? 0 : size);
    if (buffer != NULL)
        write_meaning(root, out);
    return buffer != NULL;
}

/* Returns the octets of the shorter text outside the common beginning and end. */
static size_t count_changed(const struct text *a, const struct text *b)
{
    size_t a_length = text_length(a), b_length = text_length(b);
    size_t least = a_length < b_length ? a_length : b_length;
    size_t begin = 0, end = 0;

    while (begin < least && a->start[begin] == b->start[begin])
        begin++;
    while (begin + end < least && a->next[-1 - (long)end] == b->next[-1 - (long)end])
        end++;
    return least - begin - end;
}

bool editing_finish_value(struct edit *edit, struct edit_text *change, size_t replaced)
{
    struct text before, after;
    size_t length = 0;
    const char *text = edit_text_apply(change, &length);
    const struct yaml_mark *root =
        text == NULL ? NULL : yaml_marks_read(edit->arena, text, length, change->err);

    if (text != NULL && root == NULL)
        return err_set(change->err, ERR_SYNTAX,
                       "the file is written in a form that cannot be edited safely; edit it by "
                       "hand");
    if (root == NULL || !take_meaning(edit->arena, change->root, &before) ||
        !take_meaning(edit->arena, root, &after))
        return err_set(change->err, ERR_MEMORY, "out of memory");
    if (count_changed(&before, &after) > replaced)
        return err_set(change->err, ERR_SYNTAX,
                       "the edit would change more than requested; edit the file by hand");
    edit->text = text;
    edit->length = length;
    return true;
}

/* A new value may replace a null or a word, and nothing else. */
enum { CHANGED_MOST = sizeof "pending-acceptance" - 1 };

bool editing_finish(struct edit *edit, struct edit_text *change)
{
    return editing_finish_value(edit, change, CHANGED_MOST);
}

/* ---- finding ---- */

const struct yaml_mark *editing_value(const struct yaml_mark *mapping, const char *key)
{
    const struct yaml_mark *found = mapping == NULL ? NULL : yaml_marks_find(mapping, key);

    return found == NULL ? NULL : found->next;
}

bool editing_is_same_text(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* Finds the item of a list whose key has the text. */
const struct yaml_mark *editing_find(const struct yaml_mark *list, const char *key,
                                     const char *text, compare_texts *is_same)
{
    if (list == NULL || list->kind != YAML_SEQUENCE)
        return NULL;
    for (const struct yaml_mark *item = list->first; item != NULL; item = item->next) {
        const struct yaml_mark *value = editing_value(item, key);
        if (value != NULL && value->kind == YAML_SCALAR && is_same(value->text, text))
            return item;
    }
    return NULL;
}

/* ---- writing ---- */

static bool is_plain(const char *text)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    return strspn(text, safe) == strlen(text) && text[0] != '.' && text[0] != '-' &&
           text[0] != '\0' && strcmp(text, "null") != 0;
}

/* Returns the text as a scalar, quoted if needed; NULL with *err if it cannot be written. */
const char *editing_scalar(const struct edit_text *change, const char *text)
{
    bool is_writable = true;

    for (const char *next = text; *next != '\0'; next++)
        is_writable = is_writable && *next != '"' && *next != '\\' && (unsigned char)*next >= ' ' &&
                      *next != '\x7f';
    if (!is_writable) {
        err_set(change->err, ERR_RULE, "a name has quotes, backslashes or control characters");
        return NULL;
    }
    const char *out = is_plain(text) ? text : edit_text_print(change->arena, "\"%s\"", text);
    if (out == NULL)
        err_set(change->err, ERR_MEMORY, "out of memory");
    return out;
}

/* An item written on one line, whatever the style of the list. */
struct piece editing_on_a_line(const char *text)
{
    return (struct piece){.flow = text, .block = text};
}
