#include "spacednsd/cache_call.h"

#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "inspect/print.h"
#include "spacednsd/audit.h"
#include "wire/types.h"

enum {
    CODE_DONE = 0,
    CODE_UNFINISHED = 1,
    NAME_TEXT_MOST = 4 * NAME_MAX_OCTETS + 1,
    NAMES_TEXT_MOST = 2 * NAME_TEXT_MOST,
    WORD_MOST = 16,
    KEY_COLUMN = 12,
};

bool cache_call_read(const struct invocation *invocation, struct sweep *sweep, struct err *err)
{
    bool is_flush = invocation->command == COMMAND_CACHE_FLUSH;

    *sweep = (struct sweep){.with_below = invocation_has(invocation, OPTION_BELOW)};
    if (sweep->with_below && invocation->operand_count == 0)
        return err_set(err, ERR_SYNTAX,
                       "--below needs a NAME; without NAME and --below, every name is flushed");
    for (size_t i = 0; i < invocation->operand_count; i++) {
        const char *text = invocation->operands[i];
        if (!name_from_presentation(text, strlen(text), &sweep->names[i]))
            return err_set(err, ERR_SYNTAX,
                           "%.255s is not a domain name; write one as www.example.org", text);
        sweep->name_count++;
    }
    if (is_flush)
        sweep->kind = SWEEP_FLUSH;
    else
        sweep->kind = sweep->name_count > 0 ? SWEEP_LIST : SWEEP_NOTHING;
    return true;
}

static bool wants_json(const struct call *call)
{
    return invocation_has(&call->invocation, OPTION_JSON);
}

static void format_name(const struct name *name, char text[NAME_TEXT_MOST])
{
    struct text out = text_over(text, NAME_TEXT_MOST - 1);

    name_add(&out, name->octets);
    *out.next = '\0';
}

/* ---- workers that are late ---- */

static json_t *json_silent(const struct status_source *source)
{
    json_t *silent = json_array();

    for (size_t i = 0; i < server_worker_count(source->server); i++)
        if (server_worker_report(source->server, i) == NULL)
            json_array_append_new(silent, json_integer((json_int_t)i + 1));
    return silent;
}

static size_t count_silent(const struct status_source *source)
{
    size_t count = 0;

    for (size_t i = 0; i < server_worker_count(source->server); i++)
        count += server_worker_report(source->server, i) == NULL;
    return count;
}

/* Ends a call that some worker may not have finished. */
static void finish(struct call *call, const struct status_source *source)
{
    size_t silent = count_silent(source);

    if (silent > 0)
        fprintf(call->err,
                "Error: %zu of %zu workers have not finished in time and are left out; the server "
                "may be overloaded: run the command again\n",
                silent, server_worker_count(source->server));
    call_finish(call, silent == 0 ? CODE_DONE : CODE_UNFINISHED);
}

/* ---- totals ---- */

/* The cache, of which one worker reports, and what it has swept; or those of all workers. */
struct sums {
    struct cache_use use;
    size_t entries;  /* of the sweeps */
    size_t failures; /* the same */
    bool has_cache;
};

static struct sums sum_up(const struct status_source *source)
{
    struct sums sums = {.entries = 0};

    for (size_t i = 0; i < server_worker_count(source->server); i++) {
        const struct worker_report *report = server_worker_report(source->server, i);
        if (report == NULL)
            continue;
        sums.has_cache |= report->has_forward;
        sums.use.entries += report->cache.entries;
        sums.use.octets += report->cache.octets;
        sums.use.octets_most += report->cache.octets_most;
        sums.use.evicted += report->cache.evicted;
        sums.entries += report->request.sweep.entries;
        sums.failures += report->request.sweep.failures;
    }
    return sums;
}

/* What `cache` prints about all names. */
struct figure {
    const char *key;
    uint64_t value;
};

static void print_totals(struct call *call, const struct status_source *source)
{
    struct sums sums = sum_up(source);
    struct totals totals;

    server_sum(source->server, &totals);
    const struct figure figures[] = {
        {"entries", sums.use.entries},
        {"octets", sums.use.octets},
        {"octets_most", sums.use.octets_most},
        {"evicted", sums.use.evicted},
        {"hits", totals.counters[COUNTER_FORWARD_HITS]},
        {"stale", totals.counters[COUNTER_FORWARD_STALE]},
        {"misses", totals.counters[COUNTER_FORWARD_MISSES]},
    };
    json_t *json =
        wants_json(call) ? json_pack("{s:o}", "silent_workers", json_silent(source)) : NULL;

    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        if (json != NULL)
            json_object_set_new(json, figures[i].key, json_integer((json_int_t)figures[i].value));
        else
            fprintf(call->out, "%-*s %llu\n", KEY_COLUMN, figures[i].key,
                    (unsigned long long)figures[i].value);
    if (json != NULL)
        print_json(json, call->out);
}

/* ---- the entries of a name ---- */

static int by_type(const void *one, const void *other)
{
    const struct swept_entry *first = one, *second = other;
    uint64_t a = (uint64_t)first->type << 40 | (uint64_t)first->bits << 32 | first->state.seconds;
    uint64_t b =
        (uint64_t)second->type << 40 | (uint64_t)second->bits << 32 | second->state.seconds;

    return (a > b) - (a < b);
}

/* Returns the entries, which one worker reports for all, malloc'ed, or NULL. */
static struct swept_entry *gather(const struct status_source *source, size_t *count)
{
    size_t workers = server_worker_count(source->server);
    struct swept_entry *list = calloc(workers * SWEEP_LISTED_MOST, sizeof *list);

    *count = 0;
    for (size_t i = 0; list != NULL && i < workers; i++) {
        const struct worker_report *report = server_worker_report(source->server, i);
        for (size_t j = 0; report != NULL && j < report->request.sweep.listed_count; j++)
            list[(*count)++] = report->request.sweep.listed[j];
    }
    if (list != NULL)
        qsort(list, *count, sizeof *list, by_type);
    return list;
}

static void format_word(void (*add)(struct text *, uint16_t), uint16_t number, char word[WORD_MOST])
{
    struct text text = text_over(word, WORD_MOST - 1);

    add(&text, number);
    *text.next = '\0';
}

static bool has_response(const struct swept_entry *entry)
{
    return entry->state.kept == CACHED_FRESH || entry->state.kept == CACHED_STALE;
}

static const char *seconds_key(const struct swept_entry *entry)
{
    return entry->state.kept == CACHED_FRESH ? "ttl" : "age";
}

/* "www.example.org type=A rcode=NOERROR cached=fresh ttl=23" */
static void print_entry(const struct swept_entry *entry, const char *name, FILE *out)
{
    char type[WORD_MOST], rcode[WORD_MOST];

    format_word(type_add, entry->type, type);
    format_word(rcode_add, entry->rcode, rcode);
    escape_printf(out, "%s type=%s", name, type);
    if (entry->class != CLASS_IN)
        fprintf(out, " class=%u", entry->class);
    fprintf(out, "%s%s", (entry->bits & QUESTION_DO) != 0 ? " do" : "",
            (entry->bits & QUESTION_CD) != 0 ? " cd" : "");
    if (has_response(entry))
        fprintf(out, " rcode=%s", rcode);
    fprintf(out, " cached=%s", cached_text(entry->state.kept));
    if (has_response(entry))
        fprintf(out, " %s=%u", seconds_key(entry), entry->state.seconds);
    fprintf(out, "\n");
}

static json_t *json_entry(const struct swept_entry *entry)
{
    char type[WORD_MOST], rcode[WORD_MOST];

    format_word(type_add, entry->type, type);
    format_word(rcode_add, entry->rcode, rcode);
    json_t *json =
        json_pack("{s:s, s:i, s:b, s:b, s:s}", "type", type, "class", entry->class, "do",
                  (entry->bits & QUESTION_DO) != 0, "cd", (entry->bits & QUESTION_CD) != 0,
                  "cached", cached_text(entry->state.kept));
    if (has_response(entry)) {
        json_object_set_new(json, "rcode", json_string(rcode));
        json_object_set_new(json, entry->state.kept == CACHED_FRESH ? "ttl_seconds" : "age_seconds",
                            json_integer(entry->state.seconds));
    }
    return json;
}

static void print_entries(struct call *call, const struct status_source *source,
                          const struct name *name)
{
    size_t count;
    struct swept_entry *list = gather(source, &count);
    char text[NAME_TEXT_MOST];
    json_t *entries = json_array();

    format_name(name, text);
    for (size_t i = 0; list != NULL && i < count; i++)
        if (wants_json(call))
            json_array_append_new(entries, json_entry(&list[i]));
        else
            print_entry(&list[i], text, call->out);
    if (wants_json(call))
        print_json(json_pack("{s:s, s:O, s:o}", "name", text, "entries", entries, "silent_workers",
                             json_silent(source)),
                   call->out);
    else if (count == 0)
        escape_printf(call->out, "Nothing is cached for %s.\n", text);
    json_decref(entries);
    free(list);
}

void cache_call_answer_list(struct call *call, const struct status_source *source)
{
    struct sweep sweep;
    struct err err;

    if (!sum_up(source).has_cache && !wants_json(call))
        fputs("Nothing is cached: no upstream is set, so no name is forwarded.\n", call->out);
    else if (cache_call_read(&call->invocation, &sweep, &err) && sweep.name_count > 0)
        print_entries(call, source, &sweep.names[0]);
    else
        print_totals(call, source);
    finish(call, source);
}

/* ---- flush ---- */

/* "www.example.org api.example.org and all below"; "all names"; cut when it is long. */
static void format_names(const struct sweep *sweep, char names[NAMES_TEXT_MOST])
{
    struct text text = text_over(names, NAMES_TEXT_MOST - 1);
    char name[NAME_TEXT_MOST];

    text_add_string(&text, sweep->name_count == 0 ? "all names" : "");
    for (size_t i = 0; i < sweep->name_count; i++) {
        format_name(&sweep->names[i], name);
        text_add_string(&text, i == 0 ? "" : " ");
        text_add_string(&text, name);
    }
    text_add_string(&text, sweep->with_below ? " and all below" : "");
    *text.next = '\0';
}

static void log_flushed(const struct call *call, const char *names, const struct sums *sums,
                        size_t silent)
{
    struct audit audit = {.by = ""};
    struct log_line line;

    audit_add_call(&audit, call);
    log_start(&line, LOG_INFO, "cache_flushed");
    log_string(&line, "names", names);
    log_number(&line, "entries", sums->entries);
    log_number(&line, "failures", sums->failures);
    if (silent > 0)
        log_number(&line, "silent_workers", silent);
    audit_log(&audit, &line);
    log_send(&line);
}

static json_t *json_names(const struct sweep *sweep)
{
    json_t *names = json_array();
    char name[NAME_TEXT_MOST];

    for (size_t i = 0; i < sweep->name_count; i++) {
        format_name(&sweep->names[i], name);
        json_array_append_new(names, json_string(name));
    }
    return names;
}

static void print_flushed_json(struct call *call, const struct status_source *source,
                               const struct sweep *sweep, const struct sums *sums)
{
    print_json(json_pack("{s:o, s:b, s:b, s:I, s:I, s:o}", "names", json_names(sweep), "all",
                         sweep->name_count == 0, "below", sweep->with_below, "entries",
                         (json_int_t)sums->entries, "failures", (json_int_t)sums->failures,
                         "silent_workers", json_silent(source)),
               call->out);
}

void cache_call_answer_flush(struct call *call, const struct status_source *source)
{
    struct sums sums = sum_up(source);
    char names[NAMES_TEXT_MOST];
    struct sweep sweep;
    struct err err;

    if (!cache_call_read(&call->invocation, &sweep, &err)) {
        fprintf(call->err, "Error: %s\n", err.text);
        call_finish(call, CODE_UNFINISHED);
        return;
    }
    format_names(&sweep, names);
    log_flushed(call, names, &sums, count_silent(source));
    if (wants_json(call))
        print_flushed_json(call, source, &sweep, &sums);
    else
        escape_printf(call->out, "Flushing %s... %s, entries=%zu failures=%zu\n", names,
                      count_silent(source) == 0 ? "done" : "unfinished", sums.entries,
                      sums.failures);
    finish(call, source);
}
