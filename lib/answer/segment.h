#pragma once
/**
 * One zone file, sealed for reading: a space and its apps in arrays.
 *
 * Made once from a checked model, then only read. Apps, formations, dynos and hosts refer to each
 * other by number; texts and wire names are in two blobs, addressed by offset. No answers are
 * stored: replies are built from these entries.
 *
 *     apps ──► formations ──► dynos ◄── dynos_by_ip (published dynos, sorted by address)
 *       │           └──► ports
 *       └──► hosts (default domain with an identifier, domains, DNS targets)
 *     hosts of records ──► records
 *
 * A plain default domain (NAME.herokuapp.com) has no host: the app's own index entry serves it.
 *
 * A segment has two halves. A change of dynos (restate.h) makes a copy that shares the document
 * half:
 *
 *     dyno half       struct segment, apps, formations, dynos, dynos_by_ip, texts of types: one
 *                     block of exactly their size, as in dyno_half.h
 *     document half   all else: hosts, records, ports, routers, connections, texts …: an arena,
 *                     held by each copy
 *
 * Size: 32 octets an app, 28 a formation, 12 a dyno (16 with its index in dynos_by_ip), 20 a host,
 * plus the texts. Where a key of the registry is in force, 8 more for each formation.
 * Threads: immutable but for `holds`, the arena's, and `identity`, which only the control thread
 * touches.
 * Memory: the block (base/blocks.h), given back by the last segment_release, and the lasting arena,
 * freed with its last copy.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "findings/report.h"
#include "source/source.h"
#include "space/model.h"
#include "wire/name.h"

enum {
    APP_ENTRY_OCTETS = 32,               /* two to a cache line, never across two */
    SEGMENT_ENTRIES_MAX = (1 << 23) - 2, /* apps, or hosts: what an index slot can number */
    READY_RECORD_OCTETS = 16,
};

/** The number of no entry. */
static const uint32_t ENTRY_NONE = UINT32_MAX;

enum app_flag {
    APP_INTERNAL = 1,
    APP_DISCOVERED = 2,   /* dns_discovery: true */
    APP_PLAIN_DOMAIN = 4, /* NAME.herokuapp.com is its default domain */
};

struct app_entry {
    _Alignas(APP_ENTRY_OCTETS) uint32_t name; /* in texts */
    uint32_t formations;
    uint32_t hosts;
    struct location at;
    uint16_t formation_count;
    uint16_t host_count;
    uint16_t web_count; /* dynos of type web; this and the next two are at most 65535 */
    uint16_t web_up;
    uint16_t web_crashed;
    uint8_t name_length;
    uint8_t flags;
};

struct formation_entry {
    uint32_t type; /* in the texts of types, as written; see segment_type */
    uint32_t dynos;
    uint32_t dyno_count;
    uint32_t app;
    uint32_t ports;
    struct location at; /* in the zone file; line 0: only a key of the registry declares it */
    uint16_t port_count;
    uint8_t type_length; /* 0: too long for a label, not published */
};

struct dyno_entry {
    uint32_t ip;
    uint32_t number;
    uint32_t line : 24; /* of the zone file, or of the key's value */
    uint32_t state : 8; /* enum dyno_state */
};

struct port_entry {
    uint32_t name; /* in texts */
    uint16_t number;
    uint8_t name_length;
    bool udp;
};

enum host_kind {
    HOST_DEFAULT, /* a default domain with an identifier or zone label */
    HOST_DOMAIN,  /* a custom domain */
    HOST_TARGET,  /* a DNS target */
    HOST_RECORDS, /* static records */
    HOST_PENDING, /* a custom domain without a DNS target yet: taken, but not answered */
};

enum host_flag { HOST_APEX = 1, HOST_FLAT = 2, HOST_WILDCARD = 4 };

struct host {
    uint32_t octets; /* wire name in texts, lower case; a wildcard begins with the label "*" */
    uint32_t owner;  /* app, or first record */
    uint32_t target; /* host of the DNS target, or ENTRY_NONE */
    struct location at;
    uint16_t record_count;
    uint8_t length;
    uint8_t kind : 4;
    uint8_t flags : 4;
};

struct record_entry {
    uint32_t rdata; /* in texts */
    uint32_t ttl_seconds;
    uint16_t rdata_length;
    uint16_t type;
    struct location at;
};

/** An empty non-terminal above static records (RFC 8020). */
struct empty_name {
    uint32_t octets; /* in texts, the tail of a longer name */
    uint8_t length;
    uint8_t label_count;
};

enum connection_kind { CONNECTION_PEERING, CONNECTION_VPN };

struct connection {
    enum connection_kind kind;
    const char *name; /* pcx id, or the VPN's name */
    struct location at;
    bool grants;        /* its clients are inside */
    const char *status; /* in the zone file's word; NULL: active */
    const char *device; /* the interface that its clients come by; NULL: any */
    bool misses_router; /* its routes do not cover a router (Q40) */
    const struct cidr *blocks;
    const uint32_t *block_lines; /* of each block */
    size_t block_count;
};

struct router_entry {
    uint32_t ip;
    enum router_state state;
    struct location at;
    uint32_t az; /* ENTRY_NONE: none that has dynos */
};

/** An availability zone that has dynos. */
struct az_entry {
    const char *name;
    uint32_t first;    /* of its routers' records in router_records */
    uint32_t up_count; /* of its routers that are up */
};

/** A dyno CIDR in an availability zone. */
struct az_block {
    struct cidr cidr;
    uint32_t az;
};

/** What tells whether the text of a segment has changed. */
struct text_identity {
    struct source_stamp stamp;
    uint64_t content;  /* keyed hash of the octets */
    uint64_t checksum; /* stored_checksum of them; 0: not known, no store is used */
    size_t length;
    bool is_marked; /* ends with `...` (space/zone_text.h) */
};

struct segment {
    unsigned holds;
    struct arena *arena;      /* the document half */
    struct segment *declared; /* a copy's: the segment as its file declares it, with its dynos;
                                 NULL: the file declares no dynos, or it is this one */
    const char *file;         /* the text's name in its source */
    struct text_identity identity;
    size_t block_octets; /* of the dyno half */
    size_t octets;       /* its memory, both halves and what is declared */

    const char *name;
    const char *id; /* NULL without */
    struct location at;
    struct cidr cidr;
    uint32_t cidr_line;    /* of the space's name where cidr is not written */
    struct cidr data_cidr; /* bits 0: none */
    const char *region;    /* NULL without */
    enum generation generation;
    bool shield;
    enum space_state state;
    bool is_unready;                /* of a text with errors, and without apps (seal_unready.h) */
    enum finding_code unready_code; /* the first error ... */
    struct location unready_at;     /* ... and its location; line 0: of no line */
    const uint32_t *listen;
    size_t listen_count;
    uint32_t router_ttl_seconds;
    uint32_t dyno_ttl_seconds;
    uint32_t negative_ttl_seconds;
    uint32_t suffix_octets;        /* of the discovery suffix, as text */
    const struct cidr *dyno_cidrs; /* disjoint; none: dynos may have any address */
    size_t dyno_cidr_count;

    const struct router_entry *routers;
    size_t router_count;
    /*
     * The A records of the routers that are up, by availability zone, those without one last. All
     * twice in a row: any rotation is contiguous, and so are the routers outside a zone.
     *
     *     a a b b b - a a b b b -        of zone a: the first two; of others: the four behind
     */
    const uint8_t *router_records;
    unsigned router_up_count;

    enum affinity affinity;
    const struct az_entry *azs; /* by name */
    size_t az_count;
    const struct az_block *az_blocks; /* disjoint, by address */
    size_t az_block_count;

    const struct connection *connections;
    size_t connection_count;

    const struct cidr *trusted_ips; /* they let nobody in */
    const uint32_t *trusted_lines;
    size_t trusted_count;

    const struct app_entry *apps;
    size_t app_count;
    const char *const *app_ids; /* one per app, NULL where none; NULL when no app has one */
    const struct formation_entry *formations; /* of an app: as declared, then the others by type */
    size_t formation_count;
    const uint64_t *revisions; /* one per formation: its key's, 0: the zone file's list counts; NULL
                                  when no formation has a key */
    const struct dyno_entry *dynos;
    size_t dyno_count;
    const struct port_entry *ports;
    size_t port_count;
    const struct host *hosts;
    size_t host_count;
    const struct record_entry *records;
    size_t record_count;
    const struct empty_name *empty_names; /* sorted by length, then octets; each once */
    size_t empty_count;
    uint64_t empty_depths[2];    /* bit n: some empty name has n labels */
    const uint32_t *dynos_by_ip; /* each address once: of the dyno that owns its reverse name */
    size_t published_count;
    size_t hidden_count; /* published dynos that are not there: another owns their address */
    const uint8_t *types;
    size_t type_octets;
    const uint8_t *texts;
    size_t text_octets;
};

/**
 * Seals a model that has passed its rules. Returns a segment with one hold, or NULL with *err. It
 * borrows nothing from the model.
 */
struct segment *segment_seal(const struct space *space, const struct suffixes *suffixes,
                             const struct text_identity *identity, struct err *err);

struct segment *segment_hold(struct segment *segment);

/** Releases a hold; the last one frees. NULL is allowed. */
void segment_release(struct segment *segment);

static inline const char *segment_text(const struct segment *segment, uint32_t offset)
{
    return (const char *)segment->texts + offset;
}

/** The text of a formation's type, zero-terminated. */
static inline const char *segment_type(const struct segment *segment,
                                       const struct formation_entry *formation)
{
    return (const char *)segment->types + formation->type;
}

/** The revision of the key that a formation's dynos are of; 0: they are the zone file's. */
static inline uint64_t segment_revision(const struct segment *segment,
                                        const struct formation_entry *formation)
{
    return segment->revisions == NULL ? 0 : segment->revisions[formation - segment->formations];
}

/** True when a dyno of this state is published under its own name (starting ones are). */
static inline bool dyno_is_named(const struct dyno_entry *dyno)
{
    return dyno->state == DYNO_UP || dyno->state == DYNO_STARTING;
}

/** The formation a dyno belongs to, of some in the order of their dynos. */
const struct formation_entry *formations_find_dyno(const struct formation_entry *formations,
                                                   size_t count, uint32_t dyno);

/** The same of a segment. */
const struct formation_entry *segment_formation_of(const struct segment *segment, uint32_t dyno);

/** The availability zone of an address by the dyno CIDRs, or NULL. A binary search. */
const struct az_entry *segment_find_az(const struct segment *segment, uint32_t ip);

/** Finds the named dyno with this address; ENTRY_NONE when there is none. */
uint32_t segment_find_dyno(const struct segment *segment, uint32_t ip);

/**
 * True when the name is an empty non-terminal above static records. A possible registered domain is
 * excluded, because it has data elsewhere: a name of fewer than three labels, or of fewer than four
 * below a country's domain (example.co.uk) and below arpa. A binary search.
 */
bool segment_has_empty_name(const struct segment *segment, const struct name *name);

/** The order of empty names: shorter names first, equally long ones by their octets. */
static inline int segment_compare_empty(const struct empty_name *empty, const uint8_t *octets,
                                        uint8_t length, const uint8_t *texts)
{
    return empty->length != length ? (int)empty->length - length
                                   : memcmp(texts + empty->octets, octets, length);
}

/** True when the host has static records of the type. */
bool host_has_type(const struct segment *segment, const struct host *host, uint16_t type);
