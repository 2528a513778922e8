#pragma once
/**
 * How a server logs in at etcd: what it trusts, its certificate, its password.
 *
 * Certificates and the password are renewed as files and read again with each reload of an
 * operator; a connection that is open keeps those it began with.
 *
 *     files ──read──► next ──(the reload ends)──► in use
 *                      └─ what cannot be read: W-REGISTRY-LOGIN; what was in use stays
 *
 * Threads: the control thread, but for replica_login_read_next, which is called while that leaves
 * `next` alone.  Memory: replica_login_close.
 */
#include <stdint.h>

#include "base/err.h"
#include "config/settings.h"
#include "findings/report.h"
#include "tls/tls.h"

/** The files as they were when they were read. */
struct replica_login_files {
    struct tls_trust *trust; /* NULL: in the clear, or it could not be read */
    char *password;          /* NULL: none, or it could not be read */
    struct err trust_problem, password_problem;
};

struct replica_login {
    struct tls_trust *trust; /* NULL: in the clear */
    char *password;          /* NULL: none */
    struct err problem;      /* what the last reload could not read; ERR_NONE: nothing */
    struct replica_login_files next;
    bool has_next;
};

/** Reads the files of the settings. Returns false with *err; replica_login_close in any case. */
bool replica_login_open(struct replica_login *login, const struct settings *settings,
                        struct err *err);

/**
 * Reads the files again, for replica_login_renew, and reports those that cannot be used.
 *
 * settings  in force: none of the files' names changes without a restart
 * origins   settings whose origins the findings have
 */
void replica_login_read_next(struct replica_login *login, const struct settings *settings,
                             const struct settings *origins, struct report *report);

/**
 * Takes over what was read; of what could not be, the former stays. Returns false when the files
 * were not read since the last call.
 */
bool replica_login_renew(struct replica_login *login);

void replica_login_close(struct replica_login *login);
