#include "spacedns/logs.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "spacedns/color.h"
#include "spacedns/live.h"

/* ---- colour ---- */

/* Prints `line` up to `end` as it is, then `length` octets in a colour; returns what follows. */
static const char *print_part(const struct session *session, FILE *out, const char *line,
                              const char *end, size_t length, enum color color)
{
    char part[128];

    fwrite(line, 1, (size_t)(end - line), out);
    snprintf(part, sizeof part, "%.*s", (int)length, end);
    color_print(session, out, color, part);
    return end + strlen(part);
}

/* No value before these has a blank and what is looked for: names are escaped. */
static void print_colored(void *context, FILE *out, const char *line)
{
    static const char failed[] = "at=error", app[] = " app=";
    const struct session *session = context;
    const char *at = strstr(line, failed);

    if (at != NULL && at < strstr(line, "host="))
        line = print_part(session, out, line, at, strlen(failed), COLOR_BAD);
    at = strstr(line, app);
    if (at != NULL && (at += strlen(app))[0] != ' ')
        line = print_part(session, out, line, at, strcspn(at, " "), COLOR_MILD);
    fputs(line, out);
}

/* ---- following ---- */

/* Every line has been flushed. */
static void end_on_signal(int number)
{
    (void)number;
    _exit(EXIT_DONE);
}

int run_logs(struct session *session)
{
    struct talk talk = {.out = session->out,
                        .is_endless = invocation_has(&session->invocation, OPTION_TAIL),
                        .context = session};

    if (!session->is_json && session_has_color(session, session->out))
        talk.on_line = print_colored;
    if (talk.is_endless)
        sigaction(SIGINT, &(struct sigaction){.sa_handler = end_on_signal}, NULL);
    return live_talk(session, &talk);
}
