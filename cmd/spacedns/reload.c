#include "spacedns/reload.h"

#include "spacedns/live.h"

int run_reload(struct session *session)
{
    const struct invocation *invocation = &session->invocation;

    if (invocation_has(invocation, OPTION_TRAFFIC) && !invocation_has(invocation, OPTION_DRY_RUN))
        return session_fail(session, EXIT_USAGE,
                            "--traffic shows what a reload would change; add --dry-run");
    return live_request(session);
}
