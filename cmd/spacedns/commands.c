#include "spacedns/commands.h"

#include "registry/push.h"
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

/* Runs a command line once. *is_lost: another writer of the registry was first. */
static int run_once(int count, char *const *arguments, struct session *session, bool *is_lost)
{
    struct err refusal;

    *is_lost = false;
    if (!invocation_read(count, arguments, &session->invocation, &refusal))
        return session_fail(session, EXIT_USAGE, "%s", refusal.text);
    int code = run(session);
    *is_lost = session->is_lost;
    session_close(session);
    return code;
}

int commands_run(int count, char *const *arguments, FILE *out, FILE *err)
{
    int code = EXIT_REFUSED;
    bool is_lost = true;

    for (unsigned left = PUSH_TRIES; is_lost && left-- > 0;) {
        struct session session = {.out = out, .err = err, .tries_left = left};
        code = run_once(count, arguments, &session, &is_lost);
    }
    return code;
}
