/*
 * spacedns: the operator's command; commands.def lists its commands.
 */
#include <errno.h>
#include <string.h>

#include "spacedns/session.h"

/* Each command is a function of its group's file. */
#define COMMAND(symbol, function, name, operands, least, most, options, group, help)               \
    session_command run_##function;
#include "control/commands.def"

static session_command *const functions[COMMAND_COUNT] = {
#define COMMAND(symbol, function, name, operands, least, most, options, group, help)               \
    [COMMAND_##symbol] = run_##function,
#include "control/commands.def"
};

static int run(struct session *session)
{
    if (!session_init(session))
        return EXIT_USAGE;
    if (invocation_has(&session->invocation, OPTION_HELP))
        return run_help(session);
    return functions[session->invocation.command](session);
}

/* Output that cannot be written is an error, except to a reader that closed the pipe (EPIPE). */
static int finish(int code)
{
    errno = 0;
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return code;
    if (errno == 0)
        fputs("Error: the output could not be written completely; is the disk full?\n", stderr);
    else if (errno != EPIPE)
        fprintf(stderr, "Error: the output could not be written: %s\n", strerror(errno));
    return code == EXIT_DONE ? EXIT_REFUSED : code;
}

int main(int argc, char **argv)
{
    struct session session = {.out = stdout, .err = stderr};
    struct err err;

    if (!invocation_read(argc - 1, argv + 1, &session.invocation, &err))
        return session_fail(&session, EXIT_USAGE, "%s", err.text);
    int code = run(&session);
    session_close(&session);
    return finish(code);
}
