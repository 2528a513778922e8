#include "spacednsd/api_queries.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_OCTETS = QUERYLOG_LINE_OCTETS + 64 };

static const char events_type[] = "text/event-stream";
static const char query_head[] = "event: query\ndata: ";
static const char comment[] = ": alive\n\n";

/* ---- what is asked for ---- */

/* Borrows the visit's texts. Returns false with *err. */
static bool read_filter(const struct api_visit *visit, struct querylog_filter *filter,
                        struct err *err)
{
    const char *block = api_text_of(visit, ARGUMENT_QUERIES_CLIENT);
    const char *code = api_text_of(visit, ARGUMENT_QUERIES_REASON);

    *filter = (struct querylog_filter){.is_failed =
                                           visit->arguments.numbers[ARGUMENT_QUERIES_FAILED] == 1,
                                       .app = api_text_of(visit, ARGUMENT_QUERIES_APP),
                                       .space = api_text_of(visit, ARGUMENT_QUERIES_SPACE),
                                       .has_block = block != NULL};
    if (code != NULL && (filter->code = querylog_code_find(code, err)) == NULL)
        return false;
    return block == NULL || querylog_block_read(block, &filter->block, err);
}

/* ---- one answer ---- */

static void print_found(const struct querylog_found *found, FILE *out)
{
    char octets[QUERYLOG_LINE_OCTETS];

    fputs("{\"queries\":[", out);
    for (size_t i = 0; i < found->count; i++) {
        struct text text = text_over(octets, sizeof octets);
        querylog_format(&found->records[i], QUERYLOG_JSON, &text);
        fputs(i == 0 ? "\n" : ",\n", out);
        fwrite(octets, 1, text_length(&text) - 1, out);
    }
    fprintf(out, "],\"left_out\":%llu}\n", (unsigned long long)found->left_out);
}

static void answer_once(struct api_visit *visit, const struct querylog_filter *filter)
{
    struct querylog_found found;
    struct api_text text;

    querylog_find(server_log(visit->api->server), filter,
                  visit->arguments.numbers[ARGUMENT_QUERIES_COUNT], &found);
    if (found.records == NULL) {
        api_fail_memory(visit);
        return;
    }
    api_text_begin(&text);
    if (text.out != NULL)
        print_found(&found, text.out);
    free(found.records);
    api_text_send(&text, visit, HTTP_OK, NULL);
}

/* ---- streams ---- */

struct api_stream {
    struct api_visit *visit; /* the filter borrows its texts */
    struct http_stream *stream;
    struct querylog_reader *reader;
    struct querylog_found found; /* what was kept; the next one to send: */
    size_t next_found;
    struct querylog_lines lines; /* taken; the next one begins at: */
    size_t next_line;
    uint64_t dropped; /* and not reported yet */
    bool wants_comment;
    char frame[FRAME_OCTETS]; /* on its way; sent up to: */
    size_t length, sent;
    struct api_stream *next;
};

/* Frames are far shorter than the room for them. */
static void begin_frame(struct api_stream *stream, const char *octets, size_t length)
{
    assert(length <= FRAME_OCTETS);
    memcpy(stream->frame, octets, length);
    stream->length = length;
    stream->sent = 0;
}

static void add_to_frame(struct api_stream *stream, const char *octets, size_t length)
{
    assert(length <= FRAME_OCTETS - stream->length);
    memcpy(stream->frame + stream->length, octets, length);
    stream->length += length;
}

/* `line` ends with a newline; an empty one behind it ends the event. */
static void frame_line(struct api_stream *stream, const char *line, size_t length)
{
    begin_frame(stream, query_head, sizeof query_head - 1);
    add_to_frame(stream, line, length);
    add_to_frame(stream, "\n", 1);
}

static bool frame_found(struct api_stream *stream)
{
    char octets[QUERYLOG_LINE_OCTETS];
    struct text text = text_over(octets, sizeof octets);

    if (stream->next_found == stream->found.count)
        return false;
    querylog_format(&stream->found.records[stream->next_found++], QUERYLOG_JSON, &text);
    frame_line(stream, octets, text_length(&text));
    if (stream->next_found < stream->found.count)
        return true;
    free(stream->found.records);
    stream->found = (struct querylog_found){.records = NULL};
    stream->next_found = 0;
    return true;
}

static bool frame_taken(struct api_stream *stream)
{
    if (stream->next_line == stream->lines.length)
        return false;
    const char *line = stream->lines.octets + stream->next_line;
    const char *end = memchr(line, '\n', stream->lines.length - stream->next_line);
    assert(end != NULL); /* lines are taken whole */
    frame_line(stream, line, (size_t)(end + 1 - line));
    stream->next_line += (size_t)(end + 1 - line);
    return true;
}

static bool frame_dropped(struct api_stream *stream)
{
    char text[FRAME_OCTETS];

    if (stream->dropped == 0)
        return false;
    int length = snprintf(text, sizeof text, "event: dropped\ndata: {\"count\": %llu}\n\n",
                          (unsigned long long)stream->dropped);
    begin_frame(stream, text, (size_t)length);
    stream->dropped = 0;
    return true;
}

static bool frame_comment(struct api_stream *stream)
{
    if (!stream->wants_comment)
        return false;
    stream->wants_comment = false;
    begin_frame(stream, comment, sizeof comment - 1);
    return true;
}

/* Takes more from the log. What was lost is behind the lines that were taken. */
static bool take(struct api_stream *stream)
{
    struct querylog *log = server_log(stream->visit->api->server);

    stream->next_line = 0;
    if (!querylog_take(log, stream->reader, &stream->lines))
        return false;
    stream->dropped += stream->lines.lost + stream->lines.left_out;
    return true;
}

/* Makes the next frame. Returns false when there is nothing to send now. */
static bool make_frame(struct api_stream *stream)
{
    do {
        if (frame_found(stream) || frame_taken(stream) || frame_dropped(stream) ||
            frame_comment(stream))
            return true;
    } while (take(stream));
    return false;
}

static size_t api_stream_fill(void *context, char *to, size_t room)
{
    struct api_stream *stream = context;
    size_t filled = 0;

    while (filled < room && (stream->sent < stream->length || make_frame(stream))) {
        size_t left = stream->length - stream->sent;
        size_t length = left < room - filled ? left : room - filled;
        memcpy(to + filled, stream->frame + stream->sent, length);
        stream->sent += length;
        filled += length;
    }
    return filled;
}

static void free_stream(struct api_stream *stream)
{
    if (stream->reader != NULL)
        querylog_detach(server_log(stream->visit->api->server), stream->reader);
    free(stream->found.records);
    api_visit_free(stream->visit);
    free(stream);
}

static void api_stream_on_end(void *context)
{
    struct api_stream *stream = context;
    struct api_streams *streams = &stream->visit->api->streams;
    struct api_stream **link = &streams->first;

    while (*link != stream)
        link = &(*link)->next;
    *link = stream->next;
    streams->count--;
    free_stream(stream);
}

/* Returns NULL without memory; nothing lacks between what is kept and what comes. */
static struct api_stream *open_stream(struct api_visit *visit, const struct querylog_filter *filter)
{
    struct api_stream *stream = calloc(1, sizeof *stream);

    if (stream == NULL)
        return NULL;
    stream->visit = visit;
    stream->reader =
        querylog_attach(server_log(visit->api->server), filter, QUERYLOG_JSON,
                        visit->arguments.numbers[ARGUMENT_QUERIES_COUNT], &stream->found);
    if (stream->found.records == NULL)
        stream->found.count = 0;
    if (stream->reader != NULL)
        return stream;
    free(stream->found.records);
    free(stream);
    return NULL;
}

/* Those whose clients have not gone; the others are ended. */
static size_t count_followed(const struct api_streams *streams)
{
    size_t count = 0;

    for (const struct api_stream *each = streams->first; each != NULL; each = each->next)
        if (http_stream_is_gone(each->stream))
            http_stream_end(each->stream);
        else
            count++;
    return count;
}

static void answer_stream(struct api_visit *visit, const struct querylog_filter *filter)
{
    static const char too_many[] = "as many streams of queries are open as the server lets; close "
                                   "one of them, then ask again";
    struct api_streams *streams = &visit->api->streams;

    if (count_followed(streams) >= API_STREAMS_MOST) {
        api_fail(visit, HTTP_UNAVAILABLE, too_many);
        return;
    }
    struct api_stream *stream = open_stream(visit, filter);
    if (stream == NULL) {
        api_fail_memory(visit);
        return;
    }
    const struct http_stream_owner owner = {
        .fill = api_stream_fill, .on_end = api_stream_on_end, .context = stream};
    stream->stream = http_stream_begin(visit->request, events_type, &owner);
    if (stream->stream == NULL) {
        free_stream(stream);
        return;
    }
    stream->next = streams->first;
    streams->first = stream;
    streams->count++;
}

void api_answer_queries(struct api_visit *visit)
{
    const char *accepted = http_header(visit->request, "Accept");
    struct querylog_filter filter;
    struct err err;

    if (!read_filter(visit, &filter, &err))
        api_fail(visit, HTTP_BAD_REQUEST, err.text);
    else if (accepted != NULL && strstr(accepted, events_type) != NULL)
        answer_stream(visit, &filter);
    else
        answer_once(visit, &filter);
}

/* ---- all streams ---- */

void api_streams_send(struct api_streams *streams)
{
    for (struct api_stream *each = streams->first; each != NULL; each = each->next)
        http_stream_wake(each->stream);
}

/* A client that has gone is noticed when something is sent to it. */
static void api_streams_on_due(uv_timer_t *timer)
{
    struct api_streams *streams = timer->data;

    for (struct api_stream *each = streams->first; each != NULL; each = each->next)
        each->wants_comment = true;
    api_streams_send(streams);
}

void api_streams_start(struct api_streams *streams, uv_loop_t *loop)
{
    uv_timer_init(loop, &streams->timer);
    uv_unref((uv_handle_t *)&streams->timer);
    streams->timer.data = streams;
    streams->has_timer = true;
    uv_timer_start(&streams->timer, api_streams_on_due, API_STREAM_COMMENT_MS,
                   API_STREAM_COMMENT_MS);
}

void api_streams_stop(struct api_streams *streams)
{
    assert(streams->count == 0);
    if (streams->has_timer)
        uv_close((uv_handle_t *)&streams->timer, NULL);
    streams->has_timer = false;
}
