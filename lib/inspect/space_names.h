#pragma once
/**
 * The names of a space: all that its zone file declares.
 *
 *     app          NAME.herokuapp.com, its domains and DNS targets
 *                  TYPE.APP.app.localspace, N.TYPE..., _PORT._tcp.TYPE..., and each dyno's address
 *     space        names of static records
 *                  router-N.SPACE.space.localspace, and each router's address
 *
 * Declared is not answered: decide() says what a client gets for a name. What is proved and what is
 * exported as a zone file both begin here.
 *
 * Threads: pure.  Memory: never allocates.
 */
#include "answer/snapshot.h"

struct space_name {
    struct name name;
    uint16_t type;               /* what such a name is for: A, SRV, PTR; 0: see `host` */
    const struct app_entry *app; /* NULL: the space's own */
    const struct host *host;     /* NULL: none; of kind HOST_RECORDS, it has the types */
    uint32_t address;            /* of type PTR */
};

/** Returns false to end the walk. */
typedef bool space_on_name(void *context, const struct space_name *name);

/**
 * Calls on_name for each name, app by app and then the space's own. A name that would be too long
 * does not exist and is passed over. Returns false if the callback ended the walk.
 *
 * dynos_most  of each process type, the first so many dynos
 */
bool space_names_walk(const struct snapshot *snapshot, const struct segment *segment,
                      uint32_t dynos_most, space_on_name *on_name, void *context);

/** Makes FRONT.APP.app.localspace; without a front, APP.app.localspace. False: too long. */
bool space_names_discovery(const struct snapshot *snapshot, const struct segment *segment,
                           const struct app_entry *app, const char *front, struct name *out);

/** Makes the name of an address below in-addr.arpa. */
bool space_names_reverse(uint32_t address, struct name *out);
