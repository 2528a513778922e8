#include "serve/querylog_output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

enum {
    /* A pipe that polls as writable accepts so much without blocking (PIPE_BUF). */
    WRITE_OCTETS = 4096,
    FAILURE_SECONDS = 60,
};

static const uint64_t second_ns = 1000000000;

bool querylog_output_init(struct querylog_output *output, int descriptor,
                          enum querylog_format format)
{
    *output = (struct querylog_output){.descriptor = descriptor,
                                       .nonblocking = file_open_unwaiting(descriptor),
                                       .format = format,
                                       .filling = malloc(QUERYLOG_OUTPUT_OCTETS),
                                       .writing = malloc(QUERYLOG_OUTPUT_OCTETS)};
    return output->filling != NULL && output->writing != NULL;
}

void querylog_output_close(struct querylog_output *output)
{
    if (output->nonblocking >= 0)
        close(output->nonblocking);
    free(output->filling);
    free(output->writing);
}

/* ---- adding ---- */

/* Room for one line; .end is .start when there is none. */
static struct text begin_line(const struct querylog_output *output)
{
    bool has_room = QUERYLOG_OUTPUT_OCTETS - output->filled >= QUERYLOG_LINE_OCTETS;

    return text_over(output->filling + output->filled, has_room ? QUERYLOG_LINE_OCTETS : 0);
}

void querylog_output_set_second(struct querylog_output *output, uint64_t second)
{
    struct text text = begin_line(output);

    if (!querylog_budget_is_due(&output->budget, second) || text.end == text.start)
        return;
    querylog_format_left_out(clock_wall_us(), output->budget.left_out,
                             "more lines than log_rate allows in a second", output->format, &text);
    output->filled += text_length(&text);
    output->budget.left_out = 0;
}

void querylog_output_add(struct querylog_output *output, const struct querylog_record *record)
{
    uint64_t second = record->added_ns / second_ns;

    if (!querylog_output_takes(output, record->kind))
        return;
    querylog_output_set_second(output, second);
    if (!querylog_budget_take(&output->budget, output->rate, second))
        return;
    struct text text = begin_line(output);
    if (text.end == text.start) {
        output->dropped++;
        return;
    }
    querylog_format(record, output->format, &text);
    output->filled += text_length(&text);
}

void querylog_output_skip(struct querylog_output *output, unsigned kind, uint64_t count)
{
    if (querylog_output_takes(output, kind))
        output->budget.left_out += count;
}

void querylog_output_exchange(struct querylog_output *output)
{
    char *written = output->writing;

    if (querylog_output_is_waiting(output) || output->filled == 0)
        return;
    output->writing = output->filling;
    output->length = output->filled;
    output->written = 0;
    output->filling = written;
    output->filled = 0;
}

/* ---- writing ---- */

/* A full disk stays full for long, and the log itself may be written to it. */
static void log_failure(struct querylog_output *output, int error)
{
    struct log_line line;
    uint64_t lost = atomic_load(&output->lost), now = clock_monotonic_ns();

    if (output->failed_ns != 0 && now - output->failed_ns < FAILURE_SECONDS * second_ns)
        return;
    log_start(&line, LOG_ERROR, "querylog_failed");
    log_string(&line, "error", strerror(error));
    log_number(&line, "count", lost - output->lost_logged);
    log_string(&line, "text",
               "query log lines cannot be written to standard output; they are dropped and counted "
               "until that works again");
    log_send(&line);
    output->lost_logged = lost;
    output->failed_ns = now;
}

void querylog_output_give_up(struct querylog_output *output)
{
    uint64_t count = 0;

    for (size_t i = output->written; i < output->length; i++)
        count += output->writing[i] == '\n';
    atomic_store(&output->lost, atomic_load(&output->lost) + count);
    if (output->written > 0)
        output->is_torn = output->writing[output->written - 1] != '\n';
    output->length = output->written = 0;
}

static void take_error(struct querylog_output *output, int error)
{
    output->is_full = error == EAGAIN; /* it has room, but not for this piece */
    if (error == EAGAIN || error == EINTR)
        return;
    querylog_output_give_up(output);
    log_failure(output, error);
}

void querylog_output_write(struct querylog_output *output)
{
    /* Ends the line that a failure has cut, so that the next one begins on its own line. */
    bool ends_torn = output->is_torn && output->written == 0;
    const char *piece = ends_torn ? "\n" : output->writing + output->written;
    size_t length = ends_torn ? 1 : output->length - output->written;
    ssize_t done = write(querylog_output_descriptor(output), piece,
                         length > WRITE_OCTETS ? WRITE_OCTETS : length);

    output->is_full = false;
    if (done < 0)
        take_error(output, errno);
    else if (ends_torn)
        output->is_torn = done == 0;
    else
        output->written += (size_t)done;
}
