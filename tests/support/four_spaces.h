#pragma once
/**
 * Four spaces at once, as a server and as models, for the property tests.
 *
 *     test-space      zones/test-space.yaml
 *     other-space     a neighbour; one office network is behind the VPNs of both
 *     every-shape     every key that changes an answer
 *     changing-space  not served yet
 */
#include "support/names.h"
#include "support/oracle.h"
#include "support/world.h"

enum { FOUR_SPACES = 4 };

/** Their zone files. */
extern const char *const four_spaces_paths[FOUR_SPACES];

struct four_spaces {
    struct world world;
    const struct space *spaces[FOUR_SPACES];
    struct arena *arenas[FOUR_SPACES];
    char *texts[FOUR_SPACES];
    struct names names;
};

/** Loads the server, reads the models, lists the names. */
void four_spaces_init(struct four_spaces *four);

/** The same with upstreams for foreign names, for clients of these classes. */
void four_spaces_init_forwarding(struct four_spaces *four, const struct clocked_options *options,
                                 unsigned recursion_for);

/**
 * Gives devices to the connections of some clients, ipsec0 and ipsec1, and loads the server again:
 *
 *     10.20.0.0/16    by ipsec0    test-space
 *     172.16.0.0/16   by ipsec0    test-space
 *                     by ipsec1    other-space
 *     10.23.0.0/16    by ipsec1    every-shape
 */
void four_spaces_name_devices(struct four_spaces *four);

void four_spaces_close(struct four_spaces *four);

/** A client of each kind, and the addresses at the borders of the blocks that grant access. */
extern const char *const four_spaces_insiders[];
extern const size_t four_spaces_insider_count;
extern const char *const four_spaces_outsiders[];
extern const size_t four_spaces_outsider_count;

/** Every type that a rule names, some that none names, and the meta types. */
extern const uint16_t four_spaces_types[];
extern const size_t four_spaces_type_count;

/**
 * The step from type to type: 1, or 4 under a sanitizer, with which the walk takes ten times as
 * long. Begin at the name's index modulo the stride, so that every type is still asked for.
 */
size_t four_spaces_stride(void);
