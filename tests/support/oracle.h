#pragma once
/**
 * The rules about names and clients once more, written as plainly as possible: loops over the model
 * and comparisons of texts. Tests compare the server's answers with this.
 *
 * Threads: pure.  Memory: borrows the models.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/recursion.h"
#include "space/model.h"

/** The owner of a name. */
struct owner {
    const struct space *space;
    const struct app *app;
    const struct domain *domain; /* NULL for default domains and DNS targets */
    bool is_wildcard;
};

/**
 * Finds the app that a host name belongs to: default domain, DNS target, exact custom domain, then
 * the closest wildcard. `name` is absolute, in any case.
 */
bool oracle_find_owner(const struct space *const *spaces, size_t count, const char *name,
                       struct owner *owner);

/** True when the app's answer to this type is ours: an apex owns only what carries addresses. */
bool oracle_owns_type(const struct owner *owner, uint16_t type);

/**
 * True when the address is inside the space, an active peering or a VPN that is up. `device` is the
 * interface that the client comes by; NULL: none that is known.
 */
bool oracle_is_member(const struct space *space, uint32_t address, const char *device);

/** Classes of an address in all spaces: bit 0 space, 1 peered, 2 vpn. */
unsigned oracle_classes(const struct space *const *spaces, size_t count, uint32_t address);

/** True when one of the classes may ask for the name, whoever has it. */
bool oracle_may_recurse(const struct recursion *recursion, unsigned classes, const char *name);

/** True when the address is inside the space's own CIDR. */
bool oracle_is_dyno(const struct space *space, uint32_t address);

/** True for a name in a discovery, introspection or reverse family, or of a static record. */
bool oracle_is_special(const struct space *const *spaces, size_t count, const char *name);

/** The space whose static record or reverse name it is; NULL: none. */
const struct space *oracle_special_space(const struct space *const *spaces, size_t count,
                                         const char *name);

/** True when one of this client's spaces has static records below the name. */
bool oracle_is_empty_name(const struct space *const *spaces, size_t count, const char *name,
                          uint32_t client, const char *device);

/** The addresses of the space's routers that are up, sorted; returns their count. */
size_t oracle_routers(const struct space *space, uint32_t *addresses, size_t most);
