/* The space itself, its address blocks, and its trusted IP ranges. */
#include "space/checking.h"

#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "wire/name.h"

enum { CEDAR_APPS_MAX = 25, FIR_APPS_MAX = 200, TRUSTED_MAX = 20 };

static const char *space_name_flaw(const char *name)
{
    size_t length = strlen(name);

    if (length < 3)
        return "has fewer than 3 characters";
    if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != length)
        return "has characters other than a-z, 0-9 and hyphens";
    if (name[0] == '-' || name[length - 1] == '-')
        return "begins or ends with a hyphen";
    if (strstr(name, "--") != NULL)
        return "has two hyphens in a row";
    return NULL;
}

void check_space_name(struct checking *checking)
{
    const struct word *name = &checking->space->name;
    const char *flaw = space_name_flaw(name->text);

    if (flaw != NULL)
        FIND(checking, SPACE_NAME, name->at,
             "space name `%.80s` %s; a name has 3 or more of a-z, 0-9 and single inner hyphens",
             name->text, flaw);
    else if (strlen(name->text) > LABEL_MAX_OCTETS)
        FIND(checking, NAME_LONG, name->at,
             "space name `%.80s` is longer than a DNS label (63); routers are named by it, "
             "shorten it",
             name->text);
}

void check_space_cidr(struct checking *checking)
{
    const struct block *block = &checking->space->cidr;
    char text[CIDR_TEXT_MAX], right[CIDR_TEXT_MAX];

    if (block->cidr.bits == 0)
        return;
    cidr_write(block->cidr, text);
    struct cidr whole = {.address = block->cidr.address, .bits = 16};
    whole.address = cidr_first(whole);
    cidr_write(whole, right);
    if (block->cidr.bits != 16)
        FIND(checking, SPACE_CIDR, block->at,
             "`cidr` is %s, but a space has a /16; write for example %s", text,
             cidr_is_private(whole) ? right : "10.0.0.0/16");
    else if (!cidr_is_private(block->cidr))
        FIND(checking, SPACE_CIDR, block->at,
             "`cidr` is %s, which is not private; take a /16 inside 10.0.0.0/8, 172.16.0.0/12 or "
             "192.168.0.0/16",
             text);
}

void check_data_cidr(struct checking *checking)
{
    const struct block *block = &checking->space->data_cidr;
    struct cidr cidr = checking->space->cidr.cidr;
    char text[CIDR_TEXT_MAX];
    char space_text[CIDR_TEXT_MAX];

    if (block->cidr.bits == 0)
        return;
    cidr_write(block->cidr, text);
    cidr_write(cidr, space_text);
    if (block->cidr.bits < 16 || block->cidr.bits > 20)
        FIND(checking, DATA_CIDR, block->at,
             "`data_cidr` is %s, but must be a /16 to a /20; write for example 172.23.0.0/20",
             text);
    else if (!cidr_is_private(block->cidr))
        FIND(checking, DATA_CIDR, block->at,
             "`data_cidr` is %s, which is not private; take a block inside 10.0.0.0/8, "
             "172.16.0.0/12 or 192.168.0.0/16",
             text);
    else if (cidr.bits != 0 && cidr_overlaps(block->cidr, cidr))
        FIND(checking, DATA_CIDR, block->at,
             "`data_cidr` is %s, which overlaps the space's cidr %s; take a block outside it", text,
             space_text);
}

enum { DYNO_SPAN, ROUTER_SPAN };

static const char *const span_names[] = {
    [DYNO_SPAN] = "dyno_cidrs", [ROUTER_SPAN] = "router_cidrs"};

static void find_in_span(struct checking *checking, const struct cidr_span *span, const char *what,
                         struct cidr other)
{
    enum finding_code code = span->kind == DYNO_SPAN ? FINDING_DYNO_CIDR : FINDING_ROUTER_CIDR;
    char text[CIDR_TEXT_MAX];
    char other_text[CIDR_TEXT_MAX];

    cidr_write(span->cidr, text);
    cidr_write(other, other_text);
    report_add(checking->report, code, checking->space->file, span->at, "%s in `%s` %s %s", text,
               span_names[span->kind], what, other_text);
}

/* Picks which of two overlapping blocks to report: not a default, else the routers', else the
 * later. */
static const struct cidr_span *pick_reported(const struct cidr_span *a, const struct cidr_span *b)
{
    if (a->at.line == 0 || b->at.line == 0)
        return a->at.line == 0 ? b : a;
    if (a->kind != b->kind)
        return a->kind == ROUTER_SPAN ? a : b;
    return location_is_before(a->at, b->at) ? b : a;
}

static size_t add_spans(struct cidr_span *spans, size_t count, const struct blocks *blocks,
                        int kind)
{
    for (size_t i = 0; i < blocks->count; i++)
        spans[count++] = (struct cidr_span){
            .cidr = blocks->items[i].cidr, .at = blocks->items[i].at, .kind = kind};
    return count;
}

static void check_overlaps(struct checking *checking, struct cidr_span *spans, size_t count)
{
    size_t outer = 0;

    spans_sort(spans, count);
    for (size_t i = 1; i < count; i++) {
        if (!cidr_overlaps(spans[outer].cidr, spans[i].cidr)) {
            outer = i;
            continue;
        }
        const struct cidr_span *reported = pick_reported(&spans[outer], &spans[i]);
        const struct cidr_span *other = reported == &spans[i] ? &spans[outer] : &spans[i];
        find_in_span(checking, reported,
                     other->kind == DYNO_SPAN
                         ? "overlaps another dyno CIDR; keep them apart from"
                         : "overlaps another router CIDR; keep them apart from",
                     other->cidr);
    }
}

void check_dyno_and_router_cidrs(struct checking *checking)
{
    const struct space *space = checking->space;
    size_t most = space->dyno_cidrs.count + space->router_cidrs.count;
    struct cidr_span *spans = calloc(most + 1, sizeof *spans);

    if (spans == NULL) {
        FIND(checking, MEMORY, (struct location){0}, "out of memory while the file was checked");
        return;
    }
    size_t count = add_spans(spans, 0, &space->dyno_cidrs, DYNO_SPAN);
    count = add_spans(spans, count, &space->router_cidrs, ROUTER_SPAN);
    for (size_t i = 0; i < count; i++)
        if (space->cidr.cidr.bits != 0 && spans[i].at.line != 0 &&
            !cidr_is_inside(spans[i].cidr, space->cidr.cidr))
            find_in_span(checking, &spans[i],
                         "lies outside the space; take a block inside its cidr", space->cidr.cidr);
    check_overlaps(checking, spans, count);
    free(spans);
}

void check_region(struct checking *checking)
{
    static const char *const regions[] = {"dublin", "frankfurt", "london", "montreal", "mumbai",
                                          "oregon", "singapore", "sydney", "tokyo",    "virginia"};
    enum { REGION_COUNT = sizeof regions / sizeof regions[0] };
    const struct word *region = &checking->space->region;

    if (region->text == NULL)
        return;
    for (size_t i = 0; i < REGION_COUNT; i++)
        if (strcmp(region->text, regions[i]) == 0)
            return;
    const char *suggestion = suggest_among(region->text, regions, REGION_COUNT);
    if (suggestion != NULL)
        FIND(checking, REGION, region->at, "region `%.80s` is not known; did you mean `%s`?",
             region->text, suggestion);
    else
        FIND(checking, REGION, region->at,
             "region `%.80s` is not known; the platform has dublin, frankfurt, london, montreal, "
             "mumbai, oregon, singapore, sydney, tokyo and virginia",
             region->text);
}

void check_listen(struct checking *checking)
{
    const struct space *space = checking->space;
    char text[CIDR_TEXT_MAX];
    struct seen seen;

    seen_init(&seen, space->listen_count);
    for (size_t i = 0; i < space->listen_count; i++) {
        const struct block *address = &space->listen[i];
        const struct seen_entry *before =
            seen_add_number(&seen, 0, address->cidr.address, address->at, NULL);
        if (before == NULL)
            continue;
        ipv4_write(address->cidr.address, text);
        FIND(checking, LISTEN, address->at,
             "listen address %s is already given on line %u; remove one", text,
             (unsigned)before->at.line);
    }
    checking_close_seen(checking, &seen);
}

void check_app_count(struct checking *checking)
{
    const struct space *space = checking->space;
    bool is_fir = space->generation == GENERATION_FIR;
    size_t most = is_fir ? FIR_APPS_MAX : CEDAR_APPS_MAX;

    if (space->app_count > most)
        FIND(checking, SPACE_APPS, space->apps[most].at,
             "space %.80s has %zu apps, and the platform allows %zu in a %s space; move apps to "
             "another space",
             space->name.text, space->app_count, most, is_fir ? "fir" : "cedar");
}

static bool is_uuid(const char *text)
{
    if (strlen(text) != 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        bool wants_hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (wants_hyphen ? text[i] != '-' : strchr("0123456789abcdefABCDEF", text[i]) == NULL)
            return false;
    }
    return true;
}

static void check_id(struct checking *checking, struct seen *seen, const struct word *id)
{
    if (id->text == NULL)
        return;
    if (!is_uuid(id->text)) {
        FIND(checking, UUID, id->at,
             "id `%.80s` is not a UUID such as 01234567-89ab-cdef-0123-456789abcdef; copy it from "
             "the platform or remove it",
             id->text);
        return;
    }
    const struct seen_entry *before = seen_add_folded(seen, 0, id->text, id->at, NULL);
    if (before != NULL)
        FIND(checking, DUP, id->at, "id %s is already given on line %u; each id names one thing",
             id->text, (unsigned)before->at.line);
}

void check_ids(struct checking *checking)
{
    const struct space *space = checking->space;
    struct seen seen;

    seen_init(&seen, 0);
    check_id(checking, &seen, &space->id);
    for (size_t i = 0; i < space->app_count; i++)
        check_id(checking, &seen, &space->apps[i].id);
    for (size_t i = 0; i < space->vpn_count; i++)
        check_id(checking, &seen, &space->vpns[i].id);
    checking_close_seen(checking, &seen);
}

void check_trusted_ips(struct checking *checking)
{
    const struct blocks *trusted = &checking->space->trusted_ips;
    char text[CIDR_TEXT_MAX];
    struct seen seen;

    if (trusted->count > TRUSTED_MAX)
        FIND(checking, TRUST_COUNT, trusted->items[TRUSTED_MAX].at,
             "%zu trusted IP ranges, and a space has at most %d; remove or join some",
             trusted->count, TRUSTED_MAX);
    seen_init(&seen, trusted->count);
    for (size_t i = 0; i < trusted->count; i++) {
        const struct block *block = &trusted->items[i];
        const struct seen_entry *before = seen_add_number(
            &seen, 0, (uint64_t)block->cidr.address << 8 | block->cidr.bits, block->at, NULL);
        cidr_write(block->cidr, text);
        if (before != NULL)
            FIND(checking, DUP, block->at,
                 "trusted range %s is already given on line %u; remove one", text,
                 (unsigned)before->at.line);
        else if (block->cidr.bits <= 16 && block->cidr.bits > 0)
            FIND(checking, TRUST_WIDE, block->at,
                 "trusted range %s has %u addresses; ranges of a /16 or wider are seldom safe, "
                 "narrow it if you can",
                 text, 1U << (32 - block->cidr.bits));
    }
    checking_close_seen(checking, &seen);
}
