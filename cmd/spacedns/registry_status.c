#include "spacedns/registry_status.h"

#include "spacedns/registry_session.h"

int run_registry(struct session *session)
{
    return registry_fail_unnamed(session);
}

int run_registry_replicas(struct session *session)
{
    return registry_fail_unnamed(session);
}
