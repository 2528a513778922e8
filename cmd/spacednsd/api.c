#include "spacednsd/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spacednsd/api_explain.h"
#include "spacednsd/api_history.h"
#include "spacednsd/api_page.h"
#include "spacednsd/api_queries.h"
#include "spacednsd/api_spaces.h"
#include "spacednsd/api_state.h"
#include "spacednsd/api_visit.h"

static const char json_media[] = "application/json; charset=utf-8";
static const char no_memory[] = "out of memory; ask again once the host has some";
static const char no_memory_json[] =
    "{\"error\": \"out of memory; ask again once the host has some\"}\n";

/* ---- responses ---- */

bool api_is_public(const char *path)
{
    enum http_path found;
    const char *segment;

    if (!http_path_find(path, &found, &segment))
        return false;
    return http_paths[found].answer == HTTP_ANSWER_PAGE ||
           http_paths[found].answer == HTTP_ANSWER_FILE;
}

static void send_octets(struct http_request *request, enum http_status status, const char *type,
                        const char *octets, size_t length)
{
    http_respond(request, &(struct http_response){
                              .status = status, .type = type, .text = octets, .length = length});
}

void api_visit_free(struct api_visit *visit)
{
    free(visit);
}

static void send_sentence(struct http_request *request, enum http_status status,
                          const char *sentence)
{
    struct api_text text;

    api_text_begin(&text);
    if (text.out != NULL)
        print_json_line(json_pack("{s:o}", "error", json_text(sentence)), text.out);
    bool is_whole = text.out != NULL && fclose(text.out) == 0;
    send_octets(request, is_whole ? status : HTTP_UNAVAILABLE, json_media,
                is_whole ? text.text : no_memory_json,
                is_whole ? text.length : strlen(no_memory_json));
    free(text.text);
}

void api_fail(struct api_visit *visit, enum http_status status, const char *sentence)
{
    send_sentence(visit->request, status, sentence);
    api_visit_free(visit);
}

void api_fail_memory(struct api_visit *visit)
{
    api_fail(visit, HTTP_UNAVAILABLE, no_memory);
}

void api_fail_space(struct api_visit *visit, const char *space)
{
    const char *suggestion = snapshot_suggest_space(server_current(visit->api->server), space);
    struct err err;

    err_set(&err, ERR_RULE, "no space %.64s is served; %s%s%s/api/v1/spaces lists them", space,
            suggestion == NULL ? "" : "did you mean ", suggestion == NULL ? "" : suggestion,
            suggestion == NULL ? "" : "? ");
    api_fail(visit, HTTP_NOT_FOUND, err.text);
}

void api_text_begin(struct api_text *text)
{
    *text = (struct api_text){.text = NULL};
    text->out = open_memstream(&text->text, &text->length);
}

bool api_text_is_empty(const struct api_text *text)
{
    return text->out != NULL && fflush(text->out) == 0 && text->length == 0;
}

void api_text_send(struct api_text *text, struct api_visit *visit, enum http_status status,
                   const char *type)
{
    if (text->out == NULL || fclose(text->out) != 0) {
        free(text->text);
        api_fail_memory(visit);
        return;
    }
    send_octets(visit->request, status, type == NULL ? http_path_type(visit->path) : type,
                text->text, text->length);
    free(text->text);
    api_visit_free(visit);
}

void api_send_json(struct api_visit *visit, json_t *value)
{
    struct api_text text;

    api_text_begin(&text);
    if (value == NULL && text.out != NULL)
        fclose(text.out);
    if (value == NULL || text.out == NULL) {
        free(text.text);
        json_decref(value);
        api_fail_memory(visit);
        return;
    }
    print_json_line(value, text.out);
    api_text_send(&text, visit, HTTP_OK, NULL);
}

/* ---- what is counted ---- */

void api_on_status(void *context, enum http_status status)
{
    struct api *api = context;
    size_t i = 0;

    while (api_statuses[i].status != status)
        i++;
    api->counts[i]++;
}

void api_on_end(void *context, enum http_end end)
{
    struct api *api = context;

    api->ends[end]++;
}

/* ---- paths ---- */

static const struct {
    api_answer *answer;
    bool needs_workers;
    bool (*prepare)(struct api_visit *visit, struct err *err); /* NULL: nothing is to be done */
} answers[PATH_COUNT] = {
    [PATH_PAGE] = {api_answer_page, false, NULL},
    [PATH_PAGE_FILE] = {api_answer_page_file, false, NULL},
    [PATH_METRICS] = {api_answer_metrics, true, NULL},
    [PATH_HEALTH] = {api_answer_health, true, api_prepare_health},
    [PATH_READY] = {api_answer_ready, false, NULL},
    [PATH_OPENAPI] = {api_answer_openapi, false, NULL},
    [PATH_STATUS] = {api_answer_status, true, NULL},
    [PATH_TOP] = {api_answer_top, true, NULL},
    [PATH_SPACES] = {api_answer_spaces, false, NULL},
    [PATH_APPS] = {api_answer_apps, true, NULL},
    [PATH_APP] = {api_answer_app, true, NULL},
    [PATH_USES] = {api_answer_uses, true, NULL},
    [PATH_REASONS] = {api_answer_reasons, false, NULL},
    [PATH_RELOADS] = {api_answer_reloads, false, NULL},
    [PATH_QUERIES] = {api_answer_queries, false, NULL},
    [PATH_EXPLAIN] = {api_answer_explain, true, api_prepare_explain},
};

static void api_on_reports(struct inspection_visit *inspected)
{
    struct api_visit *visit = (struct api_visit *)inspected;

    answers[visit->path].answer(visit);
}

/* The visit is responded to, now or once the workers have reported. */
static void go_on(struct api_visit *visit)
{
    struct api *api = visit->api;
    enum http_path path = visit->path;
    struct err err;

    if (answers[path].prepare != NULL && !answers[path].prepare(visit, &err))
        api_fail(visit, HTTP_BAD_REQUEST, err.text);
    else if (answers[path].needs_workers)
        inspection_add_visit(api->inspection, &visit->inspected);
    else
        answers[path].answer(visit);
}

void api_on_request(void *context, struct http_request *request, const char *path)
{
    static const char unknown[] =
        "there is no such path; /api/v1/openapi.json lists those there are";
    enum http_path found;
    const char *segment;
    struct err err;

    if (!http_path_find(path, &found, &segment)) {
        send_sentence(request, HTTP_NOT_FOUND, unknown);
        return;
    }
    struct api_visit *visit = malloc(sizeof *visit);
    if (visit == NULL) {
        send_sentence(request, HTTP_UNAVAILABLE, no_memory);
        return;
    }
    *visit = (struct api_visit){.inspected = {.on_reports = api_on_reports},
                                .api = context,
                                .request = request,
                                .path = found};
    /* What has no arguments may be asked with a query: scrapers have their own. */
    const char *query = http_paths[found].schema == NULL ? NULL : http_query(request);
    if (!http_arguments_read(found, segment, query, &visit->arguments, &err))
        api_fail(visit, HTTP_BAD_REQUEST, err.text);
    else
        go_on(visit);
}

/* ---- life ---- */

void api_start(struct api *api, uv_loop_t *loop)
{
    reasons_lately_start(&api->reasons, loop, api->server);
    api_streams_start(&api->streams, loop);
}

void api_stop(struct api *api)
{
    reasons_lately_stop(&api->reasons);
    api_streams_stop(&api->streams);
}

void api_send_lines(struct api *api)
{
    api_streams_send(&api->streams);
}
