#include "spacedns/explain.h"

#include <string.h>

#include "control/explain_call.h"
#include "spacedns/live.h"

/* An app's bare name is not one of its names in the DNS, so it is explained as any other name. */
static void advise_app(const struct session *session, const char *name)
{
    struct index_entry selected;

    if (strchr(name, '.') == NULL &&
        snapshot_find_app(session->snapshot, name, strlen(name), &selected))
        fprintf(session->err,
                "%s is an app; its names are those that spacedns domains -a %s lists\n", name,
                name);
}

/* The server knows best, unless another folder may be meant or there is no server. */
static bool reads_files(struct session *session)
{
    const struct invocation *invocation = &session->invocation;

    if (!invocation_has(invocation, OPTION_FROM))
        return false;
    return invocation_has(invocation, OPTION_ZONES) ||
           (session_server_zones(session) == NULL && session->is_server_absent);
}

int run_whoami(struct session *session)
{
    const struct explain_client words = explain_call_client(&session->invocation);
    struct explain_source client = {0};
    struct err err;

    if (!explain_read_client(&words, &client, &err))
        return session_fail(session, EXIT_USAGE, "%s", err.text);
    if (!session_read_host_settings(session))
        return EXIT_REFUSED;
    if (!reads_files(session))
        return live_request(session);
    if (!session_must_load(session))
        return EXIT_REFUSED;
    session_print_sources(session);
    explain_print_client(session->snapshot, &client, session->is_json, session->out);
    return EXIT_DONE;
}

int run_explain(struct session *session)
{
    const char *name = invocation_operand(&session->invocation, 0), *host;
    struct explain_question words = explain_call_question(&session->invocation);
    struct explain_request request;
    struct err err;
    int length;

    if (explain_is_web_address(name, &host, &length))
        return session_fail(session, EXIT_USAGE,
                            "%s is a web address; write its host alone: spacedns explain %.*s",
                            name, length, host);
    if (!explain_request_read(&words, &request, &err))
        return session_fail(session, EXIT_USAGE, "%s", err.text);
    if (invocation_has(&session->invocation, OPTION_LIVE))
        return live_request(session);
    if (!session_must_load(session))
        return EXIT_REFUSED;
    session_print_sources(session);
    explain_print(session->snapshot, &request, NULL, session->is_json, session->out);
    advise_app(session, name);
    return EXIT_DONE;
}
