#include "spacedns/support.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "inspect/print.h"
#include "spacedns/color.h"
#include "spacedns/support_archive.h"

enum { NAME_OCTETS = 64, US_PER_SECOND = 1000000 };

/* "spacedns-support-20261130T120107Z" */
static void make_name(char name[NAME_OCTETS])
{
    time_t now = (time_t)(clock_wall_us() / US_PER_SECOND);
    struct tm parts;

    if (gmtime_r(&now, &parts) == NULL ||
        strftime(name, NAME_OCTETS, "spacedns-support-%Y%m%dT%H%M%SZ", &parts) == 0)
        snprintf(name, NAME_OCTETS, "spacedns-support");
}

/* ---- the list ---- */

static size_t octets_of(const struct support_parts *parts)
{
    size_t octets = 0;

    for (size_t i = 0; i < parts->count; i++)
        octets += parts->items[i].length;
    return octets;
}

static void print_list(struct session *session, const struct support_parts *parts, const char *path)
{
    color_print(session, session->out, COLOR_TITLE, "What the archive holds, in octets:");
    fputc('\n', session->out);
    for (size_t i = 0; i < parts->count; i++)
        support_part_print(&parts->items[i], session->out);
    if (parts->blanked > 0)
        fprintf(session->out, "%zu secrets in it are overwritten with *\n", parts->blanked);
    escape_printf(session->out, "%zu octets before compression, to %s; nothing is sent anywhere\n",
                  octets_of(parts), path);
    fflush(session->out);
}

static void print_json_list(struct session *session, const struct support_parts *parts,
                            const char *path, bool is_written)
{
    json_t *list = json_array();

    for (size_t i = 0; i < parts->count; i++) {
        const struct support_part *part = &parts->items[i];
        const char *problem = part->octets == NULL ? part->problem.text : NULL;
        json_array_append_new(
            list,
            json_pack("{s:o, s:I, s:s, s:o}", "name", print_text(part->name, strlen(part->name)),
                      "octets", (json_int_t)part->length, "holds", part->holds, "problem",
                      problem == NULL ? json_null() : print_text(problem, strlen(problem))));
    }
    print_json(json_pack("{s:o, s:b, s:I, s:o}", "file", print_text(path, strlen(path)), "written",
                         (int)is_written, "secrets_overwritten", (json_int_t)parts->blanked,
                         "parts", list),
               session->out);
}

/* ---- the question ---- */

static bool is_confirmed(struct session *session, const char *path)
{
    char answer[NAME_OCTETS];

    escape_printf(session->err, "Write %s? [y/N] ", path);
    fflush(session->err);
    return fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

/* Returns EXIT_DONE when it may be written. */
static int ask(struct session *session, const char *path)
{
    if (invocation_has(&session->invocation, OPTION_YES))
        return EXIT_DONE;
    if (isatty(STDIN_FILENO) != 1)
        return session_fail(session, EXIT_USAGE,
                            "there is no terminal to ask at; add --yes to write it, or --dry-run "
                            "for the list alone");
    if (is_confirmed(session, path))
        return EXIT_DONE;
    return session_fail(session, EXIT_REFUSED, "nothing was written; answer y to write it");
}

/* ---- all ---- */

static int write_archive(struct session *session, const struct support_parts *parts,
                         const char *path, const char *folder)
{
    bool is_dry = invocation_has(&session->invocation, OPTION_DRY_RUN);
    struct err err;

    if (!session->is_json)
        print_list(session, parts, path);
    int code = is_dry ? EXIT_DONE : ask(session, path);
    if (code != EXIT_DONE)
        return code;
    if (!is_dry && !support_archive_write(parts, path, folder, &err))
        return session_fail(session, EXIT_REFUSED, "%s %s", path, err.text);
    if (session->is_json)
        print_json_list(session, parts, path, !is_dry);
    else if (!is_dry)
        escape_printf(session->out, "Written to %s; look through it before you hand it on\n", path);
    return EXIT_DONE;
}

int run_support(struct session *session)
{
    const char *path = invocation_operand(&session->invocation, 0);
    char folder[NAME_OCTETS], usual[NAME_OCTETS + 8];
    struct support_parts parts;
    int code;

    make_name(folder);
    snprintf(usual, sizeof usual, "%s.tar.gz", folder);
    if (support_parts_make(&parts, session))
        code = write_archive(session, &parts, path == NULL ? usual : path, folder);
    else
        code = session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
    support_parts_close(&parts);
    return code;
}
