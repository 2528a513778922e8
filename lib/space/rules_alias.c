/* The targets of CNAMEs among static records. */
#include <stdlib.h>
#include <string.h>

#include "space/checking.h"
#include "wire/domain.h"
#include "wire/name.h"

enum { CNAME_TYPE = 5, NAME_TEXT_MAX = 4 * NAME_MAX_OCTETS + 1, LABELS_OF_A_DOMAIN = 2 };

/* By record number: the walk that visited the record; 0: none. */
struct walks {
    struct checking *checking;
    struct seen cnames; /* owner text → record */
    struct seen owners; /* all owners, and the names above them */
    uint32_t *met;
};

static void write_name(const uint8_t *octets, char *out)
{
    struct text text = text_over(out, NAME_TEXT_MAX - 1);

    name_add(&text, octets);
    *text.next = '\0';
}

/* Writes the CNAME's target in lower case; "" if it is not a name. */
static void write_target(const struct record *cname, char *out)
{
    struct reader in = reader_over(cname->rdata, cname->rdata_length);
    struct name target;

    out[0] = '\0';
    if (name_read(&in, &target))
        write_name(target.octets, out);
}

static const struct record *next_of(const struct walks *walks, const struct record *cname)
{
    char target[NAME_TEXT_MAX];

    write_target(cname, target);
    const struct seen_entry *next = seen_find(&walks->cnames, 0, target);
    return next == NULL ? NULL : next->owner;
}

/* Reports a loop at its first record in the file. */
static void report_loop(const struct walks *walks, const struct record *member)
{
    struct checking *checking = walks->checking;
    const struct record *first = member;
    char owner[NAME_TEXT_MAX], target[NAME_TEXT_MAX];

    for (const struct record *at = next_of(walks, member); at != member; at = next_of(walks, at))
        if (at < first)
            first = at;
    write_name(first->owner, owner);
    write_target(first, target);
    FIND(checking, REC_LOOP, first->at,
         "CNAME %.120s leads to %.120s and from there back to itself; point one of them to another "
         "name",
         owner, target);
}

/* Follows CNAMEs that no walk has visited; each record is visited once in all. */
static void walk(struct walks *walks, const struct record *start, uint32_t number)
{
    const struct record *records = walks->checking->space->records;
    const struct record *at = start;

    while (at != NULL && walks->met[at - records] == 0) {
        walks->met[at - records] = number;
        at = next_of(walks, at);
    }
    if (at != NULL && walks->met[at - records] == number)
        report_loop(walks, at);
}

static size_t count_labels(const char *name)
{
    size_t count = 1;

    for (; *name != '\0'; name++)
        count += *name == '.';
    return count;
}

/* Adds an owner, and the names above it that no domain has. */
static void add_owner(struct walks *walks, const struct record *record)
{
    char owner[NAME_TEXT_MAX];

    write_name(record->owner, owner);
    seen_add(&walks->owners, 0, owner, record->at, record);
    for (const char *above = strchr(owner, '.');
         above != NULL && count_labels(above + 1) > LABELS_OF_A_DOMAIN;
         above = strchr(above + 1, '.'))
        seen_add(&walks->owners, 1, above + 1, record->at, record);
}

/* True if a domain of the space's apps covers the name. */
static bool is_covered(const struct checking *checking, const char *name)
{
    if (seen_find(&checking->names, 0, name) != NULL)
        return true;
    for (const char *dot = strchr(name, '.'); dot != NULL; dot = strchr(dot + 1, '.'))
        if (seen_find(&checking->names, 1, dot + 1) != NULL)
            return true;
    return false;
}

/*
 * True for an undeclared name below a platform suffix or next to the space's own records, which is
 * probably a typo. Discovery names are not checked, because apps come and go.
 */
static bool is_dangling(const struct walks *walks, const char *target)
{
    const struct checking *checking = walks->checking;
    const char *parent = strchr(target, '.');

    if (parent == NULL || is_covered(checking, target) ||
        seen_find(&walks->owners, 0, target) != NULL)
        return false;
    return domain_is_within(target, checking->suffixes->apps) ||
           domain_is_within(target, checking->suffixes->targets[0]) ||
           domain_is_within(target, checking->suffixes->targets[1]) ||
           seen_find(&walks->owners, 1, parent + 1) != NULL;
}

static void check_target(const struct walks *walks, const struct record *cname)
{
    struct checking *checking = walks->checking;
    char owner[NAME_TEXT_MAX], target[NAME_TEXT_MAX];

    write_target(cname, target);
    if (!is_dangling(walks, target))
        return;
    write_name(cname->owner, owner);
    FIND(checking, REC_DANGLING, cname->at,
         "CNAME %.120s leads to %.120s, which nothing in this file declares; declare it, correct "
         "the target, or leave it if other servers know the name",
         owner, target);
}

void check_aliases(struct checking *checking)
{
    const struct space *space = checking->space;
    struct walks walks = {.checking = checking};
    char owner[NAME_TEXT_MAX];

    walks.met = calloc(space->record_count + 1, sizeof *walks.met);
    seen_init(&walks.cnames, 0);
    seen_init(&walks.owners, 0);
    for (size_t i = 0; i < space->record_count; i++) {
        const struct record *record = &space->records[i];
        add_owner(&walks, record);
        if (record->type != CNAME_TYPE)
            continue;
        write_name(record->owner, owner);
        seen_add(&walks.cnames, 0, owner, record->at, record);
    }
    for (size_t i = 0; i < space->record_count && walks.met != NULL; i++) {
        if (space->records[i].type != CNAME_TYPE)
            continue;
        walk(&walks, &space->records[i], (uint32_t)i + 1);
        check_target(&walks, &space->records[i]);
    }
    if (walks.met == NULL)
        walks.owners.is_out_of_memory = true;
    checking_close_seen(checking, &walks.owners);
    checking_close_seen(checking, &walks.cnames);
    free(walks.met);
}
