#include "spacedns/pull.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"
#include "inspect/print.h"
#include "source/zone_file.h"
#include "spacedns/pulled.h"
#include "spacedns/registry_session.h"
#include "spacedns/spaces.h"

struct pull {
    struct session *session;
    const char *folder;
    int lock;
    struct line_text id;
    struct pulled pulled; /* as the last pull has left it */
    struct lines_writer record;
    json_t *written, *removed, *edited, *conflicts; /* names of spaces */
    size_t unchanged;
};

static struct line_text id_of(struct session *session)
{
    const struct line_text *meta = &registry_view_of(session)->meta.text;
    struct line_text id = {.octets = ""};

    lines_find(meta->octets, meta->length, "id", &id);
    return id;
}

static void note(json_t *list, const char *space)
{
    json_array_append_new(list, print_text(space, strlen(space)));
}

/* ---- one file ---- */

enum fate {
    FATE_WRITE,    /* it is not there, or as it was pulled */
    FATE_SAME,     /* it has the text already */
    FATE_EDITED,   /* it was edited, and the registry has what was pulled */
    FATE_CONFLICT, /* it was edited, and the registry has another text since */
};

/* `revision` 0: the space is not in the registry any more. */
static enum fate decide(const struct pull *pull, const char *space, uint64_t revision,
                        const struct line_text *text, const struct zone_file *file)
{
    struct pulled_space known;

    if (text != NULL && file->length == text->length &&
        memcmp(file->text, text->octets, text->length) == 0)
        return FATE_SAME;
    if (invocation_has(&pull->session->invocation, OPTION_FORCE))
        return FATE_WRITE;
    if (!pulled_find(&pull->pulled, space, &known))
        return FATE_CONFLICT;
    if (known.checksum == pulled_checksum(file->text, file->length))
        return FATE_WRITE;
    return known.revision == revision ? FATE_EDITED : FATE_CONFLICT;
}

static bool format_path(const struct pull *pull, const char *space, char path[PATH_MAX],
                        struct err *err)
{
    return snprintf(path, PATH_MAX, "%s/%s.yaml", pull->folder, space) < PATH_MAX ||
           err_set(err, ERR_LIMIT, "the path of %.100s is too long; choose a shorter folder",
                   space);
}

static void note_known(struct pull *pull, const char *space)
{
    struct pulled_space known;

    if (pulled_find(&pull->pulled, space, &known))
        pulled_add(&pull->record, space, known);
}

static bool replace(struct pull *pull, const struct registry_document *document, const char *path,
                    struct err *err)
{
    struct zone_file file;
    bool is_done = zone_file_open(&file, path, pull->lock, err);

    if (is_done) {
        switch (decide(pull, document->space, document->modified, &document->text, &file)) {
        case FATE_SAME:
            pull->unchanged++;
            break;
        case FATE_WRITE:
            is_done = zone_file_replace(&file, document->text.octets, document->text.length, err);
            note(pull->written, document->space);
            break;
        case FATE_EDITED:
            note(pull->edited, document->space);
            note_known(pull, document->space);
            zone_file_close(&file);
            return true;
        case FATE_CONFLICT:
            note(pull->conflicts, document->space);
            note_known(pull, document->space);
            zone_file_close(&file);
            return true;
        }
    }
    zone_file_close(&file);
    if (is_done)
        pulled_add(&pull->record, document->space,
                   (struct pulled_space){
                       .revision = document->modified,
                       .checksum = pulled_checksum(document->text.octets, document->text.length)});
    return is_done;
}

static bool write_document(struct pull *pull, const struct registry_document *document,
                           struct err *err)
{
    char path[PATH_MAX];

    if (!format_path(pull, document->space, path, err))
        return false;
    if (access(path, F_OK) == 0)
        return replace(pull, document, path, err);
    if (!zone_file_create(path, document->text.octets, document->text.length, err))
        return false;
    note(pull->written, document->space);
    pulled_add(&pull->record, document->space,
               (struct pulled_space){
                   .revision = document->modified,
                   .checksum = pulled_checksum(document->text.octets, document->text.length)});
    return true;
}

/* A space that was pulled and is not in the registry any more: the next push would make it anew. */
static bool remove_file(struct pull *pull, const char *space, struct err *err)
{
    struct zone_file file;
    char path[PATH_MAX];

    if (!format_path(pull, space, path, err) || access(path, F_OK) != 0)
        return true;
    bool is_done = zone_file_open(&file, path, pull->lock, err);
    if (is_done && decide(pull, space, 0, NULL, &file) == FATE_WRITE) {
        is_done = zone_file_remove(&file, err);
        note(pull->removed, space);
    } else if (is_done) {
        note(pull->conflicts, space);
        note_known(pull, space);
    }
    zone_file_close(&file);
    return is_done;
}

/* ---- all of them ---- */

/* --revision N; 0 without it. Returns false with the error printed. */
static bool read_revision(struct session *session, uint64_t *revision)
{
    const char *text = session->invocation.options[OPTION_REVISION];
    char *end = NULL;

    *revision = 0;
    if (text == NULL)
        return true;
    if (text[0] >= '1' && text[0] <= '9')
        *revision = strtoull(text, &end, 10);
    if (end != NULL && *end == '\0' && *revision < INT64_MAX)
        return true;
    session_fail(session, EXIT_USAGE,
                 "%s is no revision; write a number such as spacedns registry prints", text);
    return false;
}

static bool is_wanted(const struct pull *pull, const char *space)
{
    const char *only = pull->session->invocation.options[OPTION_SPACE];

    return only == NULL || strcmp(only, space) == 0;
}

static bool remove_gone(struct pull *pull, struct err *err)
{
    struct lines lines = lines_over(pull->pulled.text, pull->pulled.length);
    struct line line;
    char space[KEY_NAME_MOST + 1];

    while (pull->pulled.text != NULL && lines_next(&lines, &line)) {
        if (!line_is(&line, "space"))
            continue;
        const char *blank = memchr(line.value.octets, ' ', line.value.length);
        size_t length = blank == NULL ? 0 : (size_t)(blank - line.value.octets);
        snprintf(space, sizeof space, "%.*s", (int)length, line.value.octets);
        const struct registry_document *document =
            registry_view_find(registry_view_of(pull->session), space);
        if (!keys_is_name(space, strlen(space)) || document != NULL)
            continue;
        if (!is_wanted(pull, space))
            note_known(pull, space);
        else if (!remove_file(pull, space, err))
            return false;
    }
    return true;
}

static bool write_all(struct pull *pull, struct err *err)
{
    const struct registry_view *view = registry_view_of(pull->session);

    for (size_t i = 0; i < view->count; i++) {
        if (!is_wanted(pull, view->documents[i].space))
            note_known(pull, view->documents[i].space);
        else if (!write_document(pull, &view->documents[i], err))
            return false;
        registry_show_progress(pull->session, "Writing zone files", i + 1, view->count);
    }
    registry_end_progress(pull->session);
    /* Former files are recorded as nobody's: a push of them takes back on purpose. */
    return pull->session->registry->revision != 0 ||
           (remove_gone(pull, err) && pulled_write(&pull->record, pull->folder, err));
}

static bool begin(struct pull *pull, struct err *err)
{
    struct session *session = pull->session;
    const char *space = session->invocation.options[OPTION_SPACE];

    session->registry->leaves_dynos = true;
    if (!registry_reread(session, err))
        return false;
    if (space != NULL && registry_view_find(registry_view_of(session), space) == NULL)
        return err_set(err, ERR_RULE,
                       "there is no space %.64s in %.300s; spacedns spaces lists them", space,
                       session_zones(session));
    if (mkdir(pull->folder, 0777) != 0 && errno != EEXIST)
        return err_set(err, ERR_SYSTEM, "folder %.300s cannot be made: %s; name another",
                       pull->folder, strerror(errno));
    pull->lock = zone_file_lock(pull->folder, err);
    if (pull->lock < 0)
        return false;
    pull->id = id_of(session);
    pulled_read(&pull->pulled, pull->folder);
    if (!pulled_is_of(&pull->pulled, pull->id))
        pulled_close(&pull->pulled); /* of another registry: no file is known */
    pulled_begin(&pull->record, pull->id);
    return true;
}

/* ---- what came of it ---- */

static void print_spaces(const struct pull *pull, const json_t *list, const char *what)
{
    size_t i;
    const json_t *space;

    json_array_foreach(list, i, space) fprintf(pull->session->out, "%s/%s.yaml %s\n", pull->folder,
                                               json_string_value(space), what);
}

static int conclude(struct pull *pull)
{
    struct session *session = pull->session;
    size_t conflicts = json_array_size(pull->conflicts);
    uint64_t revision = registry_view_of(session)->revision;
    int code = EXIT_DONE;

    if (session->is_json) {
        code = session_print_json(
            session, json_pack("{s:o, s:I, s:O, s:O, s:O, s:O, s:I}", "folder",
                               print_text(pull->folder, strlen(pull->folder)), "revision",
                               (json_int_t)revision, "written", pull->written, "removed",
                               pull->removed, "edited", pull->edited, "conflicts", pull->conflicts,
                               "unchanged", (json_int_t)pull->unchanged));
    } else {
        print_spaces(pull, pull->written, "written");
        print_spaces(pull, pull->removed, "removed: the registry has the space no more");
        print_spaces(pull, pull->edited, "edited here, so it stays");
        print_spaces(pull, pull->conflicts, "differs, and was not pulled as it is, so it stays");
        fprintf(session->out, "Revision %" PRIu64 ": %zu unchanged\n", revision, pull->unchanged);
    }
    if (code != EXIT_DONE || conflicts == 0)
        return code;
    return session_fail(session, EXIT_REFUSED,
                        "%zu file%s of %s would be overwritten; pull into another folder and put "
                        "both texts together, or use --force to lose what is there",
                        conflicts, conflicts == 1 ? "" : "s", pull->folder);
}

static void close_pull(struct pull *pull)
{
    if (pull->lock >= 0)
        close(pull->lock);
    pulled_close(&pull->pulled);
    free(pull->record.text);
    json_decref(pull->written);
    json_decref(pull->removed);
    json_decref(pull->edited);
    json_decref(pull->conflicts);
}

int run_pull(struct session *session)
{
    struct pull pull = {.session = session,
                        .folder = session->invocation.operands[0],
                        /* there is one */ .lock = -1};
    struct err err;
    uint64_t revision;
    if (!read_revision(session, &revision))
        return EXIT_USAGE;
    int code = registry_start(session);

    if (code != EXIT_DONE)
        return code;
    session->registry->revision = revision;
    pull.written = json_array();
    pull.removed = json_array();
    pull.edited = json_array();
    pull.conflicts = json_array();
    code = begin(&pull, &err) && write_all(&pull, &err)
               ? conclude(&pull)
               : session_fail(session, EXIT_REFUSED, "%s", err.text);
    close_pull(&pull);
    return code;
}
