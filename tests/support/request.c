#include "support/request.h"

#include <assert.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_NSID = 3, OPTION_COOKIE = 10, OPTION_KEEPALIVE = 11, HEADER = 12, NAME_MOST = 255 };

static uint8_t *put8(uint8_t *at, unsigned value)
{
    *at = (uint8_t)value;
    return at + 1;
}

static uint8_t *put16(uint8_t *at, unsigned value)
{
    return put8(put8(at, value >> 8), value & 0xff);
}

static uint8_t *put_name(uint8_t *at, const char *text)
{
    ldns_rdf *name = NULL;

    if (ldns_str2rdf_dname(&name, text) != LDNS_STATUS_OK) {
        fprintf(stderr, "ldns cannot read the name '%s'\n", text);
        abort();
    }
    size_t length = ldns_rdf_size(name);
    assert(length <= NAME_MOST);
    memcpy(at, ldns_rdf_data(name), length);
    ldns_rdf_deep_free(name);
    return at + length;
}

static uint8_t *put_opt(uint8_t *at, const struct ask *ask)
{
    at = put8(at, 0);   /* the root */
    at = put16(at, 41); /* OPT */
    at = put16(at, ask->edns_octets == 0 ? 1232 : ask->edns_octets);
    at = put8(at, 0); /* extended rcode */
    at = put8(at, ask->edns_version);
    at = put16(at, ask->dnssec_ok ? 0x8000 : 0);
    at = put16(at, (ask->nsid ? 4U : 0U) + (ask->keepalive ? 4U : 0U) +
                       (ask->cookie_octets > 0 ? 4U + ask->cookie_octets : 0U));
    if (ask->nsid)
        at = put16(put16(at, OPTION_NSID), 0);
    if (ask->keepalive)
        at = put16(put16(at, OPTION_KEEPALIVE), 0);
    if (ask->cookie_octets == 0)
        return at;
    assert(ask->cookie_octets <= sizeof ask->cookie);
    at = put16(put16(at, OPTION_COOKIE), ask->cookie_octets);
    memcpy(at, ask->cookie, ask->cookie_octets);
    return at + ask->cookie_octets;
}

size_t request_write(const struct ask *ask, uint8_t *out)
{
    unsigned flags =
        (unsigned)(ask->opcode & 15) << 11 | (ask->no_rd ? 0U : 0x0100U) | (ask->cd ? 0x0010U : 0U);
    uint8_t *at = put16(out, ask->id == 0 ? REQUEST_ID : ask->id);

    at = put16(at, flags);
    at = put16(at, ask->no_question ? 0 : 1);
    at = put16(at, 0);
    at = put16(at, 0);
    at = put16(at, ask->no_edns ? 0 : 1);
    assert(at == out + HEADER);
    if (!ask->no_question) {
        at = put_name(at, ask->name);
        at = put16(at, ask->type == 0 ? 1 : ask->type);
        at = put16(at, ask->class == 0 ? 1 : ask->class);
    }
    if (!ask->no_edns)
        at = put_opt(at, ask);
    return (size_t)(at - out);
}

uint16_t request_type(const char *text)
{
    ldns_rr_type type = ldns_get_rr_type_by_name(text);

    if (type == 0) {
        fprintf(stderr, "ldns knows no type '%s'\n", text);
        abort();
    }
    return (uint16_t)type;
}
