#include "spacedns/commands.h"

#include "spacedns/session.h"

/* Each command is a function of its group's file. */
#define COMMAND(symbol, function, name, operands, least, most, needed, options, group, help)       \
    session_command run_##function;
#include "control/commands.def"

static session_command *const functions[COMMAND_COUNT] = {
#define COMMAND(symbol, function, name, operands, least, most, needed, options, group, help)       \
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

int commands_run(int count, char *const *arguments, FILE *out, FILE *err)
{
    struct session session = {.out = out, .err = err};
    struct err refusal;

    if (!invocation_read(count, arguments, &session.invocation, &refusal))
        return session_fail(&session, EXIT_USAGE, "%s", refusal.text);
    int code = run(&session);
    session_close(&session);
    return code;
}
