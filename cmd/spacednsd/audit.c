#include "spacednsd/audit.h"

#include <stdio.h>
#include <string.h>

static const char separator[] = ",";
static const char cut[] = "...";

static bool has_item(const char *list, const char *item, size_t length)
{
    for (const char *at = list; (at = strstr(at, item)) != NULL; at += length) {
        bool is_begun = at == list || at[-1] == separator[0];
        if (is_begun && (at[length] == '\0' || at[length] == separator[0]))
            return true;
    }
    return false;
}

/* A list that has no room for an item ends in "...". */
static void add_item(char *list, size_t size, const char *item)
{
    size_t length = strlen(item), used = strlen(list);
    size_t room = size - used - sizeof cut;

    if (length == 0 || has_item(list, item, length) ||
        (used >= strlen(cut) && strcmp(list + used - strlen(cut), cut) == 0))
        return;
    if (used > 0 && room > strlen(separator)) {
        memcpy(list + used, separator, sizeof separator);
        used += strlen(separator);
        room -= strlen(separator);
    }
    snprintf(list + used, size - used, "%.*s%s", (int)room, item, length > room ? cut : "");
}

static void add_uid(struct audit *audit, uid_t uid)
{
    char number[24], name[PEER_NAME_MOST];

    snprintf(number, sizeof number, "%lu", (unsigned long)uid);
    add_item(audit->by, sizeof audit->by, number);
    if (peer_find_name(uid, name))
        add_item(audit->users, sizeof audit->users, name);
}

void audit_add_signal(struct audit *audit, const struct signal_sender *sender)
{
    if (sender->pid == 0) {
        add_item(audit->by, sizeof audit->by, "signal");
        return;
    }
    add_uid(audit, sender->uid);
    add_item(audit->commands, sizeof audit->commands, "SIGHUP");
}

/* "reload --force": operands are in lines of their own, or in the note. */
static void add_command(struct audit *audit, const struct invocation *invocation)
{
    char words[AUDIT_COMMAND_MOST];
    size_t length =
        (size_t)snprintf(words, sizeof words, "%s", commands_table[invocation->command].name);

    for (unsigned i = 0; i < OPTION_COUNT && length < sizeof words; i++)
        if (invocation->options[i] != NULL && !options_table[i].is_common &&
            options_table[i].value == NULL)
            length += (size_t)snprintf(words + length, sizeof words - length, " %s",
                                       options_table[i].name);
    add_item(audit->commands, sizeof audit->commands, words);
}

void audit_add_call(struct audit *audit, const struct call *call)
{
    const char *note = call->invocation.options[OPTION_NOTE];
    const char *sudo = call->invocation.options[OPTION_SUDO];

    add_uid(audit, call->peer.uid);
    if (call->peer.uid == 0 && sudo != NULL)
        add_item(audit->sudo, sizeof audit->sudo, sudo);
    add_command(audit, &call->invocation);
    if (note != NULL)
        add_item(audit->notes, sizeof audit->notes, note);
}

static void add_pair(struct log_line *line, const char *key, const char *value)
{
    if (value[0] != '\0')
        log_string(line, key, value);
}

void audit_log(const struct audit *audit, struct log_line *line)
{
    add_pair(line, "by", audit->by);
    add_pair(line, "user", audit->users);
    add_pair(line, "sudo", audit->sudo);
    add_pair(line, "command", audit->commands);
    add_pair(line, "note", audit->notes);
}
