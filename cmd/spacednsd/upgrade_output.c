#include "spacednsd/upgrade_output.h"

#include <string.h>
#include <unistd.h>

#include "base/log.h"

enum { LINES_LOGGED_MOST = 100, READ_OCTETS = 4096 };

/* True for an event of the log that is no error: not why a start failed. */
static bool is_harmless(const char *line)
{
    size_t time = strcspn(line, " ");

    return strncmp(line + time, " info ", 6) == 0 || strncmp(line + time, " warning ", 9) == 0;
}

void upgrade_output_end_line(struct upgrade_output *output)
{
    output->line[output->length] = '\0';
    output->length = 0;
    if (output->line[0] == '\0')
        return;
    if (!is_harmless(output->line))
        memcpy(output->last_line, output->line, sizeof output->line);
    if (output->logged++ < LINES_LOGGED_MOST)
        log_sentence(LOG_INFO, "upgrade_output", output->line);
}

static void take_octets(struct upgrade_output *output, const char *octets, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (octets[i] == '\n')
            upgrade_output_end_line(output);
        else if (output->length < sizeof output->line - 1)
            output->line[output->length++] = octets[i];
    }
}

bool upgrade_output_read(struct upgrade_output *output)
{
    char octets[READ_OCTETS];
    ssize_t length;

    while ((length = read(output->descriptor, octets, sizeof octets)) > 0)
        take_octets(output, octets, (size_t)length);
    return length != 0;
}
