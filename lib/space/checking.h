#pragma once
/**
 * What the rules share: a part of rules.
 *
 * A rule is a function that looks at the whole model and reports each breach once, at its place. A
 * breach that follows from another is not reported: a router that lies in a dyno CIDR is not
 * also outside router_cidrs.
 *
 * Threads: one thread per struct checking.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "findings/report.h"
#include "space/model.h"
#include "space/seen.h"

struct checking {
    const struct space *space;
    const struct suffixes *suffixes;
    struct report *report;
    /* Every internal and default name of the apps, filled by check_names; owner: struct app. */
    struct seen names;
};

typedef void rule(struct checking *checking);

/** Of rules_space.c. */
rule check_space_name, check_space_cidr, check_data_cidr, check_dyno_and_router_cidrs, check_region;
rule check_listen, check_app_count, check_ids, check_trusted_ips;

/** Of rules_router.c. */
rule check_routers, check_router_up;

/** Of rules_app.c. */
rule check_app_names, check_internal_apps;

/** Of rules_domain.c. check_names comes before check_records, which looks into `names`. */
rule check_names, check_domains;

/** Of rules_formation.c. */
rule check_process_types, check_dynos, check_ports;

/** Of rules_network.c. */
rule check_peerings, check_vpns, check_connections_overlap;

/** Ids as AWS writes them: safe to be put into a command. */
bool pcx_id_is_valid(const char *text);
bool route_table_id_is_valid(const char *text);

/** True for a connection that ended: its blocks are in nobody's way. */
bool peering_is_over(const struct peering *peering);

/** Of rules_route.c. */
rule check_routes;

/** Of rules_record.c, rules_record_set.c and rules_alias.c. */
rule check_records, check_record_sets, check_aliases;

/** Of rules_special.c: reports a name below one of special use (W-SPECIAL-NAME, E-SPECIAL-FIXED).
 */
void check_special_name(struct checking *checking, const char *name, struct location at);

/** Reports at a place of the checked file. */
#define FIND(checking, code, at, ...)                                                              \
    report_add((checking)->report, FINDING_##code, (checking)->space->file, at, __VA_ARGS__)

/** Closes a set; one that ran out of memory is reported, for it may have missed something. */
void checking_close_seen(struct checking *checking, struct seen *seen);

/**
 * A CIDR block as an entry of a sorted list. Two CIDR blocks are disjoint or one lies inside the
 * other, so in order of (first address, widest first) an overlap shows as a block inside the last
 * one that was inside none.
 */
struct span {
    struct cidr cidr;
    struct location at;
    int kind;          /* the caller's */
    const void *owner; /* the caller's */
};

/** Sorts spans by first address, the wider before the narrower, then by place. */
void spans_sort(struct span *spans, size_t count);

/** True when the sorted spans together cover the whole block. */
bool spans_cover(const struct span *spans, size_t count, struct cidr block);

/** True when one was written before the other; "nowhere" (a default) is first. */
bool location_is_before(struct location a, struct location b);

/** Returns the block that holds the address, or NULL. */
const struct block *blocks_find(const struct blocks *blocks, uint32_t address);

/** Appends "10.0.0.0/16". */
void text_add_cidr(struct text *text, struct cidr cidr);

/** Writes "10.0.0.0/20 or 10.0.16.0/20" with a closing zero octet, cut when it does not fit. */
void blocks_list(const struct blocks *blocks, char *out, size_t size);

/** True for letters, digits and inner hyphens in lower case: a host name's label. */
bool label_is_ldh(const char *label, size_t length);

/** Returns what is wrong with a host name, as a phrase with its fix, or NULL when nothing is. */
const char *hostname_flaw(const char *name);
