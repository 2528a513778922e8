#include "spacedns/reload.h"

#include "spacedns/live.h"

int run_reload(struct session *session)
{
    return live_request(session);
}
