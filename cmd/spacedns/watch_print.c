#include "spacedns/watch_print.h"

#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "inspect/print.h"

static const char *const events[] = {
    [ROUND_UNCHANGED] = "unchanged",
    [ROUND_APPLIED] = "applied",
    [ROUND_REFUSED] = "refused",
    [ROUND_UNLOADED] = "not-loaded",
};

/* ---- JSON ---- */

static json_t *begin(const struct watch_line *line, const char *event)
{
    char time[CLOCK_TEXT_OCTETS];

    clock_format(line->seconds, time);
    return json_pack("{s:s, s:s, s:o, s:o, s:o}", "time", time, "event", event, "space",
                     json_text(line->space), "source", json_text(line->source), "by",
                     json_text(line->by));
}

static void put_text(json_t *json, const char *key, const char *text)
{
    if (text[0] != '\0')
        json_object_set_new(json, key, json_text(text));
}

static void print_round_json(const struct watch_line *line, const struct round *round,
                             uint64_t failures)
{
    const struct difference *difference = &round->difference;
    json_t *json = begin(line, events[round->end]), *changes = json_array();

    for (size_t i = 0; i < difference->text_count; i++)
        json_array_append_new(changes, json_text(difference->texts[i]));
    json_t *counts = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "apps", (json_int_t)round->app_count,
        "apps_new", (json_int_t)difference->apps_new, "apps_gone",
        (json_int_t)difference->apps_gone, "domains_new", (json_int_t)difference->domains_new,
        "domains_gone", (json_int_t)difference->domains_gone, "dynos_new",
        (json_int_t)difference->dynos_new, "dynos_gone", (json_int_t)difference->dynos_gone,
        "others", (json_int_t)difference->others, "failures_before", (json_int_t)failures);
    json_object_update(json, counts);
    json_decref(counts);
    json_object_set_new(json, "changes", changes);
    put_text(json, "error", round->sentence);
    put_text(json, "advice", round->advice);
    print_json_line(json, line->out);
}

/* ---- text ---- */

static void print_head(const struct watch_line *line)
{
    char time[CLOCK_TEXT_OCTETS];

    clock_format(line->seconds, time);
    escape_printf(line->out, "%s ", time);
    if (line->space != NULL && line->space[0] != '\0')
        escape_printf(line->out, "%s: ", line->space);
}

/* "2 dynos new, 1 gone" */
static void print_count(FILE *out, const char **before, const char *noun, size_t new, size_t gone)
{
    if (new > 0)
        fprintf(out, "%s%zu %s%s new", *before, new, noun, new == 1 ? "" : "s");
    if (new > 0 && gone > 0)
        fprintf(out, ", %zu gone", gone);
    else if (gone > 0)
        fprintf(out, "%s%zu %s%s gone", *before, gone, noun, gone == 1 ? "" : "s");
    if (new + gone > 0)
        *before = ", ";
}

static size_t count_all(const struct difference *difference)
{
    return difference->apps_new + difference->apps_gone + difference->domains_new +
           difference->domains_gone + difference->dynos_new + difference->dynos_gone +
           difference->others;
}

static void print_difference(FILE *out, const struct difference *difference)
{
    const char *before = "";

    print_count(out, &before, "app", difference->apps_new, difference->apps_gone);
    print_count(out, &before, "domain", difference->domains_new, difference->domains_gone);
    print_count(out, &before, "dyno", difference->dynos_new, difference->dynos_gone);
    if (difference->others > 0)
        fprintf(out, "%s%zu other change%s", before, difference->others,
                difference->others == 1 ? "" : "s");
    for (size_t i = 0; i < difference->text_count; i++)
        escape_printf(out, "%s%s", i == 0 ? ": " : "; ", difference->texts[i]);
    size_t left = count_all(difference) - difference->text_count;
    if (left > 0)
        fprintf(out, "; and %zu more", left);
}

static void print_advice(const struct watch_line *line, const struct round *round)
{
    if (round->new_app != NULL && round->end != ROUND_REFUSED) {
        print_head(line);
        escape_printf(line->out,
                      "%s is new; a topology does not tell of internal routing, which is fixed on "
                      "creation: if that is wrong in the zone file, destroy it (spacedns "
                      "apps:destroy) and create it at once (spacedns apps:create)\n",
                      round->new_app);
    }
    if (round->guessed_count > 0 && round->end == ROUND_APPLIED) {
        print_head(line);
        fprintf(line->out,
                "which DNS target belongs to which of %zu domains is not in a topology; compare "
                "them with heroku domains\n",
                round->guessed_count);
    }
    if (round->advice[0] != '\0') {
        print_head(line);
        escape_printf(line->out, "%s\n", round->advice);
    }
}

static void print_round(const struct watch_line *line, const struct round *round, uint64_t failures)
{
    if (round->end == ROUND_UNCHANGED && failures == 0)
        return;
    print_head(line);
    switch (round->end) {
    case ROUND_UNCHANGED:
        fputs("no change", line->out);
        break;
    case ROUND_APPLIED:
        if (count_all(&round->difference) > 0)
            print_difference(line->out, &round->difference);
        else
            fputs("loaded by the server now", line->out);
        break;
    case ROUND_REFUSED:
        escape_printf(line->out, "refused: %s", round->sentence);
        break;
    case ROUND_UNLOADED:
        fputs("written but not loaded: ", line->out);
        if (count_all(&round->difference) > 0)
            print_difference(line->out, &round->difference);
        escape_printf(line->out, "; %s", round->sentence);
        break;
    }
    if (failures > 0 && round->end != ROUND_REFUSED && round->end != ROUND_UNLOADED)
        fprintf(line->out, ", well again after %llu failure%s", (unsigned long long)failures,
                failures == 1 ? "" : "s");
    fputc('\n', line->out);
    print_advice(line, round);
}

void watch_print_round(const struct watch_line *line, const struct round *round, uint64_t failures)
{
    if (line->is_json)
        print_round_json(line, round, failures);
    else
        print_round(line, round, failures);
    fflush(line->out);
}

void watch_print_event(const struct watch_line *line, const char *event, const char *sentence)
{
    if (line->is_json) {
        json_t *json = begin(line, event);
        put_text(json, strcmp(event, "failed") == 0 ? "error" : "text", sentence);
        print_json_line(json, line->out);
    } else {
        print_head(line);
        escape_printf(line->out, "%s: %s\n", event, sentence);
    }
    fflush(line->out);
}

void watch_print_failure(const struct watch_line *line, const char *sentence)
{
    watch_print_event(line, "failed", sentence);
}
