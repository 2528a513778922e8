#include "spacedns/explain.h"

#include "control/asking.h"
#include "spacedns/live.h"

int run_explain(struct session *session)
{
    struct asking asking;
    struct err err;

    if (!asking_read(&session->invocation, &asking, &err))
        return session_fail(session, EXIT_USAGE, "%s", err.text);
    if (invocation_has(&session->invocation, OPTION_LIVE))
        return live_ask(session);
    if (!session_must_load(session))
        return EXIT_REFUSED;
    asking_tell(session->snapshot, &asking, session->is_json, session->out);
    return EXIT_DONE;
}
