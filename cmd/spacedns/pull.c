#include "spacedns/pull.h"

#include "spacedns/registry_session.h"

int run_pull(struct session *session)
{
    return registry_fail_unnamed(session);
}
