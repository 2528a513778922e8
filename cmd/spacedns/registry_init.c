#include "spacedns/registry_init.h"

#include "spacedns/registry_session.h"

int run_registry_init(struct session *session)
{
    return registry_fail_unnamed(session);
}
