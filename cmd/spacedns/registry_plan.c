#include "spacedns/registry_plan.h"

#include "spacedns/registry_session.h"

int registry_check(struct session *session)
{
    return registry_fail_unnamed(session);
}

int registry_plan(struct session *session)
{
    return registry_fail_unnamed(session);
}
