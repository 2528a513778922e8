#include "spacedns/records.h"

#include <string.h>
#include <strings.h>

#include "space/records.h"
#include "spacedns/change.h"
#include "spacedns/spaces_grid.h"

enum { LINE_MOST = 4096 };

/* ---- list ---- */

static int fail_without_memory(struct session *session)
{
    return session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
}

static int print_json_records(struct session *session, const struct space_set *space_set,
                              const struct space *space)
{
    json_t *list = json_array();
    struct record_text text;

    for (size_t i = 0; i < space->record_count; i++)
        if (record_format(space_set->arena, &space->records[i], &text))
            json_array_append_new(list,
                                  json_pack("{s:s, s:I, s:s, s:s, s:s, s:I}", "name", text.owner,
                                            "ttl", (json_int_t)space->records[i].ttl_seconds,
                                            "class", "IN", "type", text.type, "data", text.data,
                                            "line", (json_int_t)space->records[i].at.line));
    return session_print_json(session, list);
}

static int print_records(struct session *session, struct space_set *space_set,
                         const struct space *space)
{
    static const char *const titles[] = {"Name", "TTL", "Type", "Data"};
    struct grid grid = grid_over(space_set->arena, titles, sizeof titles / sizeof titles[0]);
    struct record_text text;

    if (session->is_json)
        return print_json_records(session, space_set, space);
    fputs("=== ", session->out);
    if (space->record_count == 0) {
        session_print_space(session, session->out, space->name.text);
        fputs(" has no static records\n", session->out);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < space->record_count; i++) {
        if (!record_format(space_set->arena, &space->records[i], &text))
            return fail_without_memory(session);
        grid_add(&grid, text.owner);
        grid_add_number(&grid, space->records[i].ttl_seconds);
        grid_add(&grid, text.type);
        grid_add(&grid, text.data);
    }
    fprintf(session->out, "%s Static Records\n", space->name.text);
    return grid_print(&grid, session);
}

int run_records(struct session *session)
{
    return space_set_run(session, print_records);
}

/* ---- changes ---- */

/* Joins operands, which are words of a record whether the shell kept them together or not. */
static bool join(const struct session *session, size_t first, char *out)
{
    struct text text = text_over(out, LINE_MOST - 1);

    for (size_t i = first; i < session->invocation.operand_count; i++) {
        text_add_string(&text, i == first ? "" : " ");
        text_add_string(&text, session->invocation.operands[i]);
    }
    *text.next = '\0';
    return !text.cut;
}

static int fail_length(struct session *session)
{
    return session_fail(session, EXIT_USAGE,
                        "the record is longer than %d octets; write it into the zone file",
                        LINE_MOST - 1);
}

static int add(struct change *change, const char *line)
{
    struct err err;

    change_begin(change, NULL, "Adding record %s to %s", line, change->selected.space->name.text);
    if (!edit_add_record(&change->edit, line, &err))
        return change_fail(change, err.text);
    return change_finish_at_line(change);
}

int run_records_add(struct session *session)
{
    char line[LINE_MOST];
    struct change change;

    if (!join(session, 0, line))
        return fail_length(session);
    int code = change_open(&change, session, NULL);
    if (code == EXIT_DONE)
        code = add(&change, line);
    change_close(&change);
    return code;
}

/* What is removed: all records of the name and type, or the one with the data. */
struct wanted {
    const char *name;
    const char *type;
    char data[LINE_MOST]; /* "": any */
    struct record record; /* when there is data */
};

static bool is_same_name(const char *given, const char *owner)
{
    size_t length = strlen(given);

    length -= length > 0 && given[length - 1] == '.';
    return strlen(owner) == length + 1 && strncasecmp(given, owner, length) == 0;
}

static bool is_wanted(const struct change *change, const struct wanted *wanted,
                      const struct record *record)
{
    struct record_text text;

    if (wanted->data[0] != '\0')
        return record_is_same(record, &wanted->record);
    return record_format(change->space_set.arena, record, &text) &&
           is_same_name(wanted->name, text.owner) && strcasecmp(wanted->type, text.type) == 0;
}

static bool has_same_owner(const struct record *a, const struct record *b)
{
    return a->owner_length == b->owner_length && memcmp(a->owner, b->owner, a->owner_length) == 0;
}

/* The server must not keep the name back, once the last record of it is removed. */
static bool release_name(struct change *change, const struct wanted *wanted,
                         const struct record *removed)
{
    const struct space *space = change->selected.space;

    for (size_t i = 0; i < space->record_count; i++)
        if (has_same_owner(&space->records[i], removed) &&
            !is_wanted(change, wanted, &space->records[i]))
            return true;
    return removed_add_name(&change->removed, &change->space_set, wanted->name);
}

static int fail_absent(struct change *change, const struct wanted *wanted)
{
    struct err err;

    err_set(&err, ERR_RULE,
            "space %.64s has no such record of %.200s; spacedns records --space %.64s lists them",
            change->selected.space->name.text, wanted->name, change->selected.space->name.text);
    return change_fail(change, err.text);
}

static int remove_records(struct change *change, const struct wanted *wanted)
{
    const struct space *space = change->selected.space;
    const struct record *last = NULL;
    struct err err;

    change_begin(change, NULL, "Removing record %s %s%s%s from %s", wanted->name, wanted->type,
                 wanted->data[0] == '\0' ? "" : " ", wanted->data, space->name.text);
    for (size_t i = 0; i < space->record_count; i++) {
        if (!is_wanted(change, wanted, &space->records[i]))
            continue;
        last = &space->records[i];
        if (!edit_remove_record(&change->edit, last, &err))
            return change_fail(change, err.text);
    }
    if (last == NULL)
        return fail_absent(change, wanted);
    if (!release_name(change, wanted, last))
        return change_fail(change, "out of memory; free some, then try again");
    return change_finish_at_line(change);
}

/* Data is compared in wire form, so that it may be spelled in any way. */
static bool read_data(struct change *change, struct wanted *wanted, struct err *err)
{
    char line[2 * LINE_MOST];
    enum finding_code code;

    snprintf(line, sizeof line, "%.1023s IN %.63s %s", wanted->name, wanted->type, wanted->data);
    return wanted->data[0] == '\0' ||
           record_read(change->space_set.arena, line, &wanted->record, &code, err);
}

int run_records_remove(struct session *session)
{
    struct wanted wanted = {.name = invocation_operand(&session->invocation, 0),
                            .type = invocation_operand(&session->invocation, 1)};
    struct change change;
    struct err err;

    if (!join(session, 2, wanted.data))
        return fail_length(session);
    int code = change_open(&change, session, NULL);
    if (code == EXIT_DONE)
        code =
            read_data(&change, &wanted, &err)
                ? remove_records(&change, &wanted)
                : session_fail(session, EXIT_USAGE, "%s: %s; write it as DATA of spacedns records",
                               wanted.data, err.text);
    change_close(&change);
    return code;
}
