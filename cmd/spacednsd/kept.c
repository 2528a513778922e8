#include "spacednsd/kept.h"

#include <stdlib.h>
#include <string.h>

#include "answer/kept_back_change.h"
#include "base/clock.h"
#include "base/escape.h"
#include "base/log.h"
#include "inspect/print.h"

enum {
    NAME_TEXT_MOST = 4 * NAME_MAX_OCTETS + 1,
    EXAMPLES_TEXT_MOST = 3 * NAME_TEXT_MOST,
    MS_PER_SECOND = 1000,
    WAIT_MS_MOST = 3600 * 1000,
    KEPT_OK = 0,
    KEPT_REFUSED = 1,
};

static void format_name(const struct name *name, char text[NAME_TEXT_MOST])
{
    struct text out = text_over(text, NAME_TEXT_MOST - 1);

    name_add(&out, name->octets);
    *out.next = '\0';
}

/* ---- letting go ---- */

bool kept_read_names(struct kept_names *names, const struct call *call, struct err *err)
{
    const struct invocation *invocation = &call->invocation;

    *names = (struct kept_names){
        .names = calloc(invocation->operand_count + 1, sizeof *names->names),
        .was_kept = calloc(invocation->operand_count + 1, sizeof *names->was_kept)};
    if (names->names == NULL || names->was_kept == NULL)
        return err_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < invocation->operand_count; i++) {
        const char *text = invocation->operands[i];
        if (!name_from_presentation(text, strlen(text), &names->names[i]))
            return err_set(err, ERR_SYNTAX,
                           "%.255s is not a name; write it as spacedns kept-back lists it", text);
        names->count++;
    }
    return true;
}

bool kept_add_names(struct kept_names *names, const char *const *texts, size_t count)
{
    struct name *grown = realloc(names->names, (names->count + count) * sizeof *grown);

    if (grown != NULL)
        names->names = grown;
    bool *was_kept = realloc(names->was_kept, (names->count + count) * sizeof *was_kept);
    if (was_kept != NULL)
        names->was_kept = was_kept;
    if (grown == NULL || was_kept == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        was_kept[names->count] = false;
        if (name_from_presentation(texts[i], strlen(texts[i]), &grown[names->count]))
            names->count++;
    }
    return true;
}

void kept_close_names(struct kept_names *names)
{
    free(names->names);
    free(names->was_kept);
    *names = (struct kept_names){.count = 0};
}

void kept_let_go(struct zones_loading *loading, struct kept_names *names)
{
    const struct snapshot *before = loading->request.before;
    int64_t until_s = loading->request.ran_s - (int64_t)before->policy.kept_back_seconds;
    uint64_t generation = loading->request.generation;
    struct kept_back_change change;

    if (generation == 0)
        generation = before->generation + 1;
    kept_back_change_begin(&change, before->kept_back, &before->index.key);
    for (size_t i = 0; i < names->count; i++)
        names->was_kept[i] = kept_back_change_remove(&change, &names->names[i]);
    loading->outcome.fallen.expired = kept_back_change_expire(&change, until_s);
    if (change.removed == 0 && !change.has_failed) {
        loading->outcome.is_unchanged = true;
        kept_back_change_drop(&change);
        return;
    }
    struct kept_back *kept = kept_back_change_finish(&change);
    if (!change.has_failed)
        loading->snapshot = snapshot_renew(before, generation, kept);
    if (loading->snapshot == NULL)
        err_set(&loading->err, ERR_MEMORY, "out of memory while names were let go");
}

uint64_t kept_next_ms(const struct snapshot *snapshot, int64_t ran_s)
{
    const struct kept_back *kept = snapshot->kept_back;
    int64_t oldest_s = INT64_MAX;

    if (kept == NULL || kept->count == 0)
        return 0;
    for (size_t i = 0; i < kept->cohort_count; i++)
        if (kept->cohorts[i] != NULL && kept->cohorts[i]->ran_s < oldest_s)
            oldest_s = kept->cohorts[i]->ran_s;
    int64_t left_s = oldest_s + (int64_t)snapshot->policy.kept_back_seconds - ran_s;
    /* The running time is stored each hour. */
    if (left_s < 1)
        return MS_PER_SECOND;
    return left_s > WAIT_MS_MOST / MS_PER_SECOND ? WAIT_MS_MOST : (uint64_t)left_s * MS_PER_SECOND;
}

/* ---- the log ---- */

static void add_examples(struct log_line *line, const struct name *names, size_t count)
{
    char octets[EXAMPLES_TEXT_MOST + 8];
    struct text text = text_over(octets, sizeof octets - 1);

    for (size_t i = 0; i < count && i < FALLEN_EXAMPLES; i++) {
        text_add_string(&text, i == 0 ? "" : " ");
        name_add(&text, names[i].octets);
    }
    *text.next = '\0';
    log_string(line, "names", octets);
}

static size_t count_kept(const struct snapshot *snapshot)
{
    return snapshot->kept_back == NULL ? 0 : snapshot->kept_back->count;
}

static void log_let_go(const struct snapshot *snapshot, const char *cause, size_t count)
{
    struct log_line line;

    if (count == 0)
        return;
    log_start(&line, LOG_WARNING, "names_let_go");
    log_number(&line, "count", count);
    log_string(&line, "cause", cause);
    log_number(&line, "kept_back", count_kept(snapshot));
    log_send(&line);
}

void kept_log_fallen(const struct snapshot *snapshot, const struct fallen_news *news)
{
    struct log_line line;

    if (news->added > 0) {
        log_start(&line, LOG_WARNING, "names_kept_back");
        log_number(&line, "count", news->added);
        add_examples(&line, news->examples, news->example_count);
        log_number(&line, "kept_back", count_kept(snapshot));
        log_string(
            &line, "text",
            "internal names are declared no more; clients get NXDOMAIN (Q27) and no upstream "
            "is asked; put them back, or if they are meant to go: spacedns forget NAME; "
            "spacedns kept-back lists them");
        log_send(&line);
    }
    log_let_go(snapshot, "kept_back_seconds", news->expired);
    log_let_go(snapshot, "kept_back_most", news->pushed_out);
}

void kept_log_let_go(const struct snapshot *snapshot, const struct zones_loading *loading,
                     const struct kept_names *names, const struct audit *audit)
{
    struct name gone[FALLEN_EXAMPLES];
    size_t count = 0;
    struct log_line line;

    log_let_go(snapshot, "kept_back_seconds", loading->outcome.fallen.expired);
    for (size_t i = 0; i < names->count; i++) {
        if (names->was_kept[i] && count < FALLEN_EXAMPLES)
            gone[count] = names->names[i];
        count += names->was_kept[i];
    }
    if (count == 0)
        return;
    log_start(&line, LOG_INFO, "names_let_go");
    log_number(&line, "count", count);
    log_string(&line, "cause", "forget");
    add_examples(&line, gone, count);
    log_number(&line, "kept_back", count_kept(snapshot));
    log_number(&line, "generation", snapshot->generation);
    audit_log(audit, &line);
    log_send(&line);
}

/* ---- answers ---- */

struct listing {
    FILE *out;
    json_t *names; /* NULL: text */
    size_t count;
};

static bool list_name(void *context, const struct name *name, const struct kept_back_entry *entry)
{
    const struct kept_back_cohort *cohort = entry->cohort;
    struct listing *listing = context;
    char text[NAME_TEXT_MOST], since[CLOCK_TEXT_OCTETS];

    if (listing->count == KEPT_LISTED_MOST)
        return false;
    listing->count++;
    format_name(name, text);
    clock_format(cohort->since_s, since);
    if (listing->names == NULL)
        escape_printf(listing->out, "%s  generation=%llu since=%s space=%s file=%s\n", text,
                      (unsigned long long)cohort->generation, since, cohort->space, cohort->file);
    else
        json_array_append_new(listing->names,
                              json_pack("{s:s, s:I, s:s, s:s, s:o}", "name", text, "generation",
                                        (json_int_t)cohort->generation, "since", since, "space",
                                        cohort->space, "file",
                                        print_text(cohort->file, strlen(cohort->file))));
    return true;
}

void kept_answer_list(struct call *call, const struct snapshot *snapshot, const struct state *state,
                      bool is_json)
{
    struct listing listing = {.out = call->out, .names = is_json ? json_array() : NULL};
    size_t count = count_kept(snapshot);

    if (count > 0)
        state_walk_names(state, snapshot->kept_back, list_name, &listing);
    if (is_json) {
        print_json(json_pack("{s:I, s:I, s:o}", "count", (json_int_t)count, "generation",
                             (json_int_t)snapshot->generation, "names", listing.names),
                   call->out);
        call_finish(call, KEPT_OK);
        return;
    }
    if (count == 0)
        fputs("No name is kept back.\n", call->out);
    else if (count > listing.count && listing.count < KEPT_LISTED_MOST)
        fprintf(
            call->err,
            "%zu more names are kept back, but the files with them in state_dir cannot be read; "
            "they are let go at a restart\n",
            count - listing.count);
    else if (count > listing.count)
        fprintf(call->err, "%zu more names are kept back; these are the %d oldest\n",
                count - listing.count, KEPT_LISTED_MOST);
    call_finish(call, KEPT_OK);
}

static int answer_forget_json(struct call *call, const struct kept_names *names,
                              uint64_t generation, size_t missing)
{
    json_t *gone = json_array(), *unknown = json_array();

    for (size_t i = 0; i < names->count; i++) {
        char text[NAME_TEXT_MOST];
        format_name(&names->names[i], text);
        json_array_append_new(names->was_kept[i] ? gone : unknown, json_string(text));
    }
    print_json(json_pack("{s:o, s:o, s:I}", "forgotten", gone, "not_kept_back", unknown,
                         "generation", (json_int_t)generation),
               call->out);
    return missing == 0 ? KEPT_OK : KEPT_REFUSED;
}

int kept_answer_forget(struct call *call, const struct kept_names *names, uint64_t generation,
                       bool is_json)
{
    size_t missing = 0;

    for (size_t i = 0; i < names->count; i++)
        missing += !names->was_kept[i];
    if (is_json)
        return answer_forget_json(call, names, generation, missing);
    for (size_t i = 0; i < names->count; i++) {
        char text[NAME_TEXT_MOST];
        format_name(&names->names[i], text);
        if (names->was_kept[i])
            fprintf(call->out, "Forgetting %s... done\n", text);
        else
            fprintf(call->err,
                    "Error: %s is not kept back; spacedns kept-back lists the names that are\n",
                    text);
    }
    return missing == 0 ? KEPT_OK : KEPT_REFUSED;
}
