/* A build without Landlock: sanitizers read and write files of their own. */
#include "spacednsd/landlock.h"

bool landlock_begin(struct landlock *landlock, struct err *err)
{
    *landlock = (struct landlock){.ruleset = -1};
    return err_set(err, ERR_SYSTEM, "it was left out of this build");
}

void landlock_allow(const struct landlock *landlock, const char *path, enum landlock_use use)
{
    (void)landlock;
    (void)path;
    (void)use;
}

bool landlock_enforce(struct landlock *landlock, struct err *err)
{
    (void)landlock;
    return err_set(err, ERR_SYSTEM, "it was left out of this build");
}
