#pragma once
/**
 * The busiest apps, clients and names of the last minute (busiest.h), for the operator.
 *
 *     flow ─┬─► apps     those that the questions were for       space, name
 *           ├─► clients  by address, and what that belongs to    address, kind, space, name
 *           └─► names    as they were asked for                  wire form
 *
 * All clients outside are one. What the workers could count only by app has neither client nor
 * name. This is the one place that keeps addresses of clients and names of others: in memory, for
 * a minute.
 *
 * Threads: one.  Memory: three busiest, about 4 MB at their bounds, used as they fill.
 */
#include "traffic/busiest.h"
#include "traffic/flows.h"
#include "traffic/parties.h"

enum { LEADER_TEXT_OCTETS = 64 };

enum leader_list { LEADER_APPS, LEADER_CLIENTS, LEADER_NAMES, LEADER_LISTS };

/** The label of an app. Texts are cut. */
struct leader_app {
    char space[LEADER_TEXT_OCTETS];
    char name[LEADER_TEXT_OCTETS];
};

/** The label of a client. */
struct leader_client {
    uint32_t address; /* 0: outside */
    uint8_t kind;     /* enum party_kind: what the address belongs to */
    char space[LEADER_TEXT_OCTETS];
    char name[LEADER_TEXT_OCTETS];
};

/** The label of a name. */
struct leader_name {
    uint8_t octets[NAME_MAX_OCTETS + 1]; /* wire form */
};

struct leaders;

/** A flow, who asked and for which app; PARTY_NONE: not known, or none. */
struct leader_flow {
    const struct flow_table *table;
    const struct flow *flow;
    uint32_t client;
    uint32_t app;
    uint32_t at_s; /* since 1970 */
};

/** Returns NULL without memory. */
struct leaders *leaders_new(const struct parties *parties);

/** NULL is allowed. */
void leaders_free(struct leaders *leaders);

/** Counts a flow. */
void leaders_add(struct leaders *leaders, const struct leader_flow *seen);

const struct busiest *leaders_busiest(const struct leaders *leaders, enum leader_list list);
