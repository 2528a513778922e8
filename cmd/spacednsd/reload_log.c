#include "spacednsd/reload_log.h"

#include <stdlib.h>

#include "base/clock.h"

bool reload_log_init(struct reload_log *log)
{
    *log = (struct reload_log){.entries = calloc(RELOADS_LOGGED, sizeof *log->entries)};
    return log->entries != NULL;
}

void reload_log_close(struct reload_log *log)
{
    free(log->entries);
    log->entries = NULL;
}

void reload_log_add(struct reload_log *log, const struct reload_entry *entry)
{
    log->entries[log->added++ % RELOADS_LOGGED] = *entry;
}

static json_t *known(const char *text)
{
    return json_text(text[0] == '\0' ? NULL : text);
}

static json_t *entry_to_json(const struct reload_entry *entry)
{
    char at[CLOCK_TEXT_OCTETS];
    bool has_cause = entry->cause.code != ERR_NONE;

    clock_format(entry->at_s, at);
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "at", at, "result",
                     reload_end_text(entry->end), "generation", (json_int_t)entry->generation,
                     "duration_ms", (json_int_t)entry->ms, "files_changed",
                     (json_int_t)entry->files_changed, "by", known(entry->audit.by), "user",
                     known(entry->audit.users), "command", known(entry->audit.commands), "note",
                     known(entry->audit.notes), "cause",
                     json_text(has_cause ? entry->cause.text : NULL));
}

json_t *reload_log_json(const struct reload_log *log)
{
    size_t count = log->added < RELOADS_LOGGED ? log->added : RELOADS_LOGGED;
    json_t *list = json_array();

    for (size_t i = 1; i <= count; i++)
        json_array_append_new(list,
                              entry_to_json(&log->entries[(log->added - i) % RELOADS_LOGGED]));
    return json_pack("{s:o}", "reloads", list);
}
