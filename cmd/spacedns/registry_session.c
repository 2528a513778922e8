#include "spacedns/registry_session.h"

int registry_fail_unnamed(struct session *session)
{
    return session_fail(session, EXIT_REFUSED,
                        "the settings name no registry; set registry.endpoints and registry.cell "
                        "in the settings file, or name the file with --settings");
}
