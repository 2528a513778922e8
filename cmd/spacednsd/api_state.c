#include "spacednsd/api_state.h"

#include <stdlib.h>
#include <string.h>

#include "control/openapi.h"
#include "inspect/registry_print.h"
#include "spacednsd/replica.h"
#include "spacednsd/scrape.h"
#include "spacednsd/status.h"
#include "spacednsd/top_facts.h"

const struct api_status api_statuses[API_STATUSES] = {
    {HTTP_OK, "200"},          {HTTP_BAD_REQUEST, "400"}, {HTTP_UNAUTHORIZED, "401"},
    {HTTP_NOT_FOUND, "404"},   {HTTP_BAD_METHOD, "405"},  {HTTP_MISDIRECTED, "421"},
    {HTTP_UNAVAILABLE, "503"},
};

/* How connections end, as metrics have it. */
static const char *const ends[HTTP_ENDS] = {
    [HTTP_END_DONE] = "done",     [HTTP_END_REFUSED] = "refused", [HTTP_END_TIMEOUT] = "timeout",
    [HTTP_END_CLIENT] = "client", [HTTP_END_LIMIT] = "limit",     [HTTP_END_SERVER] = "server",
};

/* ---- metrics ---- */

/* OpenMetrics only when it is asked for by name; Prometheus does. */
static enum metrics_format format_for(const struct http_request *request)
{
    const char *accepted = http_header(request, "Accept");

    return accepted != NULL && strstr(accepted, "application/openmetrics-text") != NULL
               ? METRICS_OPENMETRICS
               : METRICS_TEXT;
}

void api_answer_metrics(struct api_visit *visit)
{
    const struct api *api = visit->api;
    enum metrics_format format = format_for(visit->request);
    struct scrape_http codes[API_STATUSES], causes[HTTP_ENDS];
    const struct scrape scrape = {.source = api->source,
                                  .process = api->process,
                                  .http = codes,
                                  .http_count = API_STATUSES,
                                  .http_ends = causes,
                                  .http_end_count = HTTP_ENDS};
    struct api_text text;

    for (size_t i = 0; i < API_STATUSES; i++)
        codes[i] = (struct scrape_http){api_statuses[i].code, api->counts[i]};
    for (size_t i = 0; i < HTTP_ENDS; i++)
        causes[i] = (struct scrape_http){ends[i], api->ends[i]};
    api_text_begin(&text);
    bool is_whole = text.out != NULL && scrape_print(&scrape, format, text.out);
    if (!is_whole && text.out != NULL)
        fputs("out of memory\n", text.out);
    api_text_send(&text, visit, is_whole ? HTTP_OK : HTTP_UNAVAILABLE,
                  is_whole ? metrics_content_type(format) : NULL);
}

/* ---- health, readiness ---- */

/* One request for pulses serves all who wait: a later one would leave the first without. */
bool api_prepare_health(struct api_visit *visit, struct err *err)
{
    (void)err;
    if (visit->api->health_visits++ == 0)
        server_request_pulses(visit->api->server, PULSE_HEALTH);
    return true;
}

void api_answer_health(struct api_visit *visit)
{
    const struct server *server = visit->api->server;
    struct api_text text;

    visit->api->health_visits--;
    api_text_begin(&text);
    for (size_t i = 0; text.out != NULL && i < server_worker_count(server); i++)
        if (!server_has_pulse(server, i, PULSE_HEALTH))
            fprintf(text.out, "worker %zu does not answer\n", i + 1);
    bool is_well = api_text_is_empty(&text);
    if (is_well)
        fputs("ok\n", text.out);
    api_text_send(&text, visit, is_well ? HTTP_OK : HTTP_UNAVAILABLE, NULL);
}

static void print_last_good(const struct last_good *last_good, FILE *out)
{
    for (size_t i = 0; i < last_good->count; i++) {
        const struct load_last_good *file = &last_good->files[i];
        fprintf(out, "%s has errors and is %s: %u:%u: %s: %s\n", file->file,
                file->is_served ? "served as accepted last" : "not served at all", file->at.line,
                file->at.column, finding_name(file->code), file->cause.text);
    }
}

/* What keeps the server from being ready, a line each; nothing: it is. */
static void print_unready(const struct api *api, FILE *out)
{
    const struct reload_last *last = api->source->last;

    if (!*api->is_ready) {
        fputs(api->source->replica == NULL
                  ? "the first generation is not served yet\n"
                  : "the registry was not read yet, and state_dir has nothing of it\n",
              out);
        return;
    }
    if (api->source->replica == NULL)
        print_last_good(api->source->last_good, out);
    if (last->has_been && (last->end == RELOAD_REFUSED || last->end == RELOAD_GUARDED))
        fprintf(out, "the last reload was %s: %s\n",
                last->end == RELOAD_REFUSED ? "refused" : "refused by the guard", last->cause.text);
}

/* What is amiss all the same. All replicas of a registry have that at once, so that none of them is
 * better. */
static void print_ready(const struct api *api, FILE *out)
{
    struct registry_status status;

    fputs("ready\n", out);
    if (api->source->replica == NULL)
        return;
    replica_describe(api->source->replica, &status);
    registry_print_notes(&status, out);
}

void api_answer_ready(struct api_visit *visit)
{
    struct api_text text;

    api_text_begin(&text);
    if (text.out != NULL)
        print_unready(visit->api, text.out);
    bool is_ready = api_text_is_empty(&text);
    if (is_ready && text.out != NULL)
        print_ready(visit->api, text.out);
    api_text_send(&text, visit, is_ready ? HTTP_OK : HTTP_UNAVAILABLE, NULL);
}

/* ---- status, top, the list of paths ---- */

/* Without memory for it to be printed whole, there is a sentence instead. */
static void send_printed(struct api_visit *visit, struct api_text *text, bool is_whole)
{
    if (text->out == NULL || is_whole) {
        api_text_send(text, visit, HTTP_OK, NULL);
        return;
    }
    fclose(text->out);
    free(text->text);
    api_fail_memory(visit);
}

void api_answer_status(struct api_visit *visit)
{
    struct api_text text;

    api_text_begin(&text);
    send_printed(visit, &text,
                 text.out != NULL && status_print(visit->api->source, true, text.out));
}

void api_answer_top(struct api_visit *visit)
{
    struct api_text text;

    api_text_begin(&text);
    send_printed(visit, &text,
                 text.out != NULL && top_facts_print(visit->api->source, false, text.out));
}

void api_answer_openapi(struct api_visit *visit)
{
    struct api_text text;

    api_text_begin(&text);
    if (text.out != NULL)
        openapi_print(text.out);
    api_text_send(&text, visit, HTTP_OK, NULL);
}
