#pragma once
/**
 * How a server logs in at etcd: what it trusts, its certificate, its password.
 *
 * Certificates and the password are renewed as files and read again with each reload of an
 * operator; a connection that is open keeps those it began with.
 *
 * Threads: the control thread.  Memory: replica_login_close.
 */
#include <stdint.h>

#include "base/err.h"
#include "config/settings.h"
#include "tls/tls.h"

enum { REPLICA_RETIRED_MOST = 8 };

struct replica_login {
    struct tls_trust *trust; /* NULL: in the clear */
    char *password;          /* NULL: none */
    struct {
        struct tls_trust *trust; /* NULL: none */
        uint64_t opened;         /* the connection that may use it */
    } retired[REPLICA_RETIRED_MOST];
};

/** Reads the files of the settings. Returns false with *err; replica_login_close in any case. */
bool replica_login_open(struct replica_login *login, const struct settings *settings,
                        struct err *err);

/**
 * Reads the files again. With faults in them the former ones stay: false with *err.
 *
 * opened  number of the connection that may be open
 */
bool replica_login_renew(struct replica_login *login, const struct settings *settings,
                         uint64_t opened, struct err *err);

/** Frees what no connection uses any more, now that the one of this number may be open. */
void replica_login_settle(struct replica_login *login, uint64_t opened);

void replica_login_close(struct replica_login *login);
