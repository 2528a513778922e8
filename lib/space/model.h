#pragma once
/**
 * One zone file as typed data: a space and everything in it.
 *
 * parse.h makes it, rules.h checks it, answer/segment.h reads it; then it is freed with its arena.
 * Texts are zero-terminated and as written, except that host names are in lower case without
 * trailing dot. An absent text is NULL. IPv4 addresses are in host order. Every `at` is the
 * location of the value (of the item, for a struct that is a list item), so that a finding can
 * point at it.
 *
 *     space ─┬─ routers, peerings, vpns, trusted_ips, records
 *            └─ apps ─┬─ domains
 *                     └─ formations ─┬─ ports
 *                                    └─ dynos
 *
 * Threads: one thread.  Memory: everything lives in the arena given to space_parse.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "findings/location.h"

/** The name suffixes of the platform; they are settings, so another platform can set its own. */
struct suffixes {
    const char *apps;       /* herokuapp.com: default domains of apps */
    const char *discovery;  /* localspace: service discovery and introspection */
    const char *targets[2]; /* herokuspace.com, herokudns.com: DNS targets */
};

/** A text and its location. */
struct word {
    const char *text; /* NULL when absent */
    struct location at;
};

struct block {
    struct cidr cidr;
    struct location at;
    struct word az; /* of a dyno CIDR */
};

struct blocks {
    struct block *items;
    size_t count;
};

enum space_state { SPACE_ALLOCATED, SPACE_ALLOCATING, SPACE_DELETING };
enum generation { GENERATION_CEDAR, GENERATION_FIR };
/** Whether a dyno gets the routers and dynos of its own availability zone first, or alone. */
enum affinity { AFFINITY_NONE, AFFINITY_PREFER, AFFINITY_ONLY };

enum router_state { ROUTER_UP, ROUTER_DRAINING, ROUTER_DOWN };
enum dyno_state { DYNO_UP, DYNO_STARTING, DYNO_IDLE, DYNO_CRASHED, DYNO_DOWN };

/* Of all zone files: each device has views of its own (answer/access.h). */
enum { DEVICES_MOST = 64, DEVICE_OCTETS_MOST = 15 };

enum peering_type { PEERING_CUSTOMER_MANAGED, PEERING_HEROKU_MANAGED, PEERING_UNKNOWN };
enum peering_status {
    PEERING_INITIATING_REQUEST,
    PEERING_PENDING_ACCEPTANCE,
    PEERING_PROVISIONING,
    PEERING_ACTIVE,
    PEERING_FAILED,
    PEERING_EXPIRED,
    PEERING_REJECTED,
    PEERING_DELETED,
};
enum vpn_status { VPN_PENDING, VPN_PROVISIONING, VPN_ACTIVE, VPN_DEPROVISIONING, VPN_FAILED };

struct router {
    struct location at; /* of the address */
    uint32_t ip;
    enum router_state state;
    struct word az;
};

struct dyno {
    struct location at;        /* of the item */
    struct location number_at; /* of the value */
    struct location ip_at;
    uint32_t number; /* from 1 */
    uint32_t ip;     /* 0 when absent */
    enum dyno_state state;
};

struct port {
    struct word name;
    uint16_t number;
    bool udp;
};

struct formation {
    struct word type;
    struct port *ports;
    size_t port_count;
    struct dyno *dynos;
    size_t dyno_count;
};

struct domain {
    struct word hostname; /* without a leading "*." */
    bool is_wildcard;
    struct word cname; /* the DNS target */
    bool is_alias;     /* `record: alias` */
    struct location record_at;
    bool is_flat;    /* `flatten: true` */
    bool is_pending; /* `status: pending` */
    struct word acm_status;
};

struct app {
    struct location at;
    struct word name;
    struct word id;
    struct word default_domain;
    bool internal_routing;
    struct location internal_routing_at;
    bool acm;
    struct location acm_at;
    bool maintenance;
    bool dns_discovery;
    struct domain *domains;
    size_t domain_count;
    struct formation *formations;
    size_t formation_count;
    bool runs_by_key; /* a registry has a web dyno of it that is up, whatever the text says */
};

struct peering {
    struct location at;
    struct word pcx_id;
    enum peering_type type;
    enum peering_status status;
    bool grant; /* lets a heroku-managed peering in */
    struct blocks cidr_blocks;
    struct blocks routes;
    bool lists_routes; /* `routes:` is present, perhaps empty */
    struct location routes_at;
    struct word route_table_id;
    struct word aws_vpc_id;
    struct word aws_region;
    struct word aws_account_id;
    struct word expires;
    struct word device; /* the interface that its clients come by; absent: any */
};

struct tunnel {
    struct location at;
    uint32_t ip;
    bool is_up;
};

struct vpn {
    struct location at;
    struct word name;
    struct word id;
    enum vpn_status status;
    uint32_t public_ip; /* 0 when absent */
    struct location public_ip_at;
    struct blocks routable_cidrs;
    struct tunnel *tunnels;
    size_t tunnel_count;
    struct location tunnels_at;
    struct word device; /* as of a peering */
};

/** A static record in wire form; see records.h. */
struct record {
    struct location at;
    const uint8_t *owner; /* uncompressed name, lower case */
    uint8_t owner_length;
    uint16_t type;
    uint32_t ttl_seconds;
    const uint8_t *rdata;
    uint16_t rdata_length;
};

struct space {
    const char *file; /* the name in messages */
    struct word name;
    struct word id;
    struct block cidr;      /* bits 0: given, but unreadable */
    struct block data_cidr; /* bits 0: absent */
    struct blocks dyno_cidrs;
    struct blocks router_cidrs;
    enum affinity affinity;
    struct location affinity_at;
    struct word region;
    enum generation generation;
    bool shield;
    enum space_state state;
    struct block *listen; /* single addresses, bits 32 */
    size_t listen_count;
    uint32_t router_ttl_seconds;
    uint32_t dyno_ttl_seconds;
    uint32_t negative_ttl_seconds;
    struct router *routers;
    size_t router_count;
    struct location routers_at; /* of the list */
    struct peering *peerings;
    size_t peering_count;
    struct vpn *vpns;
    size_t vpn_count;
    struct blocks trusted_ips;
    struct app *apps;
    size_t app_count;
    struct record *records;
    size_t record_count;
};

/** "up", "starting", "idle", "crashed", "down". */
const char *dyno_state_text(enum dyno_state state);

/** The words of zone files; defined next to the tables of parse that read them. */
const char *generation_text(enum generation generation);
const char *space_state_text(enum space_state state);
const char *affinity_text(enum affinity affinity);
const char *router_state_text(enum router_state state);
const char *peering_type_text(enum peering_type type);
const char *peering_status_text(enum peering_status status);
const char *vpn_status_text(enum vpn_status status);

/** herokuapp.com, localspace, herokuspace.com and herokudns.com. */
struct suffixes suffixes_default(void);

/** True if the app has a dyno of type exactly `web` in state exactly `up`. */
bool app_has_running_web(const struct app *app);

/** True if the process type fits in a DNS label, so that it can be published. */
bool formation_is_publishable(const struct formation *formation);

/** True if the peering's clients count as inside: active, and customer-managed or granted. */
bool peering_grants(const struct peering *peering);

/** True if the VPN's clients count as inside: active, with a tunnel up or none listed. */
bool vpn_grants(const struct vpn *vpn);
