#include "spacednsd/usage_call.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "spacednsd/usage_keeping.h"
#include "spacednsd/usage_text.h"

enum { CODE_DONE = 0, CODE_REFUSED = 1, NAME_TEXT_MOST = 4 * NAME_MAX_OCTETS + 1 };

static const struct usage *usage_of(const struct status_source *source)
{
    return source->usage->usage;
}

static const struct party *party_at(const struct status_source *source, uint32_t number)
{
    return parties_at(usage_parties(usage_of(source)), number);
}

static bool wants_json(const struct call *call)
{
    return invocation_has(&call->invocation, OPTION_JSON);
}

bool usage_call_warn(struct call *call, const struct status_source *source)
{
    size_t silent = 0, count = server_worker_count(source->server);

    for (size_t i = 0; i < count; i++)
        silent += server_worker_report(source->server, i) == NULL;
    if (silent > 0)
        fprintf(call->err,
                "Warning: %zu of %zu workers have not reported in time, so the last seconds may be "
                "missing\n",
                silent, count);
    if (!source->usage->is_read)
        fputs("Warning: the server before this one is still leaving; what it counted is added "
              "once it has gone\n",
              call->err);
    return silent == 0 && source->usage->is_read;
}

/* ---- apps ---- */

bool usage_call_find_app(struct call *call, const struct status_source *source, const char *name,
                         struct usage_subject *subject)
{
    const struct snapshot *snapshot = server_current(source->server);
    struct index_entry entry;

    *subject = (struct usage_subject){.name = name};
    if (snapshot_find_app(snapshot, name, strlen(name), &entry)) {
        subject->segment = snapshot->segments[entry.segment];
        subject->app = &subject->segment->apps[entry.number];
    }
    subject->party = usage_find_app(usage_of(source),
                                    subject->segment == NULL ? NULL : subject->segment->name, name);
    if (subject->segment != NULL || subject->party != PARTY_NONE)
        return true;
    escape_printf(call->err,
                  "Error: no app %s is served, and none of that name was asked for; spacedns apps "
                  "lists them\n",
                  name);
    call_finish(call, CODE_REFUSED);
    return false;
}

static const char *space_of(const struct status_source *source, const struct usage_subject *subject)
{
    return subject->segment != NULL ? subject->segment->name
                                    : party_at(source, subject->party)->space;
}

/* True when the app may have been asked although it has no counts of its own. */
static bool may_be_other(const struct status_source *source)
{
    return use_counts_total(usage_other(usage_of(source))) > 0;
}

static void print_never(struct call *call, const struct status_source *source, const char *name)
{
    char since[CLOCK_TEXT_OCTETS];

    clock_format(usage_since(usage_of(source)), since);
    if (may_be_other(source))
        escape_printf(call->out,
                      "%s is not counted on its own: more than metrics_apps apps are asked for\n",
                      name);
    else
        escape_printf(call->out, "%s has not been asked for since %s, when counting began\n", name,
                      since);
}

/* ---- who-uses ---- */

static void add_row(struct usage_table *table, const char *who, const struct use_counts *counts)
{
    usage_table_add(table, who);
    usage_table_add_number(table, use_counts_total(counts));
    for (size_t i = 0; i < USE_OUTCOMES; i++)
        usage_table_add_number(table, counts->counts[i]);
    usage_table_add_time(table, counts->first_s);
    usage_table_add_time(table, counts->last_s);
}

static void print_who(struct call *call, const struct status_source *source,
                      const struct usage_subject *subject, const struct use **found, size_t count)
{
    static const char *const titles[] = {"Who",     "Asked",  "Answered", "Empty",
                                         "Refused", "Failed", "First",    "Last"};
    struct usage_table table = {.columns = sizeof titles / sizeof titles[0]};
    struct use_counts rest = usage_remainder(usage_of(source), subject->party);
    char who[USAGE_TEXT_OCTETS];

    for (size_t i = 0; i < table.columns; i++)
        usage_table_add(&table, titles[i]);
    for (size_t i = 0; i < count && i < USAGE_LISTED_MOST; i++) {
        usage_text_party(party_at(source, found[i]->parties[0]), who);
        add_row(&table, who, &found[i]->asked);
    }
    if (use_counts_total(&rest) > 0)
        add_row(&table, "(others)", &rest);
    usage_table_print(&table, call->out);
    if (count > USAGE_LISTED_MOST)
        fprintf(call->err, "%zu more have asked; these asked most\n", count - USAGE_LISTED_MOST);
}

static void print_who_json(struct call *call, const struct status_source *source,
                           const struct usage_subject *subject, const struct use **found,
                           size_t count)
{
    const struct lately *lately = usage_lately(usage_of(source), subject->party);
    struct use_counts rest = usage_remainder(usage_of(source), subject->party);
    json_t *others = json_object();

    usage_json_counts(others, &rest);
    print_json(
        json_pack("{s:s, s:s, s:o, s:o, s:I, s:o, s:I, s:o, s:I}", "app", subject->name, "space",
                  space_of(source, subject), "who",
                  usage_json_users(usage_of(source), found, count), "others", others, "unlisted",
                  (json_int_t)(count > USAGE_LISTED_MOST ? count - USAGE_LISTED_MOST : 0), "since",
                  usage_json_time(usage_since(usage_of(source))), "asked_last_minute",
                  lately == NULL ? 0 : (json_int_t)lately_last_minute(lately, usage_now_s()),
                  "asked_by_minute", usage_json_hour(lately), "not_counted",
                  (json_int_t)usage_lost(usage_of(source))),
        call->out);
}

static void print_users(struct call *call, const struct status_source *source,
                        const struct usage_subject *subject)
{
    size_t count = 0;
    const struct use **found =
        subject->party == PARTY_NONE
            ? NULL
            : usage_gather(usage_pairs(usage_of(source)), usage_is_of, &subject->party, &count);

    if (wants_json(call))
        print_who_json(call, source, subject, found, count);
    else if (count == 0)
        print_never(call, source, subject->name);
    else
        print_who(call, source, subject, found, count);
    free(found);
}

void usage_call_answer_who(struct call *call, const struct status_source *source)
{
    const char *name = invocation_operand(&call->invocation, 0);
    struct usage_subject subject;

    if (name == NULL)
        name = call->invocation.options[OPTION_APP];
    if (!usage_call_find_app(call, source, name == NULL ? "" : name, &subject))
        return;
    usage_call_warn(call, source);
    print_users(call, source, &subject);
    call_finish(call, CODE_DONE);
}

/* ---- last-asked ---- */

static void print_last(struct call *call, const struct status_source *source, const char *name,
                       const struct use *use)
{
    char last[CLOCK_TEXT_OCTETS], who[USAGE_TEXT_OCTETS] = "clients that are not known";
    uint32_t now_s = usage_now_s();

    clock_format(use->asked.last_s, last);
    if (use->by != PARTY_NONE)
        usage_text_party(party_at(source, use->by), who);
    escape_printf(call->out, "%s was last asked for at %s, %u s ago, by %s\n", name, last,
                  now_s > use->asked.last_s ? now_s - use->asked.last_s : 0, who);
}

static void print_last_json(struct call *call, const struct status_source *source, const char *key,
                            const char *name, const struct use *use)
{
    json_t *object = json_pack("{s:o, s:o}", key, print_text(name, strlen(name)), "since",
                               usage_json_time(usage_since(usage_of(source))));
    bool has_by = use != NULL && use->by != PARTY_NONE;

    json_object_set_new(object, "by",
                        has_by ? usage_json_party(party_at(source, use->by)) : json_null());
    usage_json_counts(object, use == NULL ? &(struct use_counts){.first_s = 0} : &use->asked);
    print_json(object, call->out);
}

static void answer_last(struct call *call, const struct status_source *source, const char *key,
                        const char *name, const struct use *use)
{
    usage_call_warn(call, source);
    if (wants_json(call))
        print_last_json(call, source, key, name, use);
    else if (use == NULL)
        print_never(call, source, name);
    else
        print_last(call, source, name, use);
    call_finish(call, CODE_DONE);
}

/* The domain of that name that was asked last; NULL: none was. */
static const struct use *find_domain(const struct status_source *source, const char *name)
{
    const struct uses *domains = usage_domains(usage_of(source));
    uint32_t word = parties_find(
        usage_parties(usage_of(source)),
        &(struct party_key){.kind = PARTY_WORD, .name = name, .name_length = strlen(name)});
    const struct use *last = NULL;

    for (const struct use *use = uses_next(domains, NULL); use != NULL && word != PARTY_NONE;
         use = uses_next(domains, use))
        if (use->parties[1] == word && (last == NULL || use->asked.last_s > last->asked.last_s))
            last = use;
    return last;
}

/* As it is declared: a name below a wildcard is the wildcard. Returns false when it is not. */
static bool find_declared(const struct status_source *source, const struct name *name,
                          struct name *declared)
{
    const struct snapshot *snapshot = server_current(source->server);
    struct index_entry entry;

    if (!snapshot_find(snapshot, name, index_hash(&snapshot->index, name), &entry) &&
        !snapshot_find_wildcard(snapshot, name, &entry))
        return false;
    const struct segment *segment = snapshot->segments[entry.segment];
    if (entry.kind == INDEX_HOST && segment->hosts[entry.number].kind == HOST_RECORDS)
        return false;
    index_name(&snapshot->index, segment, entry, declared);
    return true;
}

static void answer_last_domain(struct call *call, const struct status_source *source,
                               const char *domain)
{
    char shown[NAME_TEXT_MOST];
    struct text text = text_over(shown, sizeof shown - 1);
    struct name name, declared;

    if (!name_from_presentation(domain, strlen(domain), &name)) {
        escape_printf(call->err, "Error: %s is not a domain; write one as api.example.com\n",
                      domain);
        call_finish(call, CODE_REFUSED);
        return;
    }
    bool is_declared = find_declared(source, &name, &declared);
    name_add(&text, is_declared ? declared.octets : name.octets);
    *text.next = '\0';
    const struct use *use = find_domain(source, shown);
    if (use == NULL && !is_declared) {
        bool is_discovery =
            name_is_within(&name, &server_current(source->server)->discovery_suffix);
        escape_printf(call->err,
                      is_discovery
                          ? "Error: %s is a discovery name, which is counted with its app; write "
                            "spacedns last-asked APP\n"
                          : "Error: no app has the domain %s, and it was not asked for; spacedns "
                            "domains -a APP lists them\n",
                      shown);
        call_finish(call, CODE_REFUSED);
        return;
    }
    answer_last(call, source, "domain", shown, use);
}

void usage_call_answer_last(struct call *call, const struct status_source *source)
{
    const char *name = invocation_operand(&call->invocation, 0);
    struct usage_subject subject;

    if (strchr(name, '.') != NULL) {
        answer_last_domain(call, source, name);
        return;
    }
    if (usage_call_find_app(call, source, name, &subject))
        answer_last(call, source, "app", name,
                    subject.party == PARTY_NONE ? NULL
                                                : usage_app(usage_of(source), subject.party));
}

/* ---- waste ---- */

/* The line of resolv.conf that ends it. */
static const char *remedy_of(const struct use *use)
{
    return use->asked.counts[WASTE_BY_SEARCH] == 0 ? "options ndots:1" : "search .";
}

static void print_waste(struct call *call, const struct status_source *source,
                        const struct use **found, size_t count)
{
    static const char *const titles[] = {"Who", "Suffix", "Wasted", "Last", "In resolv.conf"};
    struct usage_table table = {.columns = sizeof titles / sizeof titles[0]};
    char text[USAGE_TEXT_OCTETS];

    for (size_t i = 0; i < table.columns; i++)
        usage_table_add(&table, titles[i]);
    for (size_t i = 0; i < count && i < USAGE_LISTED_MOST; i++) {
        usage_text_party(party_at(source, found[i]->parties[0]), text);
        usage_table_add(&table, text);
        escape_string(text, sizeof text, party_at(source, found[i]->parties[1])->name);
        usage_table_add(&table, text);
        usage_table_add_number(&table, use_counts_total(&found[i]->asked));
        usage_table_add_time(&table, found[i]->asked.last_s);
        usage_table_add(&table, remedy_of(found[i]));
    }
    usage_table_print(&table, call->out);
}

static json_t *json_wasted(const struct status_source *source, const struct use *use)
{
    const struct party *suffix = party_at(source, use->parties[1]);

    return json_pack("{s:o, s:o, s:I, s:o, s:o, s:s}", "who",
                     usage_json_party(party_at(source, use->parties[0])), "suffix",
                     print_text(suffix->name, suffix->name_length), "wasted",
                     (json_int_t)use_counts_total(&use->asked), "first",
                     usage_json_time(use->asked.first_s), "last",
                     usage_json_time(use->asked.last_s), "resolv_conf", remedy_of(use));
}

void usage_call_answer_waste(struct call *call, const struct status_source *source)
{
    const struct waste *waste = usage_waste(usage_of(source));
    char since[CLOCK_TEXT_OCTETS];
    size_t count = 0;
    const struct use **found = usage_gather(waste_uses(waste), NULL, NULL, &count);

    usage_call_warn(call, source);
    clock_format(usage_since(usage_of(source)), since);
    if (wants_json(call)) {
        json_t *list = json_array();
        for (size_t i = 0; i < count && i < USAGE_LISTED_MOST; i++)
            json_array_append_new(list, json_wasted(source, found[i]));
        print_json(json_pack("{s:o, s:o, s:I}", "waste", list, "since",
                             usage_json_time(usage_since(usage_of(source))), "not_examined",
                             (json_int_t)waste_missed(waste)),
                   call->out);
    } else if (count == 0) {
        fprintf(call->out, "No search list has wasted a query since %s\n", since);
    } else {
        print_waste(call, source, found, count);
    }
    free(found);
    call_finish(call, CODE_DONE);
}
