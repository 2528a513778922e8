/* Edits of static records. */
#include <string.h>

#include "space/editing.h"
#include "space/records.h"

static bool is_plain(const char *line)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._- ";
    size_t length = strlen(line);

    return length > 0 && strspn(line, safe) == length && line[0] != '-' && line[0] != ' ' &&
           line[length - 1] != ' ';
}

/* Returns the line in single quotes, in which only they need an escape; NULL without memory. */
static const char *quote(struct arena *arena, const char *line)
{
    char *text = arena_take(arena, 2 * strlen(line) + 3);
    char *next = text;

    if (text == NULL)
        return NULL;
    *next++ = '\'';
    for (; *line != '\0'; line++) {
        *next++ = *line;
        if (*line == '\'')
            *next++ = '\'';
    }
    *next++ = '\'';
    *next = '\0';
    return text;
}

bool edit_add_record(struct edit *edit, const char *line, struct err *err)
{
    static const char *const keys[] = {"records", NULL};
    struct edit_text change;

    for (const char *next = line; *next != '\0'; next++)
        if ((unsigned char)*next < ' ' || (unsigned char)*next >= 0x7F)
            return err_set(err, ERR_RULE, "a record is one line of ASCII text");
    if (!editing_begin(edit, &change, err))
        return false;
    const char *item = is_plain(line) ? line : quote(edit->arena, line);
    return edit_text_add(&change, change.root, keys, editing_on_a_line(item)) &&
           editing_finish(edit, &change);
}

static bool is_record(const struct edit *edit, const struct yaml_mark *item,
                      const struct record *record)
{
    struct record read;
    enum finding_code code;
    struct err err;

    return item->kind == YAML_SCALAR && record_read(edit->arena, item->text, &read, &code, &err) &&
           record_is_same(&read, record);
}

bool edit_remove_record(struct edit *edit, const struct record *record, struct err *err)
{
    struct edit_text change;

    if (!editing_begin(edit, &change, err))
        return false;
    const struct yaml_mark *list = editing_value(change.root, "records");
    const struct yaml_mark *item = list == NULL || list->kind != YAML_SEQUENCE ? NULL : list->first;
    while (item != NULL && !is_record(edit, item, record))
        item = item->next;
    if (item == NULL)
        return err_set(err, ERR_RULE, "there is no such record in the file");
    return edit_text_remove(&change, list, item) && editing_finish(edit, &change);
}
