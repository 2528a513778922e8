/* A build without libcap-ng. */
#include "spacednsd/capabilities.h"

#include <stdio.h>

const char *capabilities_library(void)
{
    return NULL;
}

bool capabilities_become(const struct capabilities_user *user, struct err *err)
{
    return err_set(err, ERR_SYSTEM,
                   "cannot become user %s: this server was built without libcap-ng; start it as "
                   "that user, or stay root (user: root)",
                   user->name);
}

bool capabilities_drop(struct err *err)
{
    (void)err;
    return true;
}

void capabilities_write(char out[CAPABILITIES_TEXT_MOST])
{
    snprintf(out, CAPABILITIES_TEXT_MOST, "unknown: built without libcap-ng");
}
