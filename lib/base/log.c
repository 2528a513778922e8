#include "base/log.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/file.h"
#include "base/journal.h"

enum {
    MICROSECONDS = 1000000,
    TIME_TEXT_MOST = 64,
    LINE_END_OCTETS = 4, /* "...\n" */
    FIRST_OTHER = 0x80,  /* the first octet that is not ASCII */
};

static const char *const level_names[LOG_LEVEL_COUNT] = {
    [LOG_ERROR] = "error",
    [LOG_WARNING] = "warning",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
};

/* As syslog numbers them, for the journal (sd-daemon(3)). */
static const char *const priorities[LOG_LEVEL_COUNT] = {
    [LOG_ERROR] = "<3>",
    [LOG_WARNING] = "<4>",
    [LOG_INFO] = "<6>",
    [LOG_DEBUG] = "<7>",
};

/* The one mutable global: the level is the same for the whole process ... */
static atomic_uint log_level = LOG_INFO;

/*
 * ... and so is standard error: its writer, and the lines it lost. A mutex of libuv would have to
 * be made first, and the first line may come from any thread.
 */
static pthread_mutex_t sending = PTHREAD_MUTEX_INITIALIZER;
static int output = STDERR_FILENO;
static atomic_bool is_journal; /* it notes the time itself */
static uint64_t lines_lost;

void log_open(void)
{
    int descriptor = file_open_unwaiting(STDERR_FILENO);

    atomic_store_explicit(&is_journal, journal_is_reading(), memory_order_relaxed);
    pthread_mutex_lock(&sending);
    if (descriptor >= 0)
        output = descriptor;
    pthread_mutex_unlock(&sending);
}

int log_descriptor(void)
{
    pthread_mutex_lock(&sending);
    int descriptor = output;
    pthread_mutex_unlock(&sending);
    return descriptor;
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&log_level, level, memory_order_relaxed);
}

void log_add_time(struct text *text, int64_t wall_us)
{
    int64_t fraction = (wall_us % MICROSECONDS + MICROSECONDS) % MICROSECONDS;
    time_t seconds = (wall_us - fraction) / MICROSECONDS;
    struct tm utc = {0};
    char written[TIME_TEXT_MOST];

    gmtime_r(&seconds, &utc);
    size_t length = strftime(written, sizeof written, "%FT%T", &utc);
    snprintf(written + length, sizeof written - length, ".%06u+00:00", (unsigned)fraction);
    text_add_string(text, written);
}

static bool is_bare(const char *value, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (value[i] <= ' ' || value[i] > '~' || strchr("\"\\=", value[i]) != NULL)
            return false;
    return true;
}

/*
 * As in escape.h, but for control characters that logfmt readers expect to be escaped as in JSON.
 * Other octets are no characters, and \u00ff would be read as one: they keep escape.h's form, whose
 * backslash is escaped.
 */
static size_t add_character(struct text *text, const char *octets, size_t length)
{
    static const char hex[] = "0123456789abcdef";
    struct text probe = *text;
    size_t read = escape_next(&probe, octets, length);
    unsigned char octet = (unsigned char)octets[0];

    if (probe.cut || *text->next != '\\') {
        *text = probe;
        return read;
    }
    if (octet < FIRST_OTHER)
        text_add(text, (char[]){'\\', 'u', '0', '0', hex[octet >> 4], hex[octet & 15]}, 6);
    else
        text_add(text, (char[]){'\\', '\\', 'x', hex[octet >> 4], hex[octet & 15]}, 5);
    return 1;
}

void log_add_value(struct text *text, const char *value, size_t length)
{
    if (is_bare(value, length)) {
        text_add(text, value, length);
        return;
    }
    text_add(text, "\"", 1);
    for (size_t i = 0; i < length && !text->cut;) {
        if (value[i] == '"' || value[i] == '\\')
            text_add(text, (char[]){'\\', value[i++]}, 2);
        else
            i += add_character(text, value + i, length - i);
    }
    text_add(text, "\"", 1);
}

void log_start(struct log_line *line, enum log_level level, const char *event)
{
    line->is_wanted = level <= atomic_load_explicit(&log_level, memory_order_relaxed);
    if (!line->is_wanted)
        return;
    line->text = text_over(line->octets, sizeof line->octets - LINE_END_OCTETS);
    if (atomic_load_explicit(&is_journal, memory_order_relaxed)) {
        text_add_string(&line->text, priorities[level]);
    } else {
        log_add_time(&line->text, clock_wall_us());
        text_add(&line->text, " ", 1);
    }
    text_add_string(&line->text, level_names[level]);
    text_add(&line->text, " ", 1);
    text_add_string(&line->text, event);
}

static void add_key(struct log_line *line, const char *key)
{
    text_add(&line->text, " ", 1);
    text_add_string(&line->text, key);
    text_add(&line->text, "=", 1);
}

void log_string(struct log_line *line, const char *key, const char *value)
{
    if (!line->is_wanted)
        return;
    add_key(line, key);
    if (value != NULL)
        log_add_value(&line->text, value, strlen(value));
}

void log_number(struct log_line *line, const char *key, uint64_t number)
{
    if (!line->is_wanted)
        return;
    add_key(line, key);
    text_add_number(&line->text, number);
}

/* Writes as much as fits at once. A pipe that polls as writable has room for PIPE_BUF octets. */
static bool write_now(const struct text *text)
{
    struct pollfd room = {.fd = output, .events = POLLOUT};
    size_t length = text_length(text);

    return poll(&room, 1, 0) == 1 && (room.revents & POLLOUT) != 0 &&
           write(output, text->start, length) == (ssize_t)length;
}

static void end_line(struct text *text)
{
    text->end += LINE_END_OCTETS;
    text_add_string(text, text->cut ? "...\n" : "\n");
}

/* Logs the loss. Returns false when even that cannot be written. */
static bool send_loss(void)
{
    struct log_line line;
    uint64_t lost = lines_lost;

    if (lost == 0)
        return true;
    log_start(&line, LOG_ERROR, "log_lost");
    assert(line.is_wanted); /* errors are always logged */
    log_number(&line, "count", lost);
    log_string(&line, "text",
               "standard error took no lines for a while: what reads it stood still, or its disk "
               "was full");
    end_line(&line.text);
    if (!write_now(&line.text))
        return false;
    lines_lost = 0;
    return true;
}

void log_send(struct log_line *line)
{
    if (!line->is_wanted)
        return;
    end_line(&line->text);
    /* One thread at a time: no other may use up the polled room before this one writes. */
    pthread_mutex_lock(&sending);
    if (!send_loss() || !write_now(&line->text))
        lines_lost++;
    pthread_mutex_unlock(&sending);
}

void log_sentence(enum log_level level, const char *event, const char *sentence)
{
    struct log_line line;

    log_start(&line, level, event);
    log_string(&line, "text", sentence);
    log_send(&line);
}
