#include "spacednsd/api_history.h"

#include <stdlib.h>
#include <string.h>

#include "spacednsd/reload_log.h"
#include "spacednsd/usage_text.h"

/* ---- who uses whom ---- */

static json_t *json_use(const struct parties *parties, const struct use *use)
{
    const struct party *app = parties_at(parties, use->parties[1]);

    return json_pack(
        "{s:o, s:o, s:I, s:I, s:o}", "from", usage_json_party(parties_at(parties, use->parties[0])),
        "app", print_text(app->name, app->name_length), "asked",
        (json_int_t)use_counts_total(&use->asked), "failed",
        (json_int_t)use->asked.counts[USE_FAILED], "last", usage_json_time(use->asked.last_s));
}

/* A space, by whose apps uses are wanted. */
struct wanted_space {
    const struct parties *parties;
    const char *name;
};

static bool is_of_space(const void *context, const struct use *use)
{
    const struct wanted_space *wanted = context;

    return strcmp(parties_at(wanted->parties, use->parties[1])->space, wanted->name) == 0;
}

static json_t *json_uses(const struct wanted_space *wanted, const struct use *const *found,
                         size_t count)
{
    size_t most = count < API_USES_MOST ? count : API_USES_MOST;
    json_t *list = json_array();

    for (size_t i = 0; i < most; i++)
        json_array_append_new(list, json_use(wanted->parties, found[i]));
    return json_pack("{s:o, s:o, s:I}", "space", json_text(wanted->name), "uses", list, "left_out",
                     (json_int_t)(count - most));
}

void api_answer_uses(struct api_visit *visit)
{
    const struct usage *usage = visit->api->source->usage->usage;
    const struct wanted_space wanted = {.parties = usage_parties(usage),
                                        .name = api_text_of(visit, ARGUMENT_USES_SPACE)};
    size_t count;

    if (snapshot_find_space(server_current(visit->api->server), wanted.name) == NULL) {
        api_fail_space(visit, wanted.name);
        return;
    }
    const struct use **found = usage_gather(usage_pairs(usage), is_of_space, &wanted, &count);
    if (found == NULL) {
        api_fail_memory(visit);
        return;
    }
    json_t *uses = json_uses(&wanted, found, count);
    free(found);
    api_send_json(visit, uses);
}

/* ---- reasons, reloads ---- */

void api_answer_reasons(struct api_visit *visit)
{
    struct reasons_lately *reasons = &visit->api->reasons;

    reasons_lately_sample(reasons);
    api_send_json(visit, reasons_lately_json(reasons, usage_now_s()));
}

void api_answer_reloads(struct api_visit *visit)
{
    api_send_json(visit, reload_log_json(visit->api->source->reload_log));
}
