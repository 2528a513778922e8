#include "respond/limits.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/address.h"
#include "base/bytes.h"
#include "decide/decide.h"
#include "respond/respond.h"

enum {
    SET_BITS = 14, /* 65,536 buckets of each kind, 512 KB once all were used */
    REFUSALS_PER_SECOND = 10,
};

/* What a bucket is of: the key's highest octet. */
enum bucket_kind { OF_IPV4, OF_IPV6, OF_CLIENT, OF_REFUSALS, OF_REPORTS };

enum { KIND_SHIFT = 56, IPV4_SHIFT = 8, IPV4_BITS = 24, IPV6_BITS = 56 };

static uint64_t key_of(enum bucket_kind kind, uint64_t who)
{
    return (uint64_t)kind << KIND_SHIFT | who;
}

struct limit_tables *limit_tables_new(void)
{
    struct limit_tables *tables = calloc(1, sizeof *tables);

    if (tables == NULL)
        return NULL;
    tables->outsiders = rate_table_new(SET_BITS, hash_key_random());
    tables->clients = rate_table_new(SET_BITS, hash_key_random());
    if (tables->outsiders != NULL && tables->clients != NULL)
        return tables;
    limit_tables_free(tables);
    return NULL;
}

void limit_tables_free(struct limit_tables *tables)
{
    if (tables == NULL)
        return;
    rate_table_free(tables->outsiders);
    rate_table_free(tables->clients);
    free(tables);
}

void limits_init(struct limits *limits, struct limit_tables *tables, struct stats *stats)
{
    *limits = (struct limits){.tables = tables, .stats = stats, .key = hash_key_random()};
}

/* ---- outsiders ---- */

static uint64_t outsider_key(const struct path *path)
{
    if (!path->is_ipv6)
        return key_of(OF_IPV4, path->source >> IPV4_SHIFT);
    return key_of(OF_IPV6,
                  (uint64_t)load32(path->source_ipv6) << 24 | load32(path->source_ipv6 + 4) >> 8);
}

static uint64_t hash_of(const struct limits *limits, uint64_t key)
{
    return hash_mix(key ^ limits->key.first, limits->key.second);
}

static uint32_t now_s(const struct limits *limits)
{
    return (uint32_t)(limits->now_us / RATE_SECOND_US);
}

/* True for every `slip`-th refused request of a network. */
static bool is_slipped(struct limits *limits, uint64_t key, uint32_t slip)
{
    if (slip == 0)
        return false;
    uint8_t *row = &limits->slips[hash_of(limits, key) % LIMITS_SLIP_ROWS];
    if (++*row < slip)
        return false;
    *row = 0;
    return true;
}

/* Slips or drops the request. Out of line: the other outsiders are answered. */
__attribute__((noinline)) static void refuse_outsider(struct limits *limits, uint64_t key,
                                                      uint32_t slip, struct exchange *exchange)
{
    limited_count(&limits->networks, key, hash_of(limits, key), now_s(limits));
    if (exchange->status == QUERY_READ && is_slipped(limits, key, slip)) {
        stats_count(limits->stats, COUNTER_EXTERNAL_SLIPPED, 1);
        exchange->query.has_opt = false;
        decide_slip(&exchange->verdict);
    } else {
        stats_count(limits->stats, COUNTER_EXTERNAL_DROPPED, 1);
        exchange->status = QUERY_DROPPED;
    }
}

static bool limit_outsider(struct limits *limits, const struct policy *policy,
                           struct exchange *exchange)
{
    uint64_t key = outsider_key(&exchange->path);
    enum rate_grant grant =
        rate_take(limits->tables->outsiders, key, policy->external_interval_us, limits->now_us);

    exchange->is_terse = grant != RATE_GRANTED;
    if (grant != RATE_REFUSED)
        return false;
    refuse_outsider(limits, key, policy->external_slip, exchange);
    return true;
}

/* ---- clients of spaces ---- */

static void report(struct limits *limits, uint32_t address)
{
    uint32_t end = atomic_load_explicit(&limits->reported_end, memory_order_relaxed);
    uint32_t start = atomic_load_explicit(&limits->reported_start, memory_order_acquire);

    if (end - start == LIMITS_REPORTED_MOST)
        return;
    limits->reported[end % LIMITS_REPORTED_MOST] = address;
    atomic_store_explicit(&limits->reported_end, end + 1, memory_order_release);
    limits->on_reported(limits->context);
}

size_t limits_take_over(struct limits *limits, uint32_t *out)
{
    uint32_t start = atomic_load_explicit(&limits->reported_start, memory_order_relaxed);
    uint32_t end = atomic_load_explicit(&limits->reported_end, memory_order_acquire);
    size_t count = 0;

    for (; start != end; start++)
        out[count++] = limits->reported[start % LIMITS_REPORTED_MOST];
    atomic_store_explicit(&limits->reported_start, start, memory_order_release);
    return count;
}

__attribute__((noinline)) static bool
limit_client(struct limits *limits, const struct policy *policy, struct exchange *exchange)
{
    struct rate_table *table = limits->tables->clients;
    uint32_t address = exchange->client.address;
    uint64_t key = key_of(OF_CLIENT, address);

    if (rate_take(table, key, policy->client_interval_us, limits->now_us) != RATE_REFUSED)
        return false;
    limited_count(&limits->clients, key, hash_of(limits, key), now_s(limits));
    if (limits->on_reported != NULL && rate_take(table, key_of(OF_REPORTS, address), RATE_SECOND_US,
                                                 limits->now_us) != RATE_REFUSED)
        report(limits, address);
    /* A request over TCP always gets a reply: its client waits for it on the connection. */
    if (exchange->transport == TRANSPORT_TCP ||
        rate_take(table, key_of(OF_REFUSALS, address), rate_interval_us(REFUSALS_PER_SECOND),
                  limits->now_us) != RATE_REFUSED) {
        stats_count(limits->stats, COUNTER_CLIENT_REFUSED, 1);
        decide_rate_limited(&exchange->verdict);
        return true;
    }
    stats_count(limits->stats, COUNTER_CLIENT_DROPPED, 1);
    exchange->status = QUERY_DROPPED;
    return true;
}

bool limits_apply(struct limits *limits, const struct snapshot *snapshot, struct exchange *exchange)
{
    if (snapshot == NULL)
        return false;
    const struct policy *policy = &snapshot->policy;
    if (exchange->client.count > 0)
        return policy->client_rate > 0 && limit_client(limits, policy, exchange);
    if (policy->external_rate == 0 || exchange->transport == TRANSPORT_TCP ||
        exchange->cookie == COOKIE_RIGHT)
        return false;
    return limit_outsider(limits, policy, exchange);
}

/* ---- who ---- */

uint64_t limits_who(const struct path *path, const struct client *client)
{
    return client->count > 0 ? key_of(OF_CLIENT, client->address) : outsider_key(path);
}

static void write_ipv6(uint64_t prefix, char *out)
{
    uint8_t octets[sizeof(struct in6_addr)] = {0};
    char address[INET6_ADDRSTRLEN];

    store32(octets, (uint32_t)(prefix >> 24));
    store32(octets + 4, (uint32_t)(prefix << 8));
    inet_ntop(AF_INET6, octets, address, sizeof address);
    snprintf(out, LIMITS_WHO_OCTETS, "%s/%d", address, IPV6_BITS);
}

void limits_who_write(uint64_t who, char *out)
{
    uint64_t number = who & ((UINT64_C(1) << KIND_SHIFT) - 1);
    struct cidr network = {.address = (uint32_t)number << IPV4_SHIFT, .bits = IPV4_BITS};

    switch ((enum bucket_kind)(who >> KIND_SHIFT)) {
    case OF_IPV4:
        cidr_write(network, out);
        break;
    case OF_IPV6:
        write_ipv6(number, out);
        break;
    case OF_CLIENT:
    case OF_REFUSALS:
    case OF_REPORTS:
        ipv4_write((uint32_t)number, out);
    }
}
