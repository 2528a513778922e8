#include "serve/querylog_line.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/log.h"
#include "wire/types.h"

/* One pair; logfmt writes key=value, JSON "key":"value". */
struct pairs {
    struct text *text;
    enum querylog_format format;
    bool has_some;
};

static void add_json_string(struct text *text, const char *value, size_t length)
{
    text_add(text, "\"", 1);
    /* Values are printable ASCII already: names are escaped, the rest are our own texts. */
    for (size_t i = 0; i < length; i++) {
        if (value[i] == '"' || value[i] == '\\')
            text_add(text, "\\", 1);
        text_add(text, &value[i], 1);
    }
    text_add(text, "\"", 1);
}

static void add_key(struct pairs *pairs, const char *key)
{
    bool is_json = pairs->format == QUERYLOG_JSON;

    if (pairs->has_some)
        text_add_string(pairs->text, is_json ? "," : " ");
    pairs->has_some = true;
    text_add_string(pairs->text, is_json ? "\"" : "");
    text_add_string(pairs->text, key);
    text_add_string(pairs->text, is_json ? "\":" : "=");
}

static void add_word(struct pairs *pairs, const char *key, const char *value, size_t length)
{
    add_key(pairs, key);
    if (pairs->format == QUERYLOG_LOGFMT)
        log_add_value(pairs->text, value, length);
    else if (length == 0)
        text_add_string(pairs->text, "null");
    else
        add_json_string(pairs->text, value, length);
}

static void add_string(struct pairs *pairs, const char *key, const char *value)
{
    add_word(pairs, key, value, strlen(value));
}

/* Addresses and sentences are quoted; they contain no quotes themselves. */
static void add_quoted(struct pairs *pairs, const char *key, const char *value)
{
    add_key(pairs, key);
    add_json_string(pairs->text, value, strlen(value));
}

static void add_number(struct pairs *pairs, const char *key, uint64_t number)
{
    add_key(pairs, key);
    text_add_number(pairs->text, number);
}

static void add_reason(struct pairs *pairs, enum reason reason)
{
    const struct reason_entry *entry = reason_entry(reason);

    add_string(pairs, "at", entry->level == REASON_LEVEL_ERROR ? "error" : "info");
    if (reason == REASON_NONE)
        return;
    add_string(pairs, "code", entry->code);
    add_quoted(pairs, "desc", entry->description);
}

static void add_question(struct pairs *pairs, const struct querylog_record *record)
{
    char octets[4 * NAME_MAX_OCTETS];
    struct text text = text_over(octets, sizeof octets);

    if (record->name_length > 0)
        name_add(&text, record->name);
    add_word(pairs, "host", octets, text_length(&text));
    text = text_over(octets, sizeof octets);
    if (record->type != 0)
        type_add(&text, record->type);
    add_word(pairs, "qtype", octets, text_length(&text));
}

static void add_client(struct pairs *pairs, const struct querylog_record *record)
{
    const struct endpoint *client = &record->client;
    char address[INET6_ADDRSTRLEN] = "";

    inet_ntop(client->any.sa_family, endpoint_host(client), address, sizeof address);
    add_quoted(pairs, "fwd", address);
    add_string(pairs, "class", class_text((enum client_class)record->class));
    add_word(pairs, "space", record->space, record->space_length);
    add_word(pairs, "app", record->app, record->app_length);
}

/* Only the lines of forwarded names have these pairs. */
static void add_upstream(struct pairs *pairs, const struct querylog_record *record)
{
    static const char *const cached[] = {
        [UPSTREAM_ASKED] = "no", [UPSTREAM_CACHED] = "fresh", [UPSTREAM_STALE] = "stale"};

    if (record->upstream_use == UPSTREAM_UNUSED)
        return;
    add_word(pairs, "upstream", record->upstream, record->upstream_length);
    add_string(pairs, "cached", cached[record->upstream_use]);
}

static void add_result(struct pairs *pairs, const struct querylog_record *record)
{
    char octets[32];
    struct text text = text_over(octets, sizeof octets);

    rcode_add(&text, record->rcode);
    add_word(pairs, "status", octets, text_length(&text));
    add_number(pairs, "answers", record->answer_count);
    add_number(pairs, "ttl", record->ttl_seconds);
    text = text_over(octets, sizeof octets);
    text_add_number(&text, record->service_ms);
    text_add_string(&text, "ms");
    add_word(pairs, "service", octets, text_length(&text));
    add_number(pairs, "bytes", record->reply_octets);
    add_string(pairs, "protocol", record->transport == TRANSPORT_TCP ? "tcp" : "udp");
}

static struct pairs start_line(struct text *text, int64_t wall_us, enum querylog_format format)
{
    text_add_string(text, format == QUERYLOG_JSON ? "{\"time\":\"" : "");
    log_add_time(text, wall_us);
    text_add_string(text,
                    format == QUERYLOG_JSON ? "\",\"source\":\"heroku[dns]\"," : " heroku[dns]: ");
    return (struct pairs){.text = text, .format = format};
}

static void end_line(const struct pairs *pairs)
{
    text_add_string(pairs->text, pairs->format == QUERYLOG_JSON ? "}\n" : "\n");
}

void querylog_format(const struct querylog_record *record, enum querylog_format format,
                     struct text *text)
{
    struct pairs pairs = start_line(text, record->wall_us, format);

    add_reason(&pairs, (enum reason)record->reason);
    add_question(&pairs, record);
    add_client(&pairs, record);
    add_upstream(&pairs, record);
    add_result(&pairs, record);
    end_line(&pairs);
}

void querylog_format_left_out(int64_t wall_us, uint64_t count, const char *cause,
                              enum querylog_format format, struct text *text)
{
    struct pairs pairs = start_line(text, wall_us, format);

    add_string(&pairs, "at", "info");
    add_number(&pairs, "left_out", count);
    add_quoted(&pairs, "desc", cause);
    end_line(&pairs);
}
