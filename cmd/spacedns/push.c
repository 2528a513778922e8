#include "spacedns/push.h"

#include "spacedns/registry_session.h"

int run_push(struct session *session)
{
    return registry_fail_unnamed(session);
}

int run_promote(struct session *session)
{
    return registry_fail_unnamed(session);
}
