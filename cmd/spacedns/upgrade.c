#include "spacedns/upgrade.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "spacedns/live.h"

/* The server has another working folder, so it gets an absolute path. */
int run_upgrade(struct session *session)
{
    const char *path = invocation_operand(&session->invocation, 0);
    char real[PATH_MAX];

    if (path != NULL && realpath(path, real) == NULL)
        return session_fail(session, EXIT_REFUSED,
                            "%s cannot be opened: %s; name the new program, as "
                            "/usr/sbin/spacednsd",
                            path, strerror(errno));
    if (path != NULL)
        session->invocation.operands[0] = real;
    return live_request(session);
}
