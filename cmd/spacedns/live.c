#include "spacedns/live.h"

#include "spacedns/talk.h"

static int send_request(struct session *session, const struct invocation *invocation, FILE *out)
{
    struct talk talk = {.out = out, .err = session->err, .path = session_socket(session)};

    if (talk_run(&talk, invocation))
        return talk.code;
    session->is_server_absent = talk.is_absent;
    session_name_variable(session, OPTION_SOCKET, &talk.problem);
    return session_fail(session, EXIT_REFUSED, "%s", talk.problem.text);
}

int live_request(struct session *session)
{
    if (!invocation_has(&session->invocation, OPTION_SOCKET) &&
        !session_read_host_settings(session))
        return EXIT_REFUSED;
    return send_request(session, &session->invocation, session->out);
}

int live_request_other(struct session *session, enum command_name command, const char *note)
{
    const struct invocation invocation = {
        .command = command,
        .options = {
            [OPTION_FORCE] = session->invocation.options[OPTION_FORCE], [OPTION_NOTE] = note}};

    return send_request(session, &invocation, session->err);
}

int run_status(struct session *session)
{
    return live_request(session);
}

int run_kept_back(struct session *session)
{
    return live_request(session);
}

int run_forget(struct session *session)
{
    return live_request(session);
}

int run_cache(struct session *session)
{
    return live_request(session);
}

int run_cache_flush(struct session *session)
{
    return live_request(session);
}
