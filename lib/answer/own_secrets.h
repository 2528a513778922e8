#pragma once
/**
 * The secrets of DNS cookies (wire/cookie.h) that the server makes itself, when the settings have
 * none.
 *
 * A new one is made every day; the one before still verifies, so that no client is refused for the
 * change. They are kept in the state folder, so that cookies outlive a restart:
 *
 *     STATE/cookie-secrets     version, when the first was made, both in hex, and a checksum
 *
 * The file is for this user alone (mode 0600), and replaced as a whole. A file that is damaged, of
 * another user, or that others may read is not used: it takes a client one request to learn a new
 * cookie.
 *
 * Sources: RFC 9018 section 5 (roll-over).
 * Threads: one at a time.  Memory: none is kept.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "wire/cookie.h"

enum { OWN_SECRET_SECONDS = 86400 };

struct own_secrets {
    struct cookie_secrets secrets; /* count 0: none yet */
    int64_t made_s;                /* when the first was made, since 1970 */
};

/**
 * Makes the first secret, or a new one when it is a day old. Returns false when there was nothing
 * to do.
 */
bool own_secrets_roll_over(struct own_secrets *own, int64_t now_s);

/**
 * Reads the file. Returns false, with nothing read, when there is none (err->code ERR_NONE) or when
 * it is not used; then the sentence says why.
 *
 * folder  descriptor of the state folder
 */
bool own_secrets_read(int folder, struct own_secrets *own, struct err *err);

/** Writes the file. Returns false with *err, and leaves the former one as it was. */
bool own_secrets_write(int folder, const struct own_secrets *own, struct err *err);
