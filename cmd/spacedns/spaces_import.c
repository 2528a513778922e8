#include "spacedns/spaces_import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/escape.h"
#include "space/topology.h"
#include "spacedns/change.h"
#include "spacedns/spaces_apps_text.h"
#include "spacedns/spaces_merge.h"
#include "spacedns/spaces_new.h"
#include "spacedns/spaces_put.h"

static const char standard_input[] = "standard input";

struct import {
    struct session *session;
    struct arena *arena;
    const char *file;
    const char *space;
    struct cidr cidr;
    struct topology topology;
};

static bool read_octets(int descriptor, char *octets, size_t size)
{
    size_t length = 0;

    while (length < size) {
        ssize_t got = read(descriptor, octets + length, size - length);
        if (got == 0)
            errno = EIO;
        if (got == 0 || (got < 0 && errno != EINTR))
            return false;
        length += got > 0 ? (size_t)got : 0;
    }
    return true;
}

/* Checks type and size before reading. */
static bool read_open(const struct import *import, int descriptor, struct topology_text *text,
                      struct err *err)
{
    struct stat status;

    if (fstat(descriptor, &status) != 0)
        return err_set(err, ERR_SYSTEM, "%s cannot be read: %s; try again", import->file,
                       strerror(errno));
    if (!S_ISREG(status.st_mode))
        return err_set(err, ERR_SYSTEM, "%s is not a regular file; save the topology to one",
                       import->file);
    if (status.st_size > TOPOLOGY_OCTETS_MOST)
        return err_set(err, ERR_LIMIT,
                       "%s has %lld octets, more than the %d of any topology; is it another file?",
                       import->file, (long long)status.st_size, TOPOLOGY_OCTETS_MOST);
    char *octets = arena_take(import->arena, (size_t)status.st_size + 1);
    if (octets == NULL)
        return err_set(err, ERR_MEMORY, "out of memory; free some, then try again");
    if (!read_octets(descriptor, octets, (size_t)status.st_size))
        return err_set(err, ERR_SYSTEM, "%s cannot be read: %s; try again", import->file,
                       strerror(errno));
    *text = (struct topology_text){import->file, octets, (size_t)status.st_size};
    return true;
}

/* A pipe has no size, so it is read to its end, or to one octet too many. */
static bool read_input(const struct import *import, struct topology_text *text, struct err *err)
{
    char *octets = arena_take(import->arena, TOPOLOGY_OCTETS_MOST + 1);
    size_t length = 0;
    ssize_t got = 1;

    if (octets == NULL)
        return err_set(err, ERR_MEMORY, "out of memory; free some, then try again");
    while (got > 0 || (got < 0 && errno == EINTR)) {
        got = read(STDIN_FILENO, octets + length, TOPOLOGY_OCTETS_MOST + 1 - length);
        length += got > 0 ? (size_t)got : 0;
    }
    if (got < 0)
        return err_set(err, ERR_SYSTEM, "%s cannot be read: %s; try again", import->file,
                       strerror(errno));
    if (length > TOPOLOGY_OCTETS_MOST)
        return err_set(err, ERR_LIMIT,
                       "%s has more than the %d octets of any topology; is it another file?",
                       import->file, TOPOLOGY_OCTETS_MOST);
    *text = (struct topology_text){import->file, octets, length};
    return true;
}

static bool read_named(const struct import *import, struct topology_text *text, struct err *err)
{
    int descriptor = open(import->file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (descriptor < 0)
        return err_set(err, ERR_SYSTEM,
                       "%s cannot be opened: %s; name a file that this user may read", import->file,
                       strerror(errno));
    bool is_read = read_open(import, descriptor, text, err);
    close(descriptor);
    return is_read;
}

static bool read_topology(struct import *import, struct err *err)
{
    struct topology_text text;
    bool is_read = import->file == standard_input ? read_input(import, &text, err)
                                                  : read_named(import, &text, err);

    return is_read && topology_read(import->arena, &text, &import->session->policy.suffixes,
                                    &import->topology, err);
}

static void print_zone(const struct import *import, FILE *out)
{
    char cidr[CIDR_TEXT_MAX];

    cidr_write(import->cidr, cidr);
    fprintf(
        out,
        "# The space %s, from the platform's topology, which lacks some facts:\n"
        "# before the server reads this file, add the routers, and `internal_routing: true` to\n"
        "# the apps that have it, for that is fixed on creation.\n",
        import->space);
    if (import->topology.guessed_count > 0)
        fputs(
            "# Which DNS target (cname) belongs to which domain is not in it either: compare them\n"
            "# with `heroku domains`.\n",
            out);
    fprintf(out,
            "\n"
            "space: %s\n"
            "cidr: %s  # fixed on creation\n"
            "# routers: []\n"
            "\n",
            import->space, cidr);
    apps_write(import->topology.apps, import->topology.app_count, out);
    fputs("...\n", out);
}

static void advise(const struct import *import)
{
    const struct topology *topology = &import->topology;
    FILE *out = import->session->err;

    if (topology->guessed_count > 0)
        fprintf(out,
                "The topology does not show which DNS target belongs to which of %zu domains; "
                "compare them with heroku domains.\n",
                topology->guessed_count);
    if (topology->left_count > 0)
        fprintf(out, "Left out: DNS targets without a custom domain, %zu of them.\n",
                topology->left_count);
}

static bool create_file(struct import *import, struct err *err)
{
    struct new_space new_space = {
        .space = import->space,
        .when_there = "with --force its apps become those of the topology, and the rest stays",
    };
    char *text = NULL;
    FILE *out = open_memstream(&text, &new_space.length);

    if (out == NULL)
        return err_set(err, ERR_MEMORY,
                       "out of memory; nothing was changed; free some, then try again");
    print_zone(import, out);
    bool is_made = fclose(out) == 0;
    new_space.text = text;
    is_made = is_made && new_space_create(import->session, &new_space, err);
    free(text);
    return is_made;
}

static int import_apps(struct import *import)
{
    struct session *session = import->session;
    struct err err = {.text = "out of memory; free some, then try again"};

    escape_printf(session->err, "Importing %s into ", import->file);
    session_print_space(session, session->err, import->space);
    fputs("... ", session->err);
    bool is_done = read_topology(import, &err) && create_file(import, &err);
    fputs(is_done ? "done\n" : "!\n", session->err);
    if (!is_done)
        return session_fail(session, EXIT_REFUSED, "%s", err.text);
    advise(import);
    return new_space_print_file(session, import->space, NULL);
}

static int replace(struct import *import, struct change *change)
{
    struct err err = {.text = "out of memory; nothing was changed; free some, then try again"};
    int code = change_open(change, import->session, NULL);

    if (code != EXIT_DONE)
        return code;
    change_begin(change, NULL, "Importing %s into %s", import->file, import->space);
    if (!read_topology(import, &err) ||
        !topology_merge(import->arena, &import->topology, change->selected.space) ||
        !topology_put(import->arena, &import->topology, &change->edit, &err))
        return change_fail(change, err.text);
    code = change_commit(change, NULL);
    if (code == EXIT_DONE) {
        advise(import);
        change_advise(import->session,
                      "To load it into a running server, use spacedns reload; spacedns "
                      "plan shows what would change");
        code = new_space_print_file(import->session, import->space, change->selected.space->file);
    }
    return code;
}

static int replace_apps(struct import *import)
{
    struct change change;
    int code = replace(import, &change);

    change_close(&change);
    return code;
}

int run_spaces_import(struct session *session)
{
    struct import import = {
        .session = session,
        .file = invocation_operand(&session->invocation, 0),
        .space = session->invocation.options[OPTION_SPACE],
    };

    if (import.file != NULL && strcmp(import.file, "-") == 0)
        import.file = standard_input;
    if (import.space == NULL)
        return session_fail(session, EXIT_USAGE,
                            "Space name required. Write --space NAME, the space to create");
    if (!new_space_name_is_fit(session, import.space))
        return EXIT_REFUSED;
    if (!new_space_read_cidr(session, &import.cidr))
        return EXIT_USAGE;
    if (!session_read_settings(session))
        return EXIT_REFUSED;
    import.arena = arena_new();
    if (import.arena == NULL)
        return session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
    int code = invocation_has(&session->invocation, OPTION_FORCE) ? replace_apps(&import)
                                                                  : import_apps(&import);
    arena_free(import.arena);
    return code;
}
