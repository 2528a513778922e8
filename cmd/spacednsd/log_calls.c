#include "spacednsd/log_calls.h"

#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/number.h"
#include "control/control_stream.h"

enum { CODE_DONE = 0, CODE_REFUSED = 1, CODE_USAGE = 2, COUNT_TEXT_MOST = 32 };

struct log_stream {
    struct log_calls *calls;
    struct call *call;
    struct querylog_reader *reader;
    struct log_stream *next;
};

static void fail(struct call *call, int code, const char *sentence)
{
    fprintf(call->err, "Error: %s\n", sentence);
    call_finish(call, code);
}

/* ---- what is asked for ---- */

/* Borrows the call's texts. */
struct wanted {
    struct querylog_filter filter;
    enum querylog_format format;
    size_t most;
    bool is_tail;
};

static bool read_number(const char *text, size_t *most, struct err *err)
{
    uint64_t number;

    if (!number_from_text(text, strlen(text), &number) || number > QUERYLOG_KEPT_MOST)
        return err_set(err, ERR_SYNTAX, "%.40s is no number of lines; give one from 0 to %d", text,
                       QUERYLOG_KEPT_MOST);
    *most = (size_t)number;
    return true;
}

static bool read_wanted(const struct invocation *invocation, struct wanted *wanted, struct err *err)
{
    const char *const *options = invocation->options;
    struct querylog_filter *filter = &wanted->filter;

    *wanted = (struct wanted){.filter = {.is_failed = invocation_has(invocation, OPTION_FAILED),
                                         .app = options[OPTION_APP],
                                         .space = options[OPTION_SPACE],
                                         .has_block = invocation_has(invocation, OPTION_CLIENT)},
                              .format = invocation_has(invocation, OPTION_JSON) ? QUERYLOG_JSON
                                                                                : QUERYLOG_LOGFMT,
                              .most = LOG_LINES_USUAL,
                              .is_tail = invocation_has(invocation, OPTION_TAIL)};
    if (options[OPTION_REASON] != NULL) {
        filter->code = querylog_code_find(options[OPTION_REASON], err);
        if (filter->code == NULL)
            return false;
    }
    return (!filter->has_block ||
            querylog_block_read(options[OPTION_CLIENT], &filter->block, err)) &&
           (options[OPTION_NUM] == NULL || read_number(options[OPTION_NUM], &wanted->most, err));
}

/* ---- printing ---- */

/* "1,204" */
static const char *format_count(uint64_t count, char text[COUNT_TEXT_MOST])
{
    char digits[COUNT_TEXT_MOST];
    size_t length = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    char *to = text;

    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return text;
}

static void print_records(const struct wanted *wanted, const struct querylog_found *found,
                          FILE *out)
{
    char octets[QUERYLOG_LINE_OCTETS];

    for (size_t i = 0; i < found->count; i++) {
        struct text text = text_over(octets, sizeof octets);
        querylog_format(&found->records[i], wanted->format, &text);
        fwrite(octets, 1, text_length(&text), out);
    }
}

static void print_found(struct call *call, const struct wanted *wanted,
                        const struct querylog_found *found)
{
    bool is_plain = querylog_filter_is_plain(&wanted->filter);
    char count[COUNT_TEXT_MOST];

    print_records(wanted, found, call->out);
    if (found->left_out > 0)
        fprintf(call->err,
                "… %s more were not kept%s: at most %d failures and %d others are in a second\n",
                format_count(found->left_out, count), is_plain ? "" : ", whether they match or not",
                QUERYLOG_KEPT_RATE, QUERYLOG_KEPT_RATE);
}

static void print_lines(struct call *call, const struct querylog_lines *lines)
{
    char count[COUNT_TEXT_MOST];

    fwrite(lines->octets, 1, lines->length, call->out);
    if (lines->lost > 0)
        fprintf(call->err, "… %s lines lost: this reader was slower than they came\n",
                format_count(lines->lost, count));
    if (lines->left_out > 0)
        fprintf(call->err, "… %s more came: at most %d lines are shown in a second\n",
                format_count(lines->left_out, count), QUERYLOG_READER_RATE);
}

/* Of an app or a space that is not served no query is kept, but of one that was removed. */
static void print_none_found(const struct log_calls *calls, const struct wanted *wanted, FILE *err)
{
    const struct snapshot *snapshot = server_current(calls->server);
    const char *app = wanted->filter.app, *space = wanted->filter.space;
    struct index_entry entry;

    if (app != NULL && !snapshot_find_app(snapshot, app, strlen(app), &entry))
        escape_printf(err,
                      "No query is kept that fits, and no app %s is served; spacedns apps "
                      "lists them\n",
                      app);
    else if (space != NULL && snapshot_find_space(snapshot, space) == NULL)
        escape_printf(err,
                      "No query is kept that fits, and no space %s is served; spacedns spaces "
                      "lists them\n",
                      space);
    else if (!wanted->is_tail)
        fputs("No query is kept that fits; wait for one with --tail\n", err);
}

/* ---- streams ---- */

static void send_lines(struct log_stream *stream)
{
    struct querylog *log = server_log(stream->calls->server);
    struct querylog_lines lines;

    while (call_is_ready(stream->call) && querylog_take(log, stream->reader, &lines)) {
        print_lines(stream->call, &lines);
        call_send(stream->call);
    }
}

void log_calls_send(struct log_calls *calls)
{
    for (struct log_stream *each = calls->streams; each != NULL; each = each->next)
        send_lines(each);
}

static void end_stream(struct log_stream *stream)
{
    struct log_stream **link = &stream->calls->streams;

    while (*link != stream)
        link = &(*link)->next;
    *link = stream->next;
    querylog_detach(server_log(stream->calls->server), stream->reader);
    free(stream);
}

void log_calls_stop(struct log_calls *calls, const char *sentence)
{
    while (calls->streams != NULL) {
        struct call *call = calls->streams->call;
        send_lines(calls->streams);
        end_stream(calls->streams);
        fail(call, CODE_REFUSED, sentence);
    }
}

static struct log_stream *stream_of(const struct log_calls *calls, const struct call *call)
{
    struct log_stream *stream = calls->streams;

    while (stream->call != call)
        stream = stream->next;
    return stream;
}

static void log_calls_on_ready(void *context, struct call *call)
{
    send_lines(stream_of(context, call));
}

static void log_calls_on_gone(void *context, struct call *call)
{
    end_stream(stream_of(context, call));
    call_finish(call, CODE_DONE);
}

static void log_calls_on_stalled(void *context, struct call *call, const char *sentence)
{
    end_stream(stream_of(context, call));
    fail(call, CODE_REFUSED, sentence);
}

/* What is kept goes first, and nothing lacks between it and what comes. */
static bool begin_stream(struct log_calls *calls, struct call *call, const struct wanted *wanted)
{
    struct log_stream *stream = malloc(sizeof *stream);
    struct querylog_found found = {.records = NULL};

    if (stream == NULL)
        return false;
    *stream = (struct log_stream){.calls = calls, .call = call, .next = calls->streams};
    stream->reader = querylog_attach(server_log(calls->server), &wanted->filter, wanted->format,
                                     wanted->most, &found);
    bool passed = stream->reader != NULL;
    if (passed) {
        calls->streams = stream;
        print_found(call, wanted, &found);
        if (found.count == 0)
            print_none_found(calls, wanted, call->err);
        call_send(call);
    } else {
        free(stream);
    }
    free(found.records);
    return passed;
}

static void answer_tail(struct log_calls *calls, struct call *call, const struct wanted *wanted)
{
    const struct call_stream stream = {.on_ready = log_calls_on_ready,
                                       .on_gone = log_calls_on_gone,
                                       .on_stalled = log_calls_on_stalled,
                                       .context = calls};

    if (!call_begin_stream(call, &stream))
        fail(call, CODE_REFUSED,
             "as many commands follow the query log as the server lets; end one of them with "
             "Ctrl-C, then try again");
    else if (!begin_stream(calls, call, wanted))
        fail(call, CODE_REFUSED, "out of memory");
}

/* ---- one answer ---- */

static void answer_once(const struct log_calls *calls, struct call *call,
                        const struct wanted *wanted)
{
    struct querylog_found found;

    querylog_find(server_log(calls->server), &wanted->filter, wanted->most, &found);
    if (found.records == NULL) {
        fail(call, CODE_REFUSED, "out of memory");
        return;
    }
    print_found(call, wanted, &found);
    if (found.count == 0 && wanted->most > 0)
        print_none_found(calls, wanted, call->err);
    free(found.records);
    call_finish(call, CODE_DONE);
}

void log_calls_answer(struct log_calls *calls, struct call *call)
{
    struct wanted wanted;
    struct err err;

    if (!read_wanted(&call->invocation, &wanted, &err))
        fail(call, CODE_USAGE, err.text);
    else if (wanted.is_tail)
        answer_tail(calls, call, &wanted);
    else
        answer_once(calls, call, &wanted);
}
