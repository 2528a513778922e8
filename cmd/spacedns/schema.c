#include "spacedns/schema.h"

#include <stdlib.h>

#include "space/schema.h"

int run_schema(struct session *session)
{
    char *schema = schema_write();

    if (schema == NULL)
        return session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
    fprintf(session->out, "%s\n", schema);
    free(schema);
    return EXIT_DONE;
}
