/* A build without libseccomp. */
#include "spacednsd/seccomp.h"

#include <stddef.h>

const char *seccomp_library(void)
{
    return NULL;
}

bool seccomp_enter(enum seccomp_mode mode, bool may_listen, struct err *err)
{
    (void)mode;
    (void)may_listen;
    return err_set(err, ERR_SYSTEM, "it was left out of this build");
}
