#include "spacedns/spaces_zonefile.h"

#include <string.h>

#include "inspect/explain_request.h"
#include "spacedns/spaces.h"
#include "spacedns/zonefile.h"

static bool read_class(const char *word, enum client_class *class)
{
    for (*class = CLIENT_SPACE; *class <= CLIENT_EXTERNAL; ++*class)
        if (strcmp(class_text(*class), word) == 0)
            return true;
    return false;
}

/* What the command line says about the client. */
struct wish {
    const char *from; /* NULL: any of the class */
    struct explain_source source;
    enum client_class class;
};

static bool read_wish(struct session *session, struct wish *wish)
{
    const char *as = session->invocation.options[OPTION_AS];

    wish->from = session->invocation.options[OPTION_FROM];
    wish->class = CLIENT_SPACE;
    if (as != NULL && wish->from != NULL)
        session_fail(session, EXIT_USAGE, "write --as CLASS or --from ADDR, not both");
    else if (as != NULL && !read_class(as, &wish->class))
        session_fail(session, EXIT_USAGE,
                     "--as: %s is not a class of clients; write space, peered, vpn or external",
                     as);
    else if (wish->from != NULL && !explain_read_source(wish->from, &wish->source))
        session_fail(session, EXIT_USAGE, "--from: %s is not an address; write one as 10.0.130.56",
                     wish->from);
    else
        return true;
    return false;
}

static bool choose_client(struct session *session, const struct wish *wish,
                          struct zonefile *zonefile)
{
    if (!zonefile_find_client(zonefile, wish->class)) {
        session_fail(session, EXIT_REFUSED,
                     "space %s has no clients of class %s: none of its connections that are up "
                     "makes one; spacedns spaces:peerings and spaces:vpn:connections show their "
                     "states",
                     zonefile->segment->name, class_text(wish->class));
        return false;
    }
    if (wish->from != NULL) {
        /* The server's address at which the space is seen stays. */
        uint32_t destination = zonefile->source.path.destination;
        zonefile->source = wish->source;
        zonefile->source.path.destination = destination;
    }
    return true;
}

int run_spaces_zonefile(struct session *session)
{
    struct wish wish = {.from = NULL};
    struct zonefile zonefile;

    if (!read_wish(session, &wish))
        return EXIT_USAGE;
    if (!session_must_load(session))
        return EXIT_REFUSED;
    zonefile.snapshot = session->snapshot;
    zonefile.segment = space_must_find(session, invocation_operand(&session->invocation, 0));
    if (zonefile.segment == NULL || !choose_client(session, &wish, &zonefile))
        return EXIT_REFUSED;
    if (!zonefile_print(&zonefile, session->is_json, session->out))
        return session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
    return EXIT_DONE;
}
