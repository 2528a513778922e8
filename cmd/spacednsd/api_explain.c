#include "spacednsd/api_explain.h"

#include "spacednsd/workers.h"

static void api_fill_explain(const struct inspection_visit *inspected,
                             const struct snapshot *current, struct report_request *request)
{
    const struct api_visit *visit = (const struct api_visit *)inspected;

    request->has_query = true;
    request->query = visit->explained.query;
    request->path = explain_path(current, &visit->explained.source);
}

/* The sentences of explain_request_read about the client name options of a command. */
static bool check_client(const char *from, const char *to, struct err *err)
{
    struct explain_source source;
    uint32_t address;

    if (!explain_read_source(from, &source))
        return err_set(err, ERR_SYNTAX, "from is no address: %.80s; write one as 10.0.130.56",
                       from);
    return to == NULL || ipv4_read(to, &address) ||
           err_set(err, ERR_SYNTAX,
                   "to is no IPv4 address: %.80s; write one that the server listens on", to);
}

bool api_prepare_explain(struct api_visit *visit, struct err *err)
{
    const struct explain_question words = {
        .name = api_text_of(visit, ARGUMENT_EXPLAIN_NAME),
        .type = api_text_of(visit, ARGUMENT_EXPLAIN_TYPE),
        .client = {.from = api_text_of(visit, ARGUMENT_EXPLAIN_FROM),
                   .to = api_text_of(visit, ARGUMENT_EXPLAIN_TO)}};

    const char *host;
    int length;

    visit->inspected.fill = api_fill_explain;
    if (explain_is_web_address(words.name, &host, &length))
        return err_set(err, ERR_SYNTAX, "%.80s is a web address; write its host alone: %.*s",
                       words.name, length, host);
    return check_client(words.client.from, words.client.to, err) &&
           explain_request_read(&words, &visit->explained, err);
}

void api_answer_explain(struct api_visit *visit)
{
    struct api_text text;

    api_text_begin(&text);
    if (text.out != NULL)
        workers_explain(visit->api->source, &visit->explained, true, text.out);
    api_text_send(&text, visit, HTTP_OK, NULL);
}
