#include "spacedns/spaces_connections.h"

#include <string.h>

#include "base/suggest.h"
#include "base/text.h"
#include "spacedns/change.h"

enum {
    PEERING_STATUSES = PEERING_DELETED + 1,
    VPN_STATUSES = VPN_FAILED + 1,
    STATUSES_MOST = PEERING_STATUSES,
    LIST_MOST = 160,
    BLOCKS_MOST = 4096,
};

/* What peerings and VPN connections differ in. */
struct connections {
    const char *kind;    /* in sentences */
    const char *command; /* that lists them */
    const char *setter;  /* that sets a status */
    const char *text[STATUSES_MOST];
    size_t status_count;
    size_t pending; /* the status of a new one */
    size_t active;
    bool (*add)(struct edit *edit, const struct new_connection *new, struct err *err);
    bool (*remove)(struct edit *edit, const char *name, struct err *err);
    bool (*set)(struct edit *edit, const char *name, size_t status, struct err *err);
};

static bool set_peering(struct edit *edit, const char *name, size_t status, struct err *err)
{
    return edit_set_peering(edit, name, (enum peering_status)status, err);
}

static struct connections peerings(void)
{
    struct connections connections = {
        .kind = "peering",
        .command = "spaces:peerings",
        .setter = "spaces:peerings:set",
        .status_count = PEERING_STATUSES,
        .pending = PEERING_PENDING_ACCEPTANCE,
        .active = PEERING_ACTIVE,
        .add = edit_add_peering,
        .remove = edit_remove_peering,
        .set = set_peering,
    };

    for (unsigned i = 0; i < PEERING_STATUSES; i++)
        connections.text[i] = peering_status_text((enum peering_status)i);
    return connections;
}

static bool set_vpn(struct edit *edit, const char *name, size_t status, struct err *err)
{
    return edit_set_vpn(edit, name, (enum vpn_status)status, err);
}

static struct connections vpns(void)
{
    struct connections connections = {
        .kind = "VPN connection",
        .command = "spaces:vpn:connections",
        .setter = "spaces:vpn:set",
        .status_count = VPN_STATUSES,
        .pending = VPN_PENDING,
        .active = VPN_ACTIVE,
        .add = edit_add_vpn,
        .remove = edit_remove_vpn,
        .set = set_vpn,
    };

    for (unsigned i = 0; i < VPN_STATUSES; i++)
        connections.text[i] = vpn_status_text((enum vpn_status)i);
    return connections;
}

/* ---- the command line ---- */

/* What it says about a connection. */
struct wanted {
    const char *name;
    size_t status;
    struct new_connection new; /* of an addition */
};

static int fail_status(struct session *session, const struct connections *connections,
                       const char *word)
{
    const char *suggestion =
        word == NULL ? NULL : suggest_among(word, connections->text, connections->status_count);
    char statuses[LIST_MOST];
    struct text list = text_over(statuses, sizeof statuses - 1);

    text_add_words(&list, connections->text, connections->status_count);
    *list.next = '\0';
    if (word == NULL)
        return session_fail(session, EXIT_USAGE, "Missing required flag status; write --status %s",
                            statuses);
    return session_fail(session, EXIT_USAGE, "%s is not a status of a %s; %s%s%swrite %s", word,
                        connections->kind, suggestion == NULL ? "" : "did you mean ",
                        suggestion == NULL ? "" : suggestion, suggestion == NULL ? "" : "? ",
                        statuses);
}

/* Returns EXIT_DONE, or another exit code with the error printed. */
static int read_status(struct session *session, const struct connections *connections,
                       size_t *status)
{
    const char *word = session->invocation.options[OPTION_STATUS];

    for (size_t i = 0; word != NULL && i < connections->status_count; i++)
        if (strcmp(word, connections->text[i]) == 0) {
            *status = i;
            return EXIT_DONE;
        }
    return fail_status(session, connections, word);
}

/* Reads "10.20.0.0/16,10.21.0.0/16" into the form of zone files. */
static int read_blocks(struct session *session, const struct connections *connections,
                       struct text *blocks)
{
    const char *given = session->invocation.options[OPTION_CIDR];
    char word[CIDR_TEXT_MAX], written[CIDR_TEXT_MAX];
    struct cidr cidr;

    if (given == NULL)
        return session_fail(session, EXIT_USAGE,
                            "Missing required flag cidr; a %s lets in the clients of its blocks: "
                            "write --cidr 10.20.0.0/16, several with commas between",
                            connections->kind);
    for (const char *next = given; next != NULL;) {
        size_t length = strcspn(next, ",");
        snprintf(word, sizeof word, "%.*s", (int)(length < sizeof word ? length : 0), next);
        if (!cidr_read(word, &cidr))
            return session_fail(session, EXIT_USAGE,
                                "--cidr: %.*s is not a block; write one as 10.20.0.0/16, several "
                                "with commas between",
                                (int)length, next);
        cidr_write(cidr, written);
        text_add_string(blocks, next == given ? "" : ", ");
        text_add_string(blocks, written);
        next = next[length] == '\0' ? NULL : next + length + 1;
    }
    return blocks->cut ? session_fail(session, EXIT_USAGE,
                                      "--cidr lists too many blocks; write them into the zone file")
                       : EXIT_DONE;
}

static int read_public_ip(struct session *session, uint32_t *ip)
{
    const char *given = session->invocation.options[OPTION_PUBLIC_IP];

    if (given == NULL || (ipv4_read(given, ip) && *ip != 0))
        return EXIT_DONE;
    return session_fail(session, EXIT_USAGE,
                        "--public-ip: %s is not an IPv4 address; write one as 35.161.69.30", given);
}

/* ---- changes ---- */

typedef int change_connection(struct change *change, const struct connections *connections,
                              const struct wanted *wanted);

static int run(struct session *session, const struct connections *connections,
               struct wanted *wanted, change_connection *apply)
{
    struct change change;

    wanted->name = invocation_operand(&session->invocation, 0);
    int code = change_open(&change, session, NULL);
    if (code == EXIT_DONE)
        code = apply(&change, connections, wanted);
    change_close(&change);
    return code;
}

/* The edit has succeeded, or `err` is why it has not. */
static int end(struct change *change, const struct connections *connections, bool is_edited,
               const struct err *err)
{
    struct err extended;

    if (is_edited)
        return change_finish_at_line(change);
    err_set(&extended, err->code, "%.300s; spacedns %s --space %.64s lists them", err->text,
            connections->command, change->selected.space->name.text);
    return change_fail(change, err->code == ERR_RULE ? extended.text : err->text);
}

static int set(struct change *change, const struct connections *connections,
               const struct wanted *wanted)
{
    struct err err;

    change_begin(change, NULL, "Setting %s %s of %s to %s", connections->kind, wanted->name,
                 change->selected.space->name.text, connections->text[wanted->status]);
    bool is_edited = connections->set(&change->edit, wanted->name, wanted->status, &err);
    return end(change, connections, is_edited, &err);
}

static int run_set(struct session *session, const struct connections *connections)
{
    struct wanted wanted = {.status = 0};
    int code = read_status(session, connections, &wanted.status);

    return code == EXIT_DONE ? run(session, connections, &wanted, set) : code;
}

static int remove_connection(struct change *change, const struct connections *connections,
                             const struct wanted *wanted)
{
    struct err err;

    change_begin(change, NULL, "Removing %s %s from %s", connections->kind, wanted->name,
                 change->selected.space->name.text);
    bool is_edited = connections->remove(&change->edit, wanted->name, &err);
    return end(change, connections, is_edited, &err);
}

static int run_remove(struct session *session, const struct connections *connections)
{
    struct wanted wanted = {.status = 0};

    return run(session, connections, &wanted, remove_connection);
}

static int add(struct change *change, const struct connections *connections,
               const struct wanted *wanted)
{
    const char *space = change->selected.space->name.text;
    struct new_connection new = wanted->new;
    struct err err;

    new.name = wanted->name;
    change_begin(change, NULL, "Adding %s %s to %s, %s", connections->kind, new.name, space,
                 new.status);
    bool is_edited = connections->add(&change->edit, &new, &err);
    int code = end(change, connections, is_edited, &err);
    if (code == EXIT_DONE && wanted->status != connections->active)
        change_advise(change->session,
                      "It lets nobody in until spacedns %s %s --status active --space %s",
                      connections->setter, new.name, space);
    return code;
}

static int run_add(struct session *session, const struct connections *connections)
{
    char octets[BLOCKS_MOST] = "";
    struct text blocks = text_over(octets, sizeof octets - 1);
    struct wanted wanted = {.status = connections->pending, .new = {.blocks = octets}};
    bool has_status = invocation_has(&session->invocation, OPTION_STATUS);
    int code = has_status ? read_status(session, connections, &wanted.status) : EXIT_DONE;

    if (code == EXIT_DONE)
        code = read_blocks(session, connections, &blocks);
    if (code == EXIT_DONE)
        code = read_public_ip(session, &wanted.new.public_ip);
    wanted.new.status = connections->text[wanted.status];
    return code == EXIT_DONE ? run(session, connections, &wanted, add) : code;
}

/* ---- the commands ---- */

int run_spaces_peerings_add(struct session *session)
{
    const struct connections all = peerings();

    return run_add(session, &all);
}

int run_spaces_peerings_remove(struct session *session)
{
    const struct connections all = peerings();

    return run_remove(session, &all);
}

int run_spaces_peerings_set(struct session *session)
{
    const struct connections all = peerings();

    return run_set(session, &all);
}

int run_spaces_vpn_add(struct session *session)
{
    const struct connections all = vpns();

    return run_add(session, &all);
}

int run_spaces_vpn_remove(struct session *session)
{
    const struct connections all = vpns();

    return run_remove(session, &all);
}

int run_spaces_vpn_set(struct session *session)
{
    const struct connections all = vpns();

    return run_set(session, &all);
}
