#pragma once
/**
 * Four spaces at once, as a server and as models: what the property tests walk over.
 *
 *     test-space      the fixture of SPEC.md
 *     other-space     a neighbour; one office network is behind the VPNs of both
 *     every-shape     every key that changes an answer
 *     changing-space  not served yet
 */
#include "support/names.h"
#include "support/oracle.h"
#include "support/world.h"

enum { ESTATE_SPACES = 4 };

struct estate {
    struct world world;
    const struct space *spaces[ESTATE_SPACES];
    struct arena *arenas[ESTATE_SPACES];
    char *texts[ESTATE_SPACES];
    struct names names;
};

/** Loads the server, reads the models, lists the names. */
void estate_init(struct estate *estate);

/** The same with somebody to ask for names that are not ours, on behalf of these classes. */
void estate_init_forwarding(struct estate *estate, const struct clocked_options *options,
                            unsigned recursion_for);

void estate_close(struct estate *estate);

/** A client of each kind, and the addresses at the borders of what lets clients in. */
extern const char *const estate_insiders[];
extern const size_t estate_insider_count;
extern const char *const estate_outsiders[];
extern const size_t estate_outsider_count;

/** Every type that a rule speaks of, some that none does, and those that mean something else. */
extern const uint16_t estate_types[];
extern const size_t estate_type_count;

/**
 * How many types to go on at once: 1, or 4 under a sanitizer, which makes the walk ten times as
 * long. Begin at the number of the name modulo the stride, and every type is still asked for.
 */
size_t estate_stride(void);
