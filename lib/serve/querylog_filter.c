#include "serve/querylog_filter.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"

enum { IPV4_OCTETS = 4, IPV6_OCTETS = 16, MAPPED_OCTETS = 12, TEXT_MOST = 64 };

/* ---- blocks ---- */

static bool has_host_bits(const struct querylog_block *block)
{
    for (unsigned bit = block->bits; bit < 8U * (block->is_ipv6 ? IPV6_OCTETS : IPV4_OCTETS); bit++)
        if ((block->octets[bit / 8] >> (7 - bit % 8) & 1) != 0)
            return true;
    return false;
}

bool querylog_block_read(const char *text, struct querylog_block *block, struct err *err)
{
    const char *slash = strchrnul(text, '/');
    size_t length = (size_t)(slash - text);
    char address[TEXT_MOST] = "";
    uint64_t bits;

    *block = (struct querylog_block){.is_ipv6 = memchr(text, ':', length) != NULL};
    unsigned most = block->is_ipv6 ? 8 * IPV6_OCTETS : 8 * IPV4_OCTETS;
    bits = most;
    if (length < sizeof address)
        memcpy(address, text, length);
    if (inet_pton(block->is_ipv6 ? AF_INET6 : AF_INET, address, block->octets) != 1 ||
        (*slash != '\0' && (!number_from_text(slash + 1, strlen(slash + 1), &bits) || bits > most)))
        return err_set(err, ERR_SYNTAX,
                       "%.60s is not a block of addresses; write one like 10.0.128.0/20 or "
                       "2001:db8::/32, or an address alone",
                       text);
    block->bits = (uint8_t)bits;
    return !has_host_bits(block) ||
           err_set(err, ERR_SYNTAX,
                   "%.60s has bits behind its prefix; write its first address, or a longer prefix",
                   text);
}

static bool contains(const struct querylog_block *block, const struct endpoint *client)
{
    static const uint8_t mapped[MAPPED_OCTETS] = {[10] = 0xff, [11] = 0xff};
    const uint8_t *octets = endpoint_host(client);
    bool is_ipv6 = client->any.sa_family == AF_INET6;
    size_t whole = block->bits / 8, rest = block->bits % 8;

    if (is_ipv6 && !block->is_ipv6 && memcmp(octets, mapped, sizeof mapped) == 0) {
        octets += sizeof mapped;
        is_ipv6 = false;
    }
    return is_ipv6 == block->is_ipv6 && memcmp(octets, block->octets, whole) == 0 &&
           (rest == 0 || (octets[whole] ^ block->octets[whole]) >> (8 - rest) == 0);
}

/* ---- reasons ---- */

static bool is_first_of_code(unsigned reason)
{
    return reason == 1 || strcmp(reason_entry((enum reason)reason)->code,
                                 reason_entry((enum reason)(reason - 1))->code) != 0;
}

const char *querylog_code_find(const char *text, struct err *err)
{
    char octets[8 * REASON_COUNT] = "";
    struct text codes = text_over(octets, sizeof octets - 1);

    for (unsigned reason = 1; reason < REASON_COUNT; reason++) {
        const char *code = reason_entry((enum reason)reason)->code;
        if (strcasecmp(code, text) == 0)
            return code;
        if (!is_first_of_code(reason)) /* those of one code stand together */
            continue;
        text_add_string(&codes, reason == 1 ? "" : ", ");
        text_add_string(&codes, code);
    }
    err_set(err, ERR_SYNTAX, "%.20s is no code of a reason; they are %s", text, octets);
    return NULL;
}

/* ---- records ---- */

static bool is_text(const char *wanted, const char *octets, size_t length)
{
    return wanted == NULL || (strlen(wanted) == length && memcmp(wanted, octets, length) == 0);
}

bool querylog_filter_takes_facts(const struct querylog_filter *filter,
                                 const struct querylog_facts *facts)
{
    return querylog_filter_takes(filter, facts->kind) &&
           is_text(filter->app, facts->app, facts->app_length) &&
           is_text(filter->space, facts->space, facts->space_length) &&
           (filter->code == NULL || strcmp(reason_entry(facts->reason)->code, filter->code) == 0) &&
           (!filter->has_block || contains(&filter->block, facts->client));
}

bool querylog_filter_passes(const struct querylog_filter *filter,
                            const struct querylog_record *record)
{
    return querylog_filter_takes_facts(
        filter, &(struct querylog_facts){.kind = (enum querylog_kind)record->kind,
                                         .reason = (enum reason)record->reason,
                                         .client = &record->client,
                                         .space = record->space,
                                         .app = record->app,
                                         .space_length = record->space_length,
                                         .app_length = record->app_length});
}
