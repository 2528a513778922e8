#include "spacedns/spaces_create.h"

#include <stdlib.h>
#include <string.h>

#include "spacedns/change.h"
#include "spacedns/spaces_new.h"

static const char template[] =
    "# The space %s. After an edit: spacedns check, then spacedns reload.\n"
    "\n"
    "space: %s\n"
    "cidr: %s  # fixed on creation\n"
    "\n"
    "# Internal apps have the addresses of the space's routers; one has to be up.\n"
    "# routers: [%s, %s]\n"
    "\n"
    "# Who else is answered: peered VPCs, and sites behind a VPN.\n"
    "# peerings:\n"
    "#   - {pcx_id: pcx-111aaa111, status: active, cidr_blocks: [10.20.0.0/16]}\n"
    "# vpns:\n"
    "#   - {name: office, status: active, routable_cidrs: [192.168.7.0/24]}\n"
    "\n"
    "# spacedns apps:create --space %s adds an app here.\n"
    "...\n";

/* The 37th address of the first router subnet, and the 21st of the second, as an example. */
static char *format_zone(const char *name, struct cidr cidr, size_t *length)
{
    char *text = NULL, block[CIDR_TEXT_MAX], first[CIDR_TEXT_MAX], second[CIDR_TEXT_MAX];
    FILE *out = open_memstream(&text, length);

    if (out == NULL)
        return NULL;
    cidr_write(cidr, block);
    ipv4_write(cidr_first(cidr) + 37, first);
    ipv4_write(cidr_first(cidr) + 0x1000 + 21, second);
    fprintf(out, template, name, name, block, first, second, name);
    return fclose(out) == 0 ? text : NULL;
}

static int create(struct session *session, const char *name, struct cidr cidr)
{
    struct new_space new_space = {
        .space = name,
        .when_there = "move it away, or take another name",
    };
    struct err err;
    char *text = format_zone(name, cidr, &new_space.length);

    if (text == NULL)
        return session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
    new_space.text = text;
    fputs("Creating space ", session->err);
    session_print_space(session, session->err, name);
    fputs("... ", session->err);
    bool is_made = new_space_create(session, &new_space, &err);
    free(text);
    fputs(is_made ? "done\n" : "!\n", session->err);
    if (!is_made)
        return session_fail(session, EXIT_REFUSED, "%s", err.text);
    change_advise(session, "To load it into a running server, use spacedns reload");
    return new_space_print_file(session, name, NULL);
}

int run_spaces_create(struct session *session)
{
    const char *name = invocation_operand(&session->invocation, 0);
    struct cidr cidr;

    if (!new_space_name_is_fit(session, name))
        return EXIT_REFUSED;
    if (!new_space_read_cidr(session, &cidr))
        return EXIT_USAGE;
    if (!session_read_settings(session))
        return EXIT_REFUSED;
    return create(session, name, cidr);
}
