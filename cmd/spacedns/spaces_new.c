#include "spacedns/spaces_new.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/folder.h"
#include "source/zone_file.h"

enum { FILE_MODE = 0644, NAME_LENGTH_MAX = 63 };

/* 10.0.0.0/16, the platform's default. */
static const struct cidr usual_cidr = {.address = 0x0a000000, .bits = 16};

bool new_space_name_is_fit(struct session *session, const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

    if (length > 0 && length <= NAME_LENGTH_MAX && name[length] == '\0')
        return true;
    session_fail(session, EXIT_REFUSED,
                 "a space name has 3 to 63 of a-z, 0-9 and single inner hyphens, as my-space; "
                 "%.80s is not one",
                 name[0] == '\0' ? "the empty one" : name);
    return false;
}

bool new_space_read_cidr(struct session *session, struct cidr *cidr)
{
    const char *text = session->invocation.options[OPTION_CIDR];

    *cidr = usual_cidr;
    if (text == NULL || cidr_read(text, cidr))
        return true;
    session_fail(session, EXIT_USAGE, "--cidr is a block such as 10.1.0.0/16, not %s", text);
    return false;
}

static const char *path_in(struct arena *arena, const char *folder, const char *name,
                           const char *ending)
{
    size_t size = strlen(folder) + 1 + strlen(name) + strlen(ending) + 1;
    char *path = arena_take(arena, size);

    if (path != NULL)
        snprintf(path, size, "%s/%s%s", folder, name, ending);
    return path;
}

static bool write_file(const char *path, const struct new_space *new_space)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    size_t written = 0;

    if (descriptor < 0)
        return false;
    while (written < new_space->length) {
        ssize_t put = write(descriptor, new_space->text + written, new_space->length - written);
        if (put < 0 && errno != EINTR)
            break;
        written += put > 0 ? (size_t)put : 0;
    }
    bool is_written = written == new_space->length && fsync(descriptor) == 0;
    int reason = errno;
    is_written = close(descriptor) == 0 && is_written;
    if (!is_written) {
        unlink(path);
        errno = reason;
    }
    return is_written;
}

static bool is_about_cidr(enum finding_code code)
{
    return code == FINDING_SPACE_CIDR || code == FINDING_SPACE_OVERLAP || code == FINDING_DYNO_IP;
}

/* The first error as one sentence. */
static void format_finding(const struct report *report, struct err *err)
{
    const struct finding *finding = report_first_error(report);

    if (finding == NULL)
        err_set(err, ERR_MEMORY, "out of memory; nothing was changed");
    else
        err_set(err, ERR_RULE, "%s: %.400s; nothing was changed%s", finding_name(finding->code),
                finding->sentence,
                is_about_cidr(finding->code) ? "; --cidr gives the space another block" : "");
}

/* Would the folder be served with the draft in it as `path`? */
static bool check_new_file(struct session *session, const char *path, const char *draft,
                           struct err *err)
{
    const struct load_request request = {.folder = session_zones(session),
                                         .policy = &session->policy,
                                         .key = session->key,
                                         .threads = (unsigned)session->settings.workers,
                                         .file = path,
                                         .draft = draft};
    struct load_outcome outcome;
    struct report *report = report_new();

    if (report == NULL)
        return err_set(err, ERR_MEMORY, "out of memory; nothing was changed");
    *err = (struct err){.code = ERR_NONE};
    struct snapshot *snapshot = snapshot_load(&request, report, &outcome, err);
    bool is_good = snapshot != NULL;
    if (!is_good && err->code == ERR_NONE)
        format_finding(report, err);
    snapshot_free(snapshot);
    report_free(report);
    return is_good;
}

static void sync_folder(const char *folder)
{
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (descriptor < 0)
        return;
    fsync(descriptor);
    close(descriptor);
}

/* Writes the file under a hidden name, checks it, and links it to its own name, which must be free.
 */
static bool write_new_file(struct session *session, struct arena *arena, const char *path,
                           const struct new_space *new_space, struct err *err)
{
    const char *draft = path_in(arena, session_zones(session), ".new_space", ".new");

    if (draft == NULL)
        return err_set(err, ERR_MEMORY, "out of memory; nothing was changed");
    unlink(draft); /* left behind by a command that was killed */
    bool is_written = write_file(draft, new_space);
    if (is_written && !check_new_file(session, path, draft, err)) {
        unlink(draft);
        return false;
    }
    bool is_linked = is_written && link(draft, path) == 0;
    int reason = errno;
    unlink(draft);
    if (is_linked) {
        sync_folder(session_zones(session));
        return true;
    }
    if (reason == EEXIST)
        return err_set(err, ERR_RULE, "%s exists already; %s", path, new_space->when_there);
    return err_set(err, ERR_SYSTEM, "%s cannot be written: %s; nothing was changed", path,
                   strerror(reason));
}

static void format_first_error(const struct report *report, struct err *err)
{
    const struct finding *first = report_first_error(report);
    char location[FINDING_LOCATION_OCTETS];

    if (first == NULL) { /* no memory for it */
        err_set(err, ERR_MEMORY, "out of memory; nothing was changed");
        return;
    }
    finding_write_location(first, location);
    err_set(err, ERR_RULE,
            "%s: %s stands in the way; nothing was changed; spacedns check prints all errors, fix "
            "them first",
            location, finding_name(first->code));
}

/* The folder as it is must load; an empty one may. */
static bool check_folder(struct session *session, struct arena *arena, struct folder *folder,
                         struct err *err)
{
    if (!folder_list(arena, session_zones(session), folder, err) && err->code != ERR_RULE)
        return false;
    if (folder->count == 0)
        return true;
    struct snapshot *snapshot = session_load(session, session_zones(session), NULL, err);
    if (snapshot == NULL && err->code == ERR_NONE)
        format_first_error(session->report, err);
    snapshot_free(snapshot);
    return snapshot != NULL;
}

static bool create_file(struct session *session, struct arena *arena,
                        const struct new_space *new_space, struct err *err)
{
    struct folder folder = {.count = 0};
    const char *path = path_in(arena, session_zones(session), new_space->space, ".yaml");

    if (path == NULL)
        return err_set(err, ERR_MEMORY, "out of memory; nothing was changed");
    if (access(path, F_OK) == 0)
        return err_set(err, ERR_RULE, "%s exists already; %s", path, new_space->when_there);
    return check_folder(session, arena, &folder, err) &&
           write_new_file(session, arena, path, new_space, err);
}

bool new_space_create(struct session *session, const struct new_space *new_space, struct err *err)
{
    struct arena *arena = arena_new();
    bool is_made = false;
    int lock = -1;

    if (arena == NULL)
        return err_set(err, ERR_MEMORY, "out of memory; nothing was changed");
    lock = zone_file_lock(session_zones(session), err);
    if (lock >= 0)
        is_made = create_file(session, arena, new_space, err);
    if (lock >= 0)
        close(lock);
    arena_free(arena);
    return is_made;
}
