/* Process types, dynos and ports: the discovery names that they have must be valid. */
#include "space/checking.h"

#include <string.h>

#include "wire/name.h"

enum { TYPE_MAX = 128, NAME_TEXT_MAX = 253, PORT_NAME_MAX = LABEL_MAX_OCTETS - 1 };

static bool is_type(const char *text)
{
    size_t length = strlen(text);

    return length >= 1 && length <= TYPE_MAX &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
               length;
}

static void check_type(struct checking *checking, const struct app *app,
                       const struct formation *formation)
{
    const struct word *type = &formation->type;

    if (!is_type(type->text))
        FIND(checking, PROC_NAME, type->at,
             "process type `%.130s` must have 1 to 128 letters, digits, underscores and hyphens",
             type->text);
    else if (strspn(type->text, "0123456789") == strlen(type->text))
        FIND(checking, PROC_NUM, type->at,
             "process type `%.130s` has digits only, like a dyno number; add a letter", type->text);
    else if (app->dns_discovery && !formation_is_publishable(formation))
        FIND(checking, PROC_LONG, type->at,
             "process type `%.130s` is longer than a DNS label (63), so it is not published; "
             "shorten it",
             type->text);
}

static size_t count_digits(uint32_t number)
{
    size_t count = 1;

    while (number >= 10) {
        number /= 10;
        count++;
    }
    return count;
}

/* Returns the octets of TYPE.APP.app.localspace. */
static size_t formation_name_length(const struct checking *checking, const struct app *app,
                                    const struct formation *formation)
{
    return strlen(formation->type.text) + 1 + strlen(app->name.text) + strlen(".app.") +
           strlen(checking->suffixes->discovery);
}

/* Returns the octets of the longest prefix to that name: a dyno's number or _PORT._tcp. */
static size_t longest_prefix(const struct formation *formation)
{
    size_t longest = 0;

    for (size_t i = 0; i < formation->dyno_count; i++) {
        size_t length = count_digits(formation->dynos[i].number) + 1;
        longest = length > longest ? length : longest;
    }
    for (size_t i = 0; i < formation->port_count; i++) {
        size_t length = strlen(formation->ports[i].name.text) + strlen("_._tcp.");
        longest = length > longest ? length : longest;
    }
    return longest;
}

static void check_name_length(struct checking *checking, const struct app *app,
                              const struct formation *formation)
{
    size_t length = longest_prefix(formation) + formation_name_length(checking, app, formation);

    if (length > NAME_TEXT_MAX)
        FIND(checking, NAME_LONG, formation->type.at,
             "a discovery name of process type `%.64s` would have %zu octets, and DNS allows %d; "
             "shorten the type or the app's name",
             formation->type.text, length, NAME_TEXT_MAX);
}

void check_process_types(struct checking *checking)
{
    const struct space *space = checking->space;
    struct seen seen;

    seen_init(&seen, space->app_count);
    for (size_t i = 0; i < space->app_count; i++) {
        const struct app *app = &space->apps[i];
        for (size_t j = 0; j < app->formation_count; j++) {
            const struct formation *formation = &app->formations[j];
            const struct word *type = &formation->type;
            const struct seen_entry *before = seen_add_folded(&seen, i, type->text, type->at, NULL);
            check_type(checking, app, formation);
            if (app->dns_discovery && formation_is_publishable(formation))
                check_name_length(checking, app, formation);
            if (before != NULL)
                FIND(checking, PROC_CASE, type->at,
                     "process type `%.130s` differs from the one on line %u only by case, which "
                     "DNS cannot tell apart; rename one",
                     type->text, (unsigned)before->at.line);
        }
    }
    checking_close_seen(checking, &seen);
}

static void check_dyno_address(struct checking *checking, struct seen *seen,
                               const struct formation *formation, const struct dyno *dyno)
{
    const struct space *space = checking->space;
    bool is_running = dyno->state == DYNO_UP || dyno->state == DYNO_STARTING;
    char text[CIDR_TEXT_MAX];
    char right[256];

    ipv4_write(dyno->ip, text);
    if (space->dyno_cidrs.count > 0 && blocks_find(&space->dyno_cidrs, dyno->ip) == NULL) {
        blocks_list(&space->dyno_cidrs, right, sizeof right);
        FIND(checking, DYNO_IP, dyno->ip_at,
             "dyno %.64s.%u has private_ip %s outside dyno_cidrs; give it an address in %s",
             formation->type.text, (unsigned)dyno->number, text, right);
    }
    const struct seen_entry *before =
        is_running ? seen_add_number(seen, 0, dyno->ip, dyno->ip_at, NULL) : NULL;
    if (before != NULL)
        FIND(checking, DYNO_IP_DUP, dyno->ip_at,
             "private_ip %s already belongs to the running dyno on line %u; two running dynos "
             "cannot share an address, correct one",
             text, (unsigned)before->at.line);
}

/* `salt` is the formation's; addresses have salt 0. */
static void check_formation_dynos(struct checking *checking, struct seen *seen, uint64_t salt,
                                  const struct formation *formation)
{
    for (size_t i = 0; i < formation->dyno_count; i++) {
        const struct dyno *dyno = &formation->dynos[i];
        const struct seen_entry *before =
            dyno->number == 0 ? NULL
                              : seen_add_number(seen, salt, dyno->number, dyno->number_at, NULL);
        if (before != NULL)
            FIND(checking, DYNO_NUM, dyno->number_at,
                 "dyno number %u of process type %.130s is already given on line %u; number each "
                 "dyno once",
                 (unsigned)dyno->number, formation->type.text, (unsigned)before->at.line);
        if (dyno->ip != 0)
            check_dyno_address(checking, seen, formation, dyno);
    }
}

void check_dynos(struct checking *checking)
{
    const struct space *space = checking->space;
    uint64_t salt = 0;
    struct seen seen;

    seen_init(&seen, 2 * space->app_count);
    for (size_t i = 0; i < space->app_count; i++) {
        const struct app *app = &space->apps[i];
        for (size_t j = 0; j < app->formation_count; j++)
            check_formation_dynos(checking, &seen, ++salt, &app->formations[j]);
    }
    checking_close_seen(checking, &seen);
}

/* A port's name becomes the label _NAME of SRV records (RFC 2782). */
static void check_port(struct checking *checking, struct seen *seen, uint64_t salt,
                       const struct formation *formation, const struct port *port)
{
    const char *name = port->name.text;
    size_t length = strlen(name);
    const struct seen_entry *before = seen_add_folded(seen, salt, name, port->name.at, NULL);

    if (length > PORT_NAME_MAX)
        FIND(checking, NAME_LONG, port->name.at,
             "port name `%.64s...` has %zu octets, and the label _NAME of its SRV record allows "
             "%d; shorten it",
             name, length, PORT_NAME_MAX);
    else if (length == 0 || name[0] == '-' || name[length - 1] == '-' ||
             strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") !=
                 length)
        FIND(checking, PORT, port->name.at,
             "port name `%.64s` must have letters, digits and inner hyphens, as http", name);
    else if (before != NULL)
        FIND(checking, PORT, port->name.at,
             "port %.64s of process type %.130s is already given on line %u; DNS ignores case, "
             "rename or remove one",
             name, formation->type.text, (unsigned)before->at.line);
}

void check_ports(struct checking *checking)
{
    const struct space *space = checking->space;
    uint64_t salt = 0;
    struct seen seen;

    seen_init(&seen, 0);
    for (size_t i = 0; i < space->app_count; i++) {
        const struct app *app = &space->apps[i];
        for (size_t j = 0; j < app->formation_count; j++) {
            const struct formation *formation = &app->formations[j];
            salt++;
            for (size_t k = 0; k < formation->port_count; k++)
                check_port(checking, &seen, salt, formation, &formation->ports[k]);
        }
    }
    checking_close_seen(checking, &seen);
}
