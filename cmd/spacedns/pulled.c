#include "spacedns/pulled.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "spacedns/change.h"
#include "spacedns/registry_session.h"

enum { RECORD_MOST = 16 << 20, LINE_MOST = 400 };

static const char record_name[] = ".spacedns-pulled";

/* Not against anybody: it tells an edited file from one that is as it was pulled. */
static const struct hash_key checksum_key = {0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9};

uint64_t pulled_checksum(const void *octets, size_t length)
{
    return hash_octets(&checksum_key, octets, length);
}

/* ---- reading ---- */

void pulled_read(struct pulled *pulled, const char *folder)
{
    char path[PATH_MAX];

    *pulled = (struct pulled){.text = NULL};
    if (snprintf(path, sizeof path, "%s/%s", folder, record_name) >= (int)sizeof path)
        return;
    struct err unread;
    pulled->text = file_read_text(path, RECORD_MOST, &pulled->length, &unread);
}

void pulled_close(struct pulled *pulled)
{
    free(pulled->text);
    *pulled = (struct pulled){.text = NULL};
}

bool pulled_is_of(const struct pulled *pulled, struct line_text id)
{
    struct line_text own;

    return pulled->text != NULL && lines_find(pulled->text, pulled->length, "registry", &own) &&
           own.length == id.length && memcmp(own.octets, id.octets, id.length) == 0;
}

/* "test-space 8123400 9f86d081884c7d65" */
static bool read_space(const struct line *line, const char *space, struct pulled_space *found)
{
    size_t length = strlen(space);
    char rest[LINE_MOST];

    if (!line_is(line, "space") || line->value.length <= length ||
        memcmp(line->value.octets, space, length) != 0 || line->value.octets[length] != ' ')
        return false;
    snprintf(rest, sizeof rest, "%.*s", (int)(line->value.length - length),
             line->value.octets + length);
    return sscanf(rest, "%" SCNu64 " %" SCNx64, &found->revision, &found->checksum) == 2;
}

bool pulled_find(const struct pulled *pulled, const char *space, struct pulled_space *found)
{
    struct lines lines = lines_over(pulled->text, pulled->length);
    struct line line;

    while (pulled->text != NULL && lines_next(&lines, &line))
        if (read_space(&line, space, found))
            return true;
    return false;
}

/* ---- writing ---- */

void pulled_begin(struct lines_writer *writer, struct line_text id)
{
    char text[LINE_MOST];

    snprintf(text, sizeof text, "%.*s", (int)id.length, id.octets);
    *writer = (struct lines_writer){.text = NULL};
    lines_write(writer, "registry", text);
}

void pulled_add(struct lines_writer *writer, const char *space, struct pulled_space pulled)
{
    char text[LINE_MOST];

    snprintf(text, sizeof text, "%.255s %" PRIu64 " %016" PRIx64, space, pulled.revision,
             pulled.checksum);
    lines_write(writer, "space", text);
}

static bool fail(const char *path, struct err *err)
{
    return err_set(err, ERR_SYSTEM,
                   "%.300s cannot be written: %s; without it the next pull takes every file for "
                   "edited",
                   path, strerror(errno));
}

bool pulled_write(const struct lines_writer *writer, const char *folder, struct err *err)
{
    char path[PATH_MAX], draft[PATH_MAX];

    if (writer->has_failed)
        return err_set(err, ERR_MEMORY, "out of memory; free some, then try again");
    if (snprintf(path, sizeof path, "%s/%s", folder, record_name) >= (int)sizeof path ||
        snprintf(draft, sizeof draft, "%s/%s.new", folder, record_name) >= (int)sizeof draft)
        return err_set(err, ERR_LIMIT, "the path of %.200s is too long; choose a shorter folder",
                       folder);
    FILE *out = fopen(draft, "we");
    if (out == NULL)
        return fail(draft, err);
    fwrite(writer->text, 1, writer->length, out);
    if (ferror(out) != 0 || fflush(out) != 0) {
        fail(draft, err);
        fclose(out);
        return false;
    }
    fclose(out);
    return rename(draft, path) == 0 || fail(path, err);
}

/* ---- what a push asks ---- */

static void folder_of(const char *path, char folder[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    int length = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);

    snprintf(folder, PATH_MAX, "%.*s", length, slash == NULL ? "." : path);
}

static struct line_text id_of(struct session *session)
{
    const struct line_text *meta = &registry_view_of(session)->meta.text;
    struct line_text id = {.octets = ""};

    lines_find(meta->octets, meta->length, "id", &id);
    return id;
}

int pulled_check(struct session *session, const struct zone_document *document)
{
    const struct registry_document *own =
        registry_view_find(registry_view_of(session), document->space);
    uint64_t modified = own == NULL ? 0 : own->modified;
    char folder[PATH_MAX];
    struct pulled pulled;
    struct pulled_space known;

    folder_of(document->path, folder);
    pulled_read(&pulled, folder);
    bool is_known =
        pulled_is_of(&pulled, id_of(session)) && pulled_find(&pulled, document->space, &known);
    pulled_close(&pulled);
    if (!is_known || known.revision == modified ||
        invocation_has(&session->invocation, OPTION_FORCE_WHY))
        return EXIT_DONE;
    if (modified == 0)
        return session_fail(
            session, EXIT_REFUSED,
            "space %s was removed from the registry since %s was pulled; remove the "
            "file too, or write --force WHY to make the space anew",
            document->space, document->path);
    return session_fail(session, EXIT_REFUSED,
                        "space %s was changed at revision %" PRIu64
                        " since %s was pulled at %" PRIu64
                        ", so this would take that back; pull it into another folder and put both "
                        "changes together, or write --force WHY",
                        document->space, modified, document->path, known.revision);
}

static int compare_spaces(const void *space, const void *document)
{
    return strcmp(space, ((const struct zone_document *)document)->space);
}

/* The file of a folder that has what the registry has now; NULL: none has. */
static const struct zone_document *find_equal(const struct zone_documents *documents,
                                              const char *folder,
                                              const struct registry_document *own)
{
    const struct zone_document *document =
        bsearch(own->space, documents->items, documents->count, sizeof *document, compare_spaces);
    char other[PATH_MAX];

    if (document == NULL)
        return NULL;
    folder_of(document->path, other);
    bool is_equal =
        own->has_draft || (own->text.length == document->length &&
                           memcmp(own->text.octets, document->text, document->length) == 0);
    return is_equal && strcmp(folder, other) == 0 ? document : NULL;
}

/* The folder's record again, with other words for the documents of that folder. */
static bool rewrite(struct session *session, const struct zone_documents *documents,
                    const char *folder, uint64_t revision, struct err *err)
{
    const struct registry_view *view = registry_view_of(session);
    struct lines_writer writer;
    struct pulled pulled;
    struct pulled_space known;

    pulled_read(&pulled, folder);
    bool is_of = pulled_is_of(&pulled, id_of(session));
    pulled_begin(&writer, id_of(session));
    for (size_t i = 0; is_of && i < view->count; i++) {
        const struct registry_document *own = &view->documents[i];
        const struct zone_document *equal = find_equal(documents, folder, own);
        bool is_known = pulled_find(&pulled, own->space, &known);
        if (equal != NULL)
            known = (struct pulled_space){.revision = own->has_draft ? revision : own->modified,
                                          .checksum = pulled_checksum(equal->text, equal->length)};
        if (equal != NULL ? known.revision != 0 : is_known)
            pulled_add(&writer, own->space, known);
    }
    bool is_written = !is_of || pulled_write(&writer, folder, err);
    free(writer.text);
    pulled_close(&pulled);
    return is_written;
}

void pulled_note_pushed(struct session *session, const struct zone_documents *documents,
                        uint64_t revision)
{
    char folder[PATH_MAX], last[PATH_MAX] = "";
    struct err err;

    for (size_t i = 0; i < documents->count; i++) {
        folder_of(documents->items[i].path, folder);
        if (strcmp(folder, last) == 0)
            continue;
        memcpy(last, folder, sizeof last);
        if (!rewrite(session, documents, folder, revision, &err))
            change_advise(session, "%s", err.text);
    }
}
