/* Static records must not use names of the platform or of apps. */
#include "space/checking.h"

#include <stdio.h>
#include <string.h>

#include "wire/domain.h"
#include "wire/name.h"

enum { OWNER_TEXT_MAX = 4 * NAME_MAX_OCTETS + 1, REVERSE_MAX = 32, TTL_DAY_SECONDS = 86400 };

static void write_owner(const struct record *record, char *out)
{
    struct text text = text_over(out, OWNER_TEXT_MAX - 1);

    name_add(&text, record->owner);
    *text.next = '\0';
}

/* True in the reverse zone of the space's /16, which is answered from its dynos and routers. */
static bool is_own_reverse_name(const struct space *space, const char *owner)
{
    uint32_t first = cidr_first(space->cidr.cidr);
    char suffix[REVERSE_MAX];

    snprintf(suffix, sizeof suffix, "%u.%u.in-addr.arpa", first >> 16 & 255, first >> 24);
    return space->cidr.cidr.bits == 16 && domain_is_within(owner, suffix);
}

/* Returns the platform suffix above the owner, or NULL. */
static const char *find_platform_owner(const struct checking *checking, const char *owner)
{
    const struct suffixes *suffixes = checking->suffixes;
    const char *const own[] = {suffixes->apps, suffixes->discovery, suffixes->targets[0],
                               suffixes->targets[1]};

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (domain_is_within(owner, own[i]))
            return own[i];
    return NULL;
}

static void check_owner(struct checking *checking, const struct record *record, const char *owner)
{
    const char *suffix = find_platform_owner(checking, owner);
    const struct seen_entry *app = seen_find(&checking->names, 0, owner);

    if (suffix != NULL)
        FIND(checking, REC_NAME, record->at,
             "record owner %.200s lies below %s, which is answered from the apps; use a name of "
             "yours",
             owner, suffix);
    else if (app != NULL)
        FIND(checking, REC_NAME, record->at,
             "record owner %.200s is a name of app %.40s (line %u); remove the record or the "
             "domain",
             owner, ((const struct app *)app->owner)->name.text, (unsigned)app->at.line);
    else if (owner[0] == '*')
        FIND(checking, REC_NAME, record->at,
             "record owner %.200s is a wildcard, which static records cannot be; write each name",
             owner);
    else if (is_own_reverse_name(checking->space, owner))
        FIND(checking, REC_NAME, record->at,
             "record owner %.200s is a reverse name of the space, which is answered from its dynos "
             "and routers; remove the record",
             owner);
    else if (strchr(owner, '.') == NULL && strcmp(owner, "localhost") != 0)
        FIND(checking, REC_SINGLE, record->at,
             "record owner %.200s is a single label, which no space owns; write the whole name, "
             "such as %.60s.internal.example.com",
             owner, owner);
    else
        check_special_name(checking, owner, record->at);
}

static void check_ttl(struct checking *checking, const struct record *record, const char *owner)
{
    if (record->ttl_seconds > TTL_DAY_SECONDS)
        FIND(checking, REC_TTL_LONG, record->at,
             "record of %.200s has TTL %u, more than a day: clients keep it that long after a "
             "change; lower it",
             owner, (unsigned)record->ttl_seconds);
}

void check_records(struct checking *checking)
{
    const struct space *space = checking->space;
    char owner[OWNER_TEXT_MAX];

    for (size_t i = 0; i < space->record_count; i++) {
        const struct record *record = &space->records[i];
        write_owner(record, owner);
        check_owner(checking, record, owner);
        check_ttl(checking, record, owner);
    }
}
