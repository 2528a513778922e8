#include "upstream/dot.h"

struct tls_trust *dot_trust_new(struct err *err)
{
    const struct tls_trust_options options = {.purpose = "the upstreams",
                                              .protocol = "dot"}; /* RFC 7858 section 6 */

    return tls_trust_new(&options, err);
}

struct tls *dot_new(struct tls_trust *trust, const struct upstream *server)
{
    return tls_new(trust, server->tls_name, &server->endpoint);
}

static const char *remedy_for(enum tls_failure_kind kind)
{
    switch (kind) {
    case TLS_NAME_MISMATCH:
        return "the name after # must be one that its certificate has";
    case TLS_ADDRESS_MISMATCH:
        return "its certificate does not have the address; write the name that it has after #";
    case TLS_OUT_OF_DATE:
        return "have its certificate renewed, or set this host's clock right";
    case TLS_UNKNOWN_ISSUER:
        return "name its issuer in the system's trust store, or in a file that SSL_CERT_FILE names";
    case TLS_NOT_TLS:
        return "check the port, or remove tls:// to send plain DNS";
    case TLS_WANTS_CERTIFICATE:
    case TLS_OTHER_FAILURE:
        break;
    }
    return "check that it serves DNS over TLS 1.2 or 1.3 at this port";
}

struct dot_failure dot_failure(const struct tls *tls)
{
    struct tls_failure failure = tls_failure(tls);

    return (struct dot_failure){.text = failure.text, .remedy = remedy_for(failure.kind)};
}
