#include "spacedns/spaces_connections.h"

#include <string.h>

#include "base/suggest.h"
#include "base/text.h"
#include "spacedns/change.h"

enum { PEERING_STATUSES = PEERING_DELETED + 1, VPN_STATUSES = VPN_FAILED + 1, LIST_MOST = 160 };

/* What peerings and VPN connections differ in. */
struct connections {
    const char *kind;    /* in sentences */
    const char *command; /* that lists them */
    const char *const *statuses;
    size_t status_count;
    bool (*set)(struct edit *edit, const char *name, size_t status, struct err *err);
};

static int fail_status(struct session *session, const struct connections *connections,
                       const char *word)
{
    const char *suggestion =
        word == NULL ? NULL : suggest_among(word, connections->statuses, connections->status_count);
    char statuses[LIST_MOST];
    struct text list = text_over(statuses, sizeof statuses - 1);

    text_add_words(&list, connections->statuses, connections->status_count);
    *list.next = '\0';
    if (word == NULL)
        return session_fail(session, EXIT_USAGE, "Missing required flag status; write --status %s",
                            statuses);
    return session_fail(session, EXIT_USAGE, "%s is not a status of a %s; %s%s%swrite %s", word,
                        connections->kind, suggestion == NULL ? "" : "did you mean ",
                        suggestion == NULL ? "" : suggestion, suggestion == NULL ? "" : "? ",
                        statuses);
}

static int set(struct change *change, const struct connections *connections, size_t status)
{
    const char *name = invocation_operand(&change->session->invocation, 0);
    const char *space = change->selected.space->name.text;
    struct err err, extended;

    change_begin(change, NULL, "Setting %s %s of %s to %s", connections->kind, name, space,
                 connections->statuses[status]);
    if (connections->set(&change->edit, name, status, &err))
        return change_finish_at_line(change);
    err_set(&extended, err.code, "%.300s; spacedns %s --space %.64s lists them", err.text,
            connections->command, space);
    return change_fail(change, err.code == ERR_RULE ? extended.text : err.text);
}

static int run(struct session *session, const struct connections *connections)
{
    const char *word = session->invocation.options[OPTION_STATUS];
    struct change change;
    size_t status = 0;

    while (word != NULL && status < connections->status_count &&
           strcmp(word, connections->statuses[status]) != 0)
        status++;
    if (word == NULL || status == connections->status_count)
        return fail_status(session, connections, word);
    int code = change_open(&change, session, NULL);
    if (code == EXIT_DONE)
        code = set(&change, connections, status);
    change_close(&change);
    return code;
}

static bool set_peering(struct edit *edit, const char *name, size_t status, struct err *err)
{
    return edit_set_peering(edit, name, (enum peering_status)status, err);
}

int run_spaces_peerings_set(struct session *session)
{
    const char *statuses[PEERING_STATUSES];

    for (unsigned i = 0; i < PEERING_STATUSES; i++)
        statuses[i] = peering_status_text((enum peering_status)i);
    return run(session, &(struct connections){.kind = "peering",
                                              .command = "spaces:peerings",
                                              .statuses = statuses,
                                              .status_count = PEERING_STATUSES,
                                              .set = set_peering});
}

static bool set_vpn(struct edit *edit, const char *name, size_t status, struct err *err)
{
    return edit_set_vpn(edit, name, (enum vpn_status)status, err);
}

int run_spaces_vpn_set(struct session *session)
{
    const char *statuses[VPN_STATUSES];

    for (unsigned i = 0; i < VPN_STATUSES; i++)
        statuses[i] = vpn_status_text((enum vpn_status)i);
    return run(session, &(struct connections){.kind = "VPN connection",
                                              .command = "spaces:vpn:connections",
                                              .statuses = statuses,
                                              .status_count = VPN_STATUSES,
                                              .set = set_vpn});
}
