#include "spacedns/spaces_new.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer/folder.h"
#include "space/zone_file.h"

enum { FILE_MODE = 0644, NAME_LENGTH_MAX = 63 };

/* 10.0.0.0/16, as the platform has it. */
static const struct cidr usual_cidr = {.address = 0x0a000000, .bits = 16};

bool newcomer_name_is_fit(struct session *session, const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

    if (length > 0 && length <= NAME_LENGTH_MAX && name[length] == '\0')
        return true;
    session_fail(session, EXIT_REFUSED,
                 "a space name has 3 to 63 of a-z, 0-9 and single inner hyphens, as my-space; "
                 "%.80s is none",
                 name[0] == '\0' ? "the empty one" : name);
    return false;
}

bool newcomer_read_cidr(struct session *session, struct cidr *cidr)
{
    const char *text = session->invocation.options[OPTION_CIDR];

    *cidr = usual_cidr;
    if (text == NULL || cidr_read(text, cidr))
        return true;
    session_fail(session, EXIT_USAGE, "--cidr is a block such as 10.1.0.0/16, not %s", text);
    return false;
}

/* A folder of links to the zone files, and the new one. */
struct rehearsal {
    struct arena *arena;
    char path[64];
    const char **made; /* what is to be removed */
    size_t made_count;
};

static const char *path_in(struct arena *arena, const char *folder, const char *name,
                           const char *ending)
{
    size_t size = strlen(folder) + 1 + strlen(name) + strlen(ending) + 1;
    char *path = arena_take(arena, size);

    if (path != NULL)
        snprintf(path, size, "%s/%s%s", folder, name, ending);
    return path;
}

static bool write_file(const char *path, const struct newcomer *newcomer)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    size_t written = 0;

    if (descriptor < 0)
        return false;
    while (written < newcomer->length) {
        ssize_t put = write(descriptor, newcomer->text + written, newcomer->length - written);
        if (put < 0 && errno != EINTR)
            break;
        written += put > 0 ? (size_t)put : 0;
    }
    bool is_written = written == newcomer->length && fsync(descriptor) == 0;
    int reason = errno;
    is_written = close(descriptor) == 0 && is_written;
    if (!is_written) {
        unlink(path);
        errno = reason;
    }
    return is_written;
}

static bool link_file(struct rehearsal *rehearsal, const char *file)
{
    char target[PATH_MAX];
    const char *path = path_in(rehearsal->arena, rehearsal->path, strrchr(file, '/') + 1, "");

    if (path == NULL || realpath(file, target) == NULL || symlink(target, path) != 0)
        return false;
    rehearsal->made[rehearsal->made_count++] = path;
    return true;
}

static bool rehearsal_fill(struct rehearsal *rehearsal, const struct folder *folder,
                           const struct newcomer *newcomer)
{
    const char *path = path_in(rehearsal->arena, rehearsal->path, newcomer->space, ".yaml");

    rehearsal->made = arena_take(rehearsal->arena, (folder->count + 1) * sizeof *rehearsal->made);
    if (path == NULL || rehearsal->made == NULL || !write_file(path, newcomer))
        return false;
    rehearsal->made[rehearsal->made_count++] = path;
    for (size_t i = 0; i < folder->count; i++)
        if (!link_file(rehearsal, folder->files[i]))
            return false;
    return true;
}

static void rehearsal_end(struct rehearsal *rehearsal)
{
    for (size_t i = 0; i < rehearsal->made_count; i++)
        unlink(rehearsal->made[i]);
    rmdir(rehearsal->path);
}

static bool is_about_cidr(enum finding_code code)
{
    return code == FINDING_SPACE_CIDR || code == FINDING_SPACE_OVERLAP || code == FINDING_DYNO_IP;
}

/* The first error as one sentence, with the zones folder's name instead of the rehearsal's. */
static void tell_finding(const struct session *session, const struct rehearsal *rehearsal,
                         const char *folder, struct err *err)
{
    const struct finding *finding = report_findings(session->report);
    const struct finding *end = finding + report_total(session->report);

    while (finding < end && finding_level(finding->code) != FINDING_ERROR)
        finding++;
    if (finding == end) {
        err_set(err, ERR_MEMORY, "out of memory; nothing was changed");
        return;
    }
    const char *sentence = finding->sentence;
    const char *shadow = strstr(sentence, rehearsal->path);
    int before = shadow == NULL ? 0 : (int)(shadow - sentence);
    err_set(err, ERR_RULE, "%s: %.*s%s%.300s; nothing was changed%s", finding_name(finding->code),
            before, sentence, shadow == NULL ? "" : folder,
            shadow == NULL ? sentence : shadow + strlen(rehearsal->path),
            is_about_cidr(finding->code) ? "; --cidr gives the space another block" : "");
}

/* Would the folder be served with the new file in it? */
static bool rehearse(struct session *session, struct arena *arena, const struct folder *folder,
                     const struct newcomer *newcomer, struct err *err)
{
    struct rehearsal rehearsal = {.arena = arena};
    const char *temporary = getenv("TMPDIR");
    bool is_good = false;

    snprintf(rehearsal.path, sizeof rehearsal.path, "%s/spacedns.XXXXXX",
             temporary == NULL || strlen(temporary) > 40 ? "/tmp" : temporary);
    if (mkdtemp(rehearsal.path) == NULL)
        return err_set(err, ERR_SYSTEM, "%s cannot be made: %s; nothing was changed",
                       rehearsal.path, strerror(errno));
    if (rehearsal_fill(&rehearsal, folder, newcomer)) {
        struct snapshot *snapshot = session_load(session, rehearsal.path, NULL, err);
        is_good = snapshot != NULL;
        snapshot_free(snapshot);
        if (!is_good && err->code == ERR_NONE)
            tell_finding(session, &rehearsal, session_zones(session), err);
    } else {
        err_set(err, ERR_SYSTEM, "%s cannot be filled: %s; nothing was changed", rehearsal.path,
                strerror(errno));
    }
    rehearsal_end(&rehearsal);
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

/* Whole under a hidden name, then under its own, which must be free. */
static bool put(struct arena *arena, const char *folder, const struct newcomer *newcomer,
                struct err *err)
{
    const char *path = path_in(arena, folder, newcomer->space, ".yaml");
    const char *draft = path_in(arena, folder, ".newcomer", ".new");

    if (path == NULL || draft == NULL)
        return err_set(err, ERR_MEMORY, "out of memory; nothing was changed");
    unlink(draft); /* what a command that was killed left behind */
    bool is_put = write_file(draft, newcomer) && link(draft, path) == 0;
    int reason = errno;
    unlink(draft);
    if (is_put) {
        sync_folder(folder);
        return true;
    }
    if (reason == EEXIST)
        return err_set(err, ERR_RULE, "%s exists already; %s", path, newcomer->when_there);
    return err_set(err, ERR_SYSTEM, "%s cannot be written: %s; nothing was changed", path,
                   strerror(reason));
}

static void tell_first_error(const struct report *report, struct err *err)
{
    const struct finding *first = report_first_error(report);
    char place[FINDING_PLACE_OCTETS];

    if (first == NULL) { /* there was no memory for it */
        err_set(err, ERR_MEMORY, "out of memory; nothing was changed");
        return;
    }
    finding_write_place(first, place);
    err_set(err, ERR_RULE,
            "%s: %s stands in the way; nothing was changed; spacedns check tells all of it, mend "
            "it first",
            place, finding_name(first->code));
}

/* What is there, which must be good; an empty folder is. */
static bool list_good(struct session *session, struct arena *arena, struct folder *folder,
                      struct err *err)
{
    if (!folder_list(arena, session_zones(session), folder, err) && err->code != ERR_RULE)
        return false;
    if (folder->count == 0)
        return true;
    struct snapshot *snapshot = session_load(session, session_zones(session), NULL, err);
    if (snapshot == NULL && err->code == ERR_NONE)
        tell_first_error(session->report, err);
    snapshot_free(snapshot);
    return snapshot != NULL;
}

static bool settle(struct session *session, struct arena *arena, const struct newcomer *newcomer,
                   struct err *err)
{
    struct folder folder = {.count = 0};
    const char *path = path_in(arena, session_zones(session), newcomer->space, ".yaml");

    if (path == NULL)
        return err_set(err, ERR_MEMORY, "out of memory; nothing was changed");
    if (access(path, F_OK) == 0)
        return err_set(err, ERR_RULE, "%s exists already; %s", path, newcomer->when_there);
    return list_good(session, arena, &folder, err) &&
           rehearse(session, arena, &folder, newcomer, err) &&
           put(arena, session_zones(session), newcomer, err);
}

bool newcomer_settle(struct session *session, const struct newcomer *newcomer, struct err *err)
{
    struct arena *arena = arena_new();
    bool is_settled = false;
    int lock = -1;

    if (arena == NULL)
        return err_set(err, ERR_MEMORY, "out of memory; nothing was changed");
    lock = zone_file_lock(session_zones(session), err);
    if (lock >= 0)
        is_settled = settle(session, arena, newcomer, err);
    if (lock >= 0)
        close(lock);
    arena_free(arena);
    return is_settled;
}
