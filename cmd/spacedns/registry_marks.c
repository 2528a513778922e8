#include "spacedns/registry_marks.h"

#include "spacedns/registry_session.h"

int run_registry_pause(struct session *session)
{
    return registry_fail_unnamed(session);
}

int run_registry_resume(struct session *session)
{
    return registry_fail_unnamed(session);
}

int run_registry_accept(struct session *session)
{
    return registry_fail_unnamed(session);
}
