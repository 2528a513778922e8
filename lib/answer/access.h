#pragma once
/**
 * Maps a client's address to the spaces it is inside of.
 *
 * There is one view for each address that spaces name in `listen`, and one for all other addresses
 * of this server: the ranges of client addresses, sorted and disjoint, each with the memberships of
 * its addresses. A client may belong to several spaces (one office VPN, two spaces). An address in
 * no range is external.
 *
 *     view 10.0.0.2    10.0.0.0 ─────── space A ────────│10.20.0.0 ── peered A, vpn B ──│ ...
 *     view (others)    10.1.0.0 ─── ...
 *
 * A space with `listen` addresses is visible only to clients that ask at one of them.
 *
 * A connection that names a device lets in only what comes by that network interface. So each view
 * has another one for every device that its connections name, with their blocks, too:
 *
 *     view 10.0.0.2 ─┬─ what comes by ipsec0    as the view, and the blocks of VPN office
 *                    └─ what comes by ipsec1    as the view, and the blocks of VPN branch
 *
 * The system numbers its interfaces, and they come and go. Which number a device has is looked up
 * while the server runs; until then, and while there is no such interface, it has one that no
 * packet comes with.
 *
 * A snapshot in which only dynos differ has the same views, and the same numbers: access_share.
 *
 * Threads: immutable once built, but for the numbers of interfaces: any thread reads them, one
 * writes; holds belong to the thread that makes snapshots.
 * Memory: one arena, and the numbers, both held by each that shares them.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/segment.h"
#include "base/arena.h"

/** How a client belongs to a space; a client that belongs to none is external. */
enum client_class { CLIENT_SPACE, CLIENT_PEERED, CLIENT_VPN, CLIENT_EXTERNAL };

struct membership {
    uint16_t segment;
    uint8_t class;       /* enum client_class, never CLIENT_EXTERNAL */
    uint32_t connection; /* of the segment; ENTRY_NONE for class space */
    struct cidr block;   /* the block that matched */
};

struct membership_set {
    uint32_t first;
    uint32_t count;
};

struct view {
    uint32_t address;                /* destination address; 0 for all others */
    uint32_t device;                 /* of access->devices, for a view in device_views */
    uint32_t device_count;           /* DEVICES_MOST at most */
    const struct view *device_views; /* of what comes by a device, sorted by it */
    uint32_t range_count;
    const uint32_t *starts;            /* first address of each range; the first is 0 */
    const struct membership_set *sets; /* of each range */
    const struct membership *memberships;
};

/** The numbers of the interfaces that devices have. */
struct interfaces {
    unsigned holds;
    _Atomic uint32_t numbers[]; /* of each device */
};

struct access {
    struct arena *arena;
    const struct view *views; /* the first is for all other addresses, the rest sorted */
    size_t view_count;
    const uint32_t *slots; /* numbers of views by the hash of their address; half or more are 0 */
    uint32_t slot_mask;
    const char *const *devices; /* names of interfaces that connections name, sorted */
    uint32_t device_count;
    struct interfaces *interfaces; /* NULL: no devices */
};

/** Blocks whose addresses are members of class space, in addition to the zone files. */
struct local_access {
    const char *const *spaces; /* names of spaces that loopback clients belong to */
    size_t space_count;
};

/**
 * Builds the views over `count` segments (NULL where unused). Returns false without memory.
 */
bool access_build(struct access *access, const struct segment *const *segments, size_t count,
                  const struct local_access *local);

/** Fills `next` with the same views. */
void access_share(struct access *next, const struct access *access);

void access_close(struct access *access);

/**
 * The line of the segment's file with the block of a membership, or 0 when it comes from the
 * setting local_as.
 */
uint32_t membership_line(const struct segment *segment, const struct membership *membership);

/** True if the segment's space is visible to clients that ask at the address of a view. */
bool access_shows(const struct segment *segment, uint32_t address);

/** Where the search for an address begins; operators choose addresses, so there is no key. */
static inline uint32_t access_home(uint32_t address)
{
    return (uint32_t)(address * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

/** The view for clients that asked at `destination`, whatever interface they come by. */
static inline const struct view *access_view(const struct access *access, uint32_t destination)
{
    const struct view *view;
    uint32_t at = access_home(destination);

    /* An empty slot leads to the view for all others, and ends the search. */
    do
        view = &access->views[access->slots[at++ & access->slot_mask]];
    while (view != access->views && view->address != destination);
    return view;
}

/** The number of a device of this name; one that no packet comes with if none has it. */
uint32_t access_interface(const struct access *access, const char *device);

/** The device whose interface has the number; NULL: none. */
const char *access_device(const struct access *access, uint32_t interface);

/** Sets the number of a device's interface. Returns false if it had it; 0: there is none. */
bool access_set_interface(const struct access *access, uint32_t device, uint32_t interface);

/** True if a device's interface has been found. */
bool access_has_interface(const struct access *access, uint32_t device);

/** The view of what comes by an interface: one of the view's own, or the view itself. */
const struct view *view_by_interface(const struct access *access, const struct view *view,
                                     uint32_t interface);

/** The memberships of one address; a count of 0 means external. */
static inline struct membership_set view_find(const struct view *view, uint32_t address)
{
    const uint32_t *starts = view->starts;
    uint32_t count = view->range_count;

    /* The last range that starts at or before the address; at most 32 halvings. */
    while (count > 1) {
        uint32_t half = count / 2;
        starts += starts[half] <= address ? half : 0;
        count -= half;
    }
    return view->sets[starts - view->starts];
}
