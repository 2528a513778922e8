#include "spacednsd/usage_dyno.h"

#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include "base/clock.h"
#include "base/escape.h"
#include "spacednsd/usage_keeping.h"
#include "spacednsd/usage_text.h"
#include "traffic/handed_out.h"
#include "traffic/static_addresses.h"

enum { CODE_DONE = 0, CODE_REFUSED = 1, CODE_USAGE = 2, ADDRESSES_MOST = 16, TYPE_MOST = 128 };
enum { NAME_SHOWN = 4 * 255 + 1 }; /* each octet escaped */

/* The dyno that is meant: by address, or by type and number of an app. */
struct meant {
    struct usage_subject subject; /* without a name: of any app */
    char type[TYPE_MOST + 1];
    uint32_t number;
    bool is_address;
    uint32_t ip;
    /* What is known of it. */
    bool is_published;
    bool is_known;             /* the type is the app's, or something of it was handed out */
    bool is_seen;              /* the dyno itself is declared, or was handed out */
    const struct host *record; /* a static record has its address; NULL: none */
    const struct segment *record_segment;
    uint32_t until_s;
    uint32_t addresses[ADDRESSES_MOST];
    size_t address_count;
};

static bool has_address(const struct meant *meant, uint32_t ip)
{
    for (size_t i = 0; i < meant->address_count; i++)
        if (meant->addresses[i] == ip)
            return true;
    return false;
}

static void add_address(struct meant *meant, uint32_t ip)
{
    if (!has_address(meant, ip) && meant->address_count < ADDRESSES_MOST)
        meant->addresses[meant->address_count++] = ip;
}

/* ---- what is meant ---- */

/* TYPE.N */
static bool read_name(struct meant *meant, const char *word)
{
    const char *dot = strrchr(word, '.');
    char *end;

    if (dot == NULL || dot == word || (size_t)(dot - word) > TYPE_MOST || dot[1] < '0' ||
        dot[1] > '9')
        return false;
    unsigned long number = strtoul(dot + 1, &end, 10);
    if (*end != '\0' || number == 0 || number > UINT32_MAX)
        return false;
    memcpy(meant->type, word, (size_t)(dot - word));
    meant->type[dot - word] = '\0';
    meant->number = (uint32_t)number;
    return true;
}

static bool read_address(struct meant *meant, const char *word)
{
    struct in_addr address;

    if (inet_pton(AF_INET, word, &address) != 1)
        return false;
    meant->is_address = true;
    meant->ip = ntohl(address.s_addr);
    add_address(meant, meant->ip);
    return true;
}

/* ---- what is published ---- */

static bool is_type(const struct segment *segment, const struct formation_entry *formation,
                    const char *type)
{
    return strlen(type) == formation->type_length &&
           memcmp(segment_type(segment, formation), type, formation->type_length) == 0;
}

static void look_at_formation(struct meant *meant, const struct formation_entry *formation)
{
    const struct segment *segment = meant->subject.segment;

    meant->is_known = true;
    for (uint32_t i = 0; i < formation->dyno_count; i++) {
        const struct dyno_entry *dyno = &segment->dynos[formation->dynos + i];
        if (dyno->number != meant->number)
            continue;
        add_address(meant, dyno->ip);
        meant->is_seen = true;
        meant->is_published |=
            dyno_is_named(dyno) && (meant->subject.app->flags & APP_DISCOVERED) != 0;
    }
}

static void look_at_app(struct meant *meant)
{
    const struct segment *segment = meant->subject.segment;
    const struct app_entry *app = meant->subject.app;

    for (uint32_t i = 0; app != NULL && i < app->formation_count; i++) {
        const struct formation_entry *formation = &segment->formations[app->formations + i];
        if (is_type(segment, formation, meant->type))
            look_at_formation(meant, formation);
    }
}

/* Also one that is not published, which no order has. */
static bool has_dyno(const struct segment *segment, uint32_t ip)
{
    size_t i = 0;

    if (!cidr_contains(segment->cidr, ip))
        return false;
    while (i < segment->dyno_count && segment->dynos[i].ip != ip)
        i++;
    return i < segment->dyno_count;
}

static void look_at_address(struct meant *meant, const struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->segment_count; i++) {
        const struct segment *segment = snapshot->segments[i];
        if (segment == NULL)
            continue;
        meant->is_seen |= has_dyno(segment, meant->ip);
        uint32_t dyno = segment_find_dyno(segment, meant->ip);
        if (dyno == ENTRY_NONE)
            continue;
        const struct app_entry *app = &segment->apps[segment_formation_of(segment, dyno)->app];
        if (meant->subject.name == NULL || meant->subject.app == app)
            meant->is_published |= (app->flags & APP_DISCOVERED) != 0;
    }
}

static void look_at_host(struct meant *meant, const struct snapshot *snapshot,
                         const struct segment *segment, const struct host *host)
{
    uint32_t ip;

    for (unsigned i = 0; i < host->record_count && meant->record == NULL; i++)
        if (static_address(snapshot, segment, &segment->records[host->owner + i], &ip) &&
            has_address(meant, ip)) {
            meant->record = host;
            meant->record_segment = segment;
        }
}

/* A static record goes on handing out an address, whatever becomes of the dyno. */
static void look_at_records(struct meant *meant, const struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->segment_count; i++) {
        const struct segment *segment = snapshot->segments[i];
        if (segment == NULL || segment->record_count == 0)
            continue;
        for (size_t j = 0; j < segment->host_count && meant->record == NULL; j++)
            if (segment->hosts[j].kind == HOST_RECORDS)
                look_at_host(meant, snapshot, segment, &segment->hosts[j]);
    }
}

/* ---- what was handed out ---- */

static bool is_meant(const struct meant *meant, const struct parties *parties,
                     const struct expiry *expiry)
{
    if (handed_out_by_record(parties, expiry))
        return has_address(meant, expiry->ip);
    if (meant->subject.name != NULL && expiry->app != meant->subject.party)
        return false;
    return meant->is_address
               ? expiry->ip == meant->ip
               : expiry->number == meant->number &&
                     strcmp(parties_at(parties, expiry->type)->name, meant->type) == 0;
}

/* Those by a static record, or those by the dyno's own names. */
static void look_at_expiries(struct meant *meant, const struct usage *usage, bool by_record)
{
    const struct expiries *expiries = usage_expiries(usage);
    const struct parties *parties = usage_parties(usage);

    for (const struct expiry *each = expiries_next(expiries, NULL); each != NULL;
         each = expiries_next(expiries, each)) {
        if (handed_out_by_record(parties, each) != by_record || !is_meant(meant, parties, each))
            continue;
        meant->is_known = true;
        meant->is_seen = true;
        add_address(meant, each->ip);
        if (each->until_s > meant->until_s)
            meant->until_s = each->until_s;
    }
}

/* Any address that the dyno is known to have or to have had may be in a static record. */
static void look_at_handed_out(struct meant *meant, const struct usage *usage)
{
    meant->until_s = expiries_floor(usage_expiries(usage));
    look_at_expiries(meant, usage, false);
    look_at_expiries(meant, usage, true);
}

/* ---- the answer ---- */

static bool is_handed_out(const struct meant *meant)
{
    return meant->is_published || meant->record != NULL;
}

static uint32_t seconds_left(const struct meant *meant, uint32_t now_s)
{
    return meant->until_s > now_s ? meant->until_s - now_s : 0;
}

static void format_dyno(const struct meant *meant, const char *word, char text[USAGE_TEXT_OCTETS])
{
    struct text out = text_over(text, USAGE_TEXT_OCTETS - 1);

    text_add_string(&out, word);
    for (size_t i = 0; i < meant->address_count && !meant->is_address; i++) {
        text_add_string(&out, i == 0 ? " (" : " ");
        text_add_ipv4(&out, meant->addresses[i]);
    }
    text_add_string(&out, meant->address_count > 0 && !meant->is_address ? ")" : "");
    if (meant->subject.name != NULL) {
        text_add_string(&out, " of ");
        text_add_string(&out, meant->subject.name);
    }
    *out.next = '\0';
}

static void print_left(struct call *call, uint32_t left)
{
    if (left > 0)
        fprintf(call->out, "; clients may hold its address for %u s", left);
    fputc('\n', call->out);
}

static void print_recorded(struct call *call, const struct meant *meant, const char *dyno,
                           uint32_t left)
{
    char name[NAME_SHOWN];
    struct text text = text_over(name, sizeof name - 1);

    name_add(&text, (const uint8_t *)segment_text(meant->record_segment, meant->record->octets));
    *text.next = '\0';
    escape_printf(call->out,
                  "%s: its address is in the static records of %s, space %s: take it out of "
                  "`records` there first",
                  dyno, name, meant->record_segment->name);
    print_left(call, left);
}

/* With the command that takes it out, as far as that is known. */
static void print_published(struct call *call, const struct meant *meant, const char *word,
                            const char *dyno, uint32_t left)
{
    escape_printf(call->out, "%s is published: take it out first (spacedns ps:set %s=down -a %s)",
                  dyno, meant->is_address ? "TYPE.N" : word,
                  meant->subject.name == NULL ? "APP" : meant->subject.name);
    print_left(call, left);
}

static void print_verdict(struct call *call, const struct meant *meant, const char *word,
                          uint32_t now_s)
{
    uint32_t left = seconds_left(meant, now_s);
    char dyno[USAGE_TEXT_OCTETS], until[CLOCK_TEXT_OCTETS];

    format_dyno(meant, word, dyno);
    clock_format(meant->until_s, until);
    if (meant->is_published)
        print_published(call, meant, word, dyno, left);
    else if (meant->record != NULL)
        print_recorded(call, meant, dyno, left);
    else if (left > 0)
        escape_printf(call->out, "%s: safe in %u s, clients may hold its address until %s\n", dyno,
                      left, until);
    else if (meant->is_seen)
        escape_printf(call->out, "%s: safe to stop\n", dyno);
    else
        escape_printf(call->out,
                      "%s: safe to stop, as it is in no zone file, and clients hold no answer with "
                      "it\n",
                      dyno);
}

static void print_verdict_json(struct call *call, const struct meant *meant, const char *word,
                               uint32_t now_s)
{
    uint32_t left = seconds_left(meant, now_s);
    json_t *addresses = json_array();

    for (size_t i = 0; i < meant->address_count; i++) {
        char shown[INET_ADDRSTRLEN + 1];
        struct text text = text_over(shown, sizeof shown - 1);
        text_add_ipv4(&text, meant->addresses[i]);
        *text.next = '\0';
        json_array_append_new(addresses, json_string(shown));
    }
    print_json(json_pack("{s:o, s:s?, s:o, s:b, s:b, s:i, s:o}", "dyno",
                         print_text(word, strlen(word)), "app", meant->subject.name, "addresses",
                         addresses, "published", is_handed_out(meant), "safe",
                         !is_handed_out(meant) && left == 0, "seconds", (int)left, "until",
                         left == 0 ? json_null() : usage_json_time(meant->until_s)),
               call->out);
}

static void answer(struct call *call, const struct status_source *source, struct meant *meant,
                   const char *word)
{
    uint32_t now_s = usage_now_s();
    uint32_t latest_s = usage_keeping_latest(source->usage, now_s);

    /* What is not known yet may be an answer of this second. */
    if (!usage_call_warn(call, source) && latest_s > meant->until_s)
        meant->until_s = latest_s;
    if (invocation_has(&call->invocation, OPTION_JSON))
        print_verdict_json(call, meant, word, now_s);
    else
        print_verdict(call, meant, word, now_s);
    bool is_safe = !is_handed_out(meant) && seconds_left(meant, now_s) == 0;
    call_finish(call, is_safe ? CODE_DONE : USAGE_CODE_UNSAFE);
}

static void fail(struct call *call, int code, const char *word, const char *why)
{
    escape_printf(call->err, "Error: %s %s\n", word, why);
    call_finish(call, code);
}

void usage_dyno_answer(struct call *call, const struct status_source *source)
{
    const char *word = invocation_operand(&call->invocation, 0);
    const char *app = call->invocation.options[OPTION_APP];
    struct meant meant = {.number = 0};

    if (!read_address(&meant, word) && (!read_name(&meant, word) || app == NULL)) {
        fail(call, CODE_USAGE, word,
             "is no dyno; write TYPE.N with its app, as web.1 -a APP, or the dyno's address");
        return;
    }
    if (app != NULL && !usage_call_find_app(call, source, app, &meant.subject))
        return;
    if (meant.is_address)
        look_at_address(&meant, server_current(source->server));
    else
        look_at_app(&meant);
    look_at_handed_out(&meant, source->usage->usage);
    look_at_records(&meant, server_current(source->server));
    if (!meant.is_address && !meant.is_known)
        fail(call, CODE_REFUSED, word,
             "is not known: the app has no such process type, and no answer named it; spacedns ps "
             "-a APP lists the dynos");
    else
        answer(call, source, &meant, word);
}
