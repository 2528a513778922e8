#pragma once
/**
 * Helpers shared by the rules. A part of rules.
 *
 * A rule is a function that checks the whole model and reports each violation once, at its
 * location. A violation that follows from another is not reported: a router that lies in a dyno
 * CIDR is not also outside router_cidrs.
 *
 * Threads: one thread per struct checking.  Memory: a rule frees what it takes; `names` is freed
 * once all rules have run.
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
    /* All internal and default names of the apps, filled by check_names; owner: struct app. */
    struct seen names;
};

typedef void rule(struct checking *checking);

/** The rules, in the order of rules.def. */
#define RULE(name) rule name;
#include "space/rules.def"

/** True for ids in the form of AWS, which are safe in a shell command. */
bool pcx_id_is_valid(const char *text);
bool route_table_id_is_valid(const char *text);
bool vpc_id_is_valid(const char *text);

/** True for a connection that has ended: its blocks conflict with no others. */
bool peering_is_over(const struct peering *peering);

/** Of rules_special.c: reports names below special-use names (W-SPECIAL-NAME, E-SPECIAL-FIXED). */
void check_special_name(struct checking *checking, const char *name, struct location at);

/** Reports a finding at a location in the checked file. */
#define FIND(checking, code, at, ...)                                                              \
    report_add((checking)->report, FINDING_##code, (checking)->space->file, at, __VA_ARGS__)

/** Closes a set. Reports a set that ran out of memory, because it may have missed duplicates. */
void checking_close_seen(struct checking *checking, struct seen *seen);

/**
 * A CIDR block as an entry of a sorted list. Two CIDR blocks are disjoint or one lies inside the
 * other. So, in order of first address and widest first, an overlapping block lies inside the last
 * block that lies inside no other.
 */
struct cidr_span {
    struct cidr cidr;
    struct location at;
    int kind;          /* the caller's */
    const void *owner; /* the caller's */
};

/** Sorts spans by first address, the wider before the narrower, then by location. */
void spans_sort(struct cidr_span *spans, size_t count);

/** True if the sorted spans together cover the whole block. */
bool spans_cover(const struct cidr_span *spans, size_t count, struct cidr block);

/** True if `a` comes before `b` in the file; a default (no location) comes first. */
bool location_is_before(struct location a, struct location b);

/** Returns the block that contains the address, or NULL. */
const struct block *blocks_find(const struct blocks *blocks, uint32_t address);

/** Appends "10.0.0.0/16". */
void text_add_cidr(struct text *text, struct cidr cidr);

/** Writes "10.0.0.0/20 or 10.0.16.0/20" with a closing zero octet, cut if it does not fit. */
void blocks_list(const struct blocks *blocks, char *out, size_t size);

/** True for letters, digits and inner hyphens in lower case: a host name's label. */
bool label_is_ldh(const char *label, size_t length);

/** Returns the flaw of a host name, as a phrase with its fix, or NULL if it has none. */
const char *hostname_flaw(const char *name);
