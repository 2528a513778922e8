#include "spacednsd/upgrade_events.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "inspect/print.h"

enum { NS_PER_MS = 1000000 };

static uint64_t elapsed_ms(const struct upgrade *upgrade)
{
    return (clock_monotonic_ns() - upgrade->started_ns) / NS_PER_MS;
}

void upgrade_log_started(const struct upgrade *upgrade)
{
    struct log_line line;

    log_start(&line, LOG_INFO, "upgrade_started");
    log_string(&line, "program", upgrade->path);
    log_number(&line, "pid", (uint64_t)upgrade->pid);
    audit_log(&upgrade->audit, &line);
    log_send(&line);
}

void upgrade_log_done(const struct upgrade *upgrade, const char *generation)
{
    struct log_line line;

    log_start(&line, LOG_INFO, "upgrade_done");
    log_string(&line, "program", upgrade->path);
    log_number(&line, "pid", (uint64_t)upgrade->pid);
    log_string(&line, "version", upgrade->version);
    log_string(&line, "generation", generation);
    log_number(&line, "ms", elapsed_ms(upgrade));
    audit_log(&upgrade->audit, &line);
    log_send(&line);
}

void upgrade_print_done(const struct upgrade *upgrade, unsigned long long generation)
{
    struct call *call = upgrade->call;

    if (call == NULL)
        return;
    if (invocation_has(&call->invocation, OPTION_JSON))
        print_json(json_pack("{s:s, s:i, s:s, s:I, s:I}", "upgrade", "done", "pid",
                             (int)upgrade->pid, "version", upgrade->version, "generation",
                             (json_int_t)generation, "ms", (json_int_t)elapsed_ms(upgrade)),
                   call->out);
    else
        fprintf(call->out, "Upgrading... done, pid=%d version=%s generation=%llu ms=%llu\n",
                (int)upgrade->pid, upgrade->version, generation,
                (unsigned long long)elapsed_ms(upgrade));
}

void upgrade_print_failure(const struct upgrade *upgrade, FILE *to)
{
    fprintf(to, "Error: upgrade failed: %s%s%s; this server goes on, pid=%d version=%s\n",
            upgrade->problem.text, upgrade->output.last_line[0] == '\0' ? "" : ": ",
            upgrade->output.last_line, (int)getpid(), SPACEDNS_VERSION);
}

void upgrade_log_failure(const struct upgrade *upgrade)
{
    struct log_line line;

    log_start(&line, LOG_ERROR, "upgrade_failed");
    log_string(&line, "program", upgrade->path);
    log_string(&line, "text", upgrade->problem.text);
    if (upgrade->output.last_line[0] != '\0')
        log_string(&line, "last_line", upgrade->output.last_line);
    audit_log(&upgrade->audit, &line);
    log_send(&line);
}
