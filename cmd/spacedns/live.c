#include "spacedns/live.h"

static int run_talk(struct session *session, struct talk *talk, const struct invocation *invocation)
{
    if (talk->err == NULL)
        talk->err = session->err;
    talk->path = session_socket(session);
    if (talk_run(talk, invocation))
        return talk->code;
    session->is_server_absent = talk->is_absent;
    session_name_variable(session, OPTION_SOCKET, &talk->problem);
    return session_fail(session, EXIT_REFUSED, "%s", talk->problem.text);
}

int live_talk(struct session *session, struct talk *talk)
{
    if (!invocation_has(&session->invocation, OPTION_SOCKET) &&
        !session_read_host_settings(session))
        return EXIT_REFUSED;
    return run_talk(session, talk, &session->invocation);
}

int live_request(struct session *session)
{
    return live_talk(session, &(struct talk){.out = session->out});
}

int live_request_other(struct session *session, enum command_name command, const char *note)
{
    const struct invocation invocation = {
        .command = command,
        .options = {
            [OPTION_FORCE] = session->invocation.options[OPTION_FORCE], [OPTION_NOTE] = note}};

    return run_talk(session, &(struct talk){.out = session->err}, &invocation);
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
