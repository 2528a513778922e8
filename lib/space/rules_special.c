/* Special-use names: clients treat them in their own ways. */
#include "space/checking.h"

#include "wire/domain.h"

#include <string.h>

/* RFC 6761 (localhost, invalid, test), 6762 (local), 7686 (onion), 9476 (alt), 8375 (home.arpa). */
static const struct {
    const char *suffix;
    bool is_fixed;
    const char *why;
} specials[] = {
    {"localhost", true, "it means the client itself"},
    {"invalid", true, "it never exists"},
    {"local", false, "most clients resolve it by mDNS, not DNS"},
    {"test", false, "it is for tests of software"},
    {"onion", false, "clients refuse to ask DNS"},
    {"alt", false, "it is for names outside of DNS"},
    {"home.arpa", false, "it is for homes"},
};

void check_special_name(struct checking *checking, const char *name, struct location at)
{
    for (size_t i = 0; i < sizeof specials / sizeof specials[0]; i++) {
        if (!domain_is_within(name, specials[i].suffix))
            continue;
        if (specials[i].is_fixed)
            FIND(checking, SPECIAL_FIXED, at,
                 "%.200s lies below %s, whose answers are fixed: %s; use a domain of yours", name,
                 specials[i].suffix, specials[i].why);
        else
            FIND(checking, SPECIAL_NAME, at,
                 "%.200s lies below %s, a special-use name: %s; use a domain of yours", name,
                 specials[i].suffix, specials[i].why);
        return;
    }
}
