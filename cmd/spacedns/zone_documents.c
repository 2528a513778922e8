#include "spacedns/zone_documents.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "source/folder.h"
#include "space/parse.h"
#include "space/rules.h"
#include "spacedns/color.h"

static int fail_memory(struct session *session)
{
    return session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
}

/* The text in the list's arena. False with a finding, or without memory. */
static bool read_text(struct zone_documents *documents, struct folder *folder,
                      struct zone_document *document, struct report *report)
{
    struct source_text text = {.octets = NULL};

    if (!folder->source.read(&folder->source, document->path, &text, report))
        return false;
    document->text = arena_text(documents->arena, text.octets, text.length);
    document->length = text.length;
    free(text.octets);
    return document->text != NULL;
}

/* Adds a file. Returns false without memory. */
static bool add_file(struct zone_documents *documents, struct session *session,
                     struct folder *folder, const char *path)
{
    struct zone_document *items = arena_grow(documents->arena, documents->items, documents->count,
                                             &documents->capacity, sizeof *items);
    const char *kept = arena_text(documents->arena, path, strlen(path));

    if (items == NULL || kept == NULL)
        return false;
    documents->items = items;
    struct zone_document *document = &items[documents->count++];
    *document = (struct zone_document){.path = kept};
    if (!read_text(documents, folder, document, session->report))
        return !report_is_clean(session->report);
    struct space *model =
        space_parse(documents->arena, kept, document->text, document->length, session->report);
    if (model == NULL)
        return !report_is_clean(session->report);
    space_check(model, &session->policy.suffixes, session->report);
    document->model = model;
    document->space = model->name.text;
    return true;
}

static int add_folder(struct zone_documents *documents, struct session *session, const char *path)
{
    struct source_names names;
    struct folder folder;
    struct err err;

    folder_init(&folder, path, NULL);
    if (!folder.source.list(&folder.source, documents->arena, &names, &err))
        return session_fail(session, EXIT_REFUSED, "%s", err.text);
    for (size_t i = 0; i < names.count; i++)
        if (!add_file(documents, session, &folder, names.names[i]))
            return fail_memory(session);
    return EXIT_DONE;
}

static int add_operand(struct zone_documents *documents, struct session *session, const char *path)
{
    struct folder folder;
    struct stat status;

    if (stat(path, &status) != 0)
        return session_fail(session, EXIT_REFUSED,
                            "%s cannot be opened: %s; name a zone file or a folder of some", path,
                            strerror(errno));
    if (S_ISDIR(status.st_mode))
        return add_folder(documents, session, path);
    folder_init(&folder, ".", NULL);
    return add_file(documents, session, &folder, path) ? EXIT_DONE : fail_memory(session);
}

/* Sorted, so that two of one space stand together. */
static int compare_spaces(const void *a, const void *b)
{
    const struct zone_document *one = a, *other = b;
    int order = strcmp(one->space, other->space);

    return order != 0 ? order : strcmp(one->path, other->path);
}

static int check_twice(struct zone_documents *documents, struct session *session)
{
    qsort(documents->items, documents->count, sizeof *documents->items, compare_spaces);
    for (size_t i = 1; i < documents->count; i++) {
        const struct zone_document *one = &documents->items[i - 1], *other = one + 1;
        if (strcmp(one->space, other->space) == 0)
            return session_fail(session, EXIT_REFUSED,
                                "%s and %s are both of the space %s; a space has one document, so "
                                "name one of them",
                                one->path, other->path, one->space);
    }
    return EXIT_DONE;
}

static int fail_findings(struct session *session)
{
    char what[64];
    size_t count = session->invocation.operand_count;

    snprintf(what, sizeof what, "%zu operands", count);
    report_sort(session->report);
    return session_fail_findings(
        session, count == 1 ? invocation_operand(&session->invocation, 0) : what, "try again");
}

int zone_documents_read(struct zone_documents *documents, struct session *session)
{
    int code = EXIT_DONE;

    *documents = (struct zone_documents){.arena = arena_new()};
    report_free(session->report);
    session->report = report_new();
    if (documents->arena == NULL || session->report == NULL)
        return fail_memory(session);
    for (size_t i = 0; i < session->invocation.operand_count && code == EXIT_DONE; i++)
        code = add_operand(documents, session, session->invocation.operands[i]);
    if (code != EXIT_DONE)
        return code;
    if (!report_is_clean(session->report))
        return fail_findings(session);
    return check_twice(documents, session);
}

void zone_documents_close(struct zone_documents *documents)
{
    arena_free(documents->arena);
    *documents = (struct zone_documents){.arena = NULL};
}

const struct space *zone_document_parse(struct arena *arena, const char *space,
                                        struct line_text text, struct report *report)
{
    char name[512];
    int length = snprintf(name, sizeof name, "z/%s", space);
    const char *kept = arena_text(arena, name, (size_t)length);

    return kept == NULL ? NULL : space_parse(arena, kept, text.octets, text.length, report);
}
