#pragma once
/**
 * DNS over TLS: how upstreams are authenticated, and what to do when one is not.
 *
 * A server's certificate must be signed by an issuer in the system's trust store (or in
 * SSL_CERT_FILE and SSL_CERT_DIR) and have the name given after `#`, or else its address.
 *
 * Sources: RFC 7858, RFC 8310 section 8 (authentication).
 * Threads: one worker's.  Memory: that of tls/tls.h.
 */
#include "base/err.h"
#include "config/upstream.h"
#include "tls/tls.h"

/** The trust store: one for all servers of a worker. Returns NULL with *err. */
struct tls_trust *dot_trust_new(struct err *err);

/** One server, which is borrowed. Returns NULL without memory. */
struct tls *dot_new(struct tls_trust *trust, const struct upstream *server);

/** Why the handshake failed; the texts are static. */
struct dot_failure {
    const char *text;   /* "certificate has expired" */
    const char *remedy; /* what the operator can do */
};
struct dot_failure dot_failure(const struct tls *tls);
