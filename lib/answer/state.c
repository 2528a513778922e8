#include "answer/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer/state_list.h"
#include "answer/state_write.h"
#include "base/permission.h"
#include "source/folder.h"
#include "yaml/yaml.h"

enum { FOLDER_MODE = 0700, FIRST_LINE_MOST = 256, DECIMAL = 10, HEXADECIMAL = 16 };

static bool fail(struct state *state, const char *what, int number)
{
    return err_set(&state->problem, ERR_SYSTEM, "state_dir %s: %s%s%s", state->path, what,
                   number == 0 ? "" : ": ", number == 0 ? "" : strerror(number));
}

static bool fail_newer(struct state *state)
{
    return fail(state,
                "it was written by a newer version of the server, so it is neither read nor "
                "written; run that version, or move the folder away",
                0);
}

/* Notes a file that is used although it is not as it was written. */
static void mark_damaged(struct state *state, const char *file)
{
    err_set(&state->damage, ERR_SYSTEM,
            "state_dir %s: %s is not what was written there; its readable part is used, and the "
            "file is written again",
            state->path, file);
}

/* No server reaches it: a greater one is corrupt, and could not be incremented. */
static const uint64_t GENERATION_MOST = INT64_MAX;

/* ---- the folder ---- */

static int open_folder(int at, const char *path, int flags)
{
    if (mkdirat(at, path, FOLDER_MODE) != 0 && errno != EEXIST)
        return -1;
    return openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
}

static bool check_owner(struct state *state)
{
    struct stat status;

    if (fstat(state->folder, &status) != 0)
        return fail(state, "it cannot be examined", errno);
    if (status.st_uid != geteuid() && status.st_uid != 0)
        return fail(state,
                    "it belongs to another user, who could have any name kept back; make it this "
                    "server's own (chown), or name another folder",
                    0);
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return fail(state, "other users may write to it; remove that permission (chmod go-w)", 0);
    return true;
}

static bool fail_denied(struct state *state, int number)
{
    char why[PERMISSION_TEXT_MOST];
    struct stat status;

    if (permission_is_denied(number) && stat(state->path, &status) != 0 && errno == ENOENT)
        return err_set(&state->problem, ERR_SYSTEM,
                       "state_dir %s: it does not exist, and user %s may not create it; create "
                       "it: install -d -m 0700 -o %s %s",
                       state->path, permission_user(), permission_user(), state->path);
    return err_set(&state->problem, ERR_SYSTEM, "state_dir %s: it cannot be opened: %s",
                   state->path, permission_error(number, state->path, PERMISSION_OWN, why));
}

/* Goes on with a lock of this folder that another process has handed over. */
static void use_lock(struct state *state, int *locked)
{
    struct stat own, other;

    if (*locked < 0 || fstat(state->folder, &own) != 0 || fstat(*locked, &other) != 0 ||
        own.st_dev != other.st_dev || own.st_ino != other.st_ino)
        return;
    close(state->folder);
    state->folder = *locked;
    *locked = -1;
}

static bool enter(struct state *state, int *locked)
{
    state->folder = open_folder(AT_FDCWD, state->path, 0);
    if (state->folder < 0)
        return fail_denied(state, errno);
    use_lock(state, locked);
    if (!check_owner(state))
        return false;
    if (faccessat(state->folder, ".", W_OK | X_OK, 0) != 0)
        return fail_denied(state, errno);
    if (flock(state->folder, LOCK_EX | LOCK_NB) != 0)
        return fail(state, "another server uses it; give each its own", 0);
    /* Texts of files that are gone are removed there, so it must not be another folder. */
    state->zones = open_folder(state->folder, "zones", O_NOFOLLOW);
    return state->zones >= 0 || fail(state, "its folder zones cannot be opened", errno);
}

static FILE *open_file(int folder, const char *name)
{
    int descriptor = openat(folder, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "re");

    if (file == NULL && descriptor >= 0)
        close(descriptor);
    return file;
}

/* ---- generation ---- */

/* Reads the suffixes, which old versions lack. Returns false when they are not as written. */
static bool read_suffixes(FILE *file, struct stored_suffixes *suffixes)
{
    struct stored_suffixes read = {.apps = ""};
    uint64_t sum = 0;
    int fields =
        fscanf(file, " suffixes %200s %200s checksum %" SCNx64, read.apps, read.discovery, &sum);

    if (fields != 3 || sum != stored_checksum(&read, sizeof read))
        return fields == EOF;
    *suffixes = read;
    return true;
}

/* Reads the running time, which old versions lack. Returns false when it is not as written. */
static bool read_ran(FILE *file, int64_t *ran_s)
{
    int64_t read_s = 0;
    uint64_t sum = 0;
    int fields = fscanf(file, " ran %" SCNd64 " checksum %" SCNx64, &read_s, &sum);

    if (fields != 2 || sum != stored_checksum(&read_s, sizeof read_s))
        return fields == EOF;
    *ran_s = read_s;
    return true;
}

/* Returns false when a newer version wrote the file. */
static bool read_generation(struct state *state)
{
    FILE *file = open_file(state->folder, "state");
    unsigned version = 0;
    uint64_t generation = 0, sum = 0;

    if (file == NULL) {
        if (errno != ENOENT)
            mark_damaged(state, "state");
        return true;
    }
    int fields = fscanf(file, "spacedns state %u generation %" SCNu64 " checksum %" SCNx64,
                        &version, &generation, &sum);
    bool is_sound = fields == 3 && sum == stored_checksum(&generation, sizeof generation);
    bool is_whole = is_sound && read_suffixes(file, &state->stored.suffixes) &&
                    read_ran(file, &state->stored.ran_s);
    fclose(file);
    if (fields >= 1 && version > STATE_VERSION)
        return fail_newer(state);
    /* A number that decayed may be great; the generations after it need room, too. */
    if (fields >= 2 && generation <= (is_sound ? GENERATION_MOST : GENERATION_MOST / 2))
        state->stored.generation = generation;
    if (!is_whole)
        mark_damaged(state, "state");
    return true;
}

/* No generation is used twice, even if the file is damaged. */
static void raise_generation(struct state *state)
{
    const struct kept_back *kept = state->stored.kept_back;

    for (size_t i = 0; kept != NULL && i < kept->cohort_count; i++)
        if (kept->cohorts[i] != NULL && kept->cohorts[i]->generation <= GENERATION_MOST &&
            kept->cohorts[i]->generation > state->stored.generation)
            state->stored.generation = kept->cohorts[i]->generation;
}

/* ---- names ---- */

/* A file of names as it was found. */
struct found_names {
    FILE *file; /* NULL: it is missing, or cannot be opened */
    bool is_missing;
    enum state_list_end end;
    uint64_t sum;
};

static struct found_names find_names(const struct state *state, const char *name)
{
    struct found_names found = {.file = open_file(state->folder, name), .end = STATE_LIST_DECAYED};

    found.is_missing = found.file == NULL && errno == ENOENT;
    if (found.file != NULL)
        found.end = state_list_check(found.file, &found.sum);
    return found;
}

static void close_names(struct found_names *found)
{
    if (found->file != NULL)
        fclose(found->file);
}

/* True when there is nothing better: it is sound, or what it has is not known. */
static bool is_decisive(const struct found_names *found)
{
    return found->end == STATE_LIST_SOUND || (found->file == NULL && !found->is_missing);
}

FILE *state_open_names(const struct state *state)
{
    struct found_names names = find_names(state, STATE_NAMES);

    if (is_decisive(&names))
        return names.file;
    struct found_names copy = find_names(state, STATE_NAMES_COPY);
    bool is_copy = is_decisive(&copy);
    int number = is_copy ? errno : ENOENT;
    close_names(is_copy ? &names : &copy);
    errno = number;
    return is_copy ? copy.file : names.file;
}

static void read_found(const struct state *state, const struct found_names *found,
                       struct kept_back_change *change)
{
    if (found->file != NULL)
        state_list_read(found->file, state->stored.ran_s, found->end == STATE_LIST_SOUND, change);
}

static void mark_names_damaged(struct state *state, bool has_copy)
{
    err_set(&state->damage, ERR_SYSTEM,
            "state_dir %s: " STATE_NAMES " is not what was written there; %s", state->path,
            has_copy ? "its copy and its readable part are used, and both are written again"
                     : "neither is its copy; their readable parts are used, and other names that "
                       "were kept back are let go");
}

/* When the file has decayed, the copy comes last, so that its names have their own cohorts. */
static bool read_both(struct state *state, const struct found_names *names,
                      const struct found_names *copy, const struct hash_key *key)
{
    bool is_sound = names->end == STATE_LIST_SOUND;
    struct kept_back_change change;

    kept_back_change_begin(&change, NULL, key);
    change.is_unlisted = is_sound;
    read_found(state, names, &change);
    if (!is_sound)
        read_found(state, copy, &change);
    state->stored.kept_back = kept_back_change_finish(&change);
    return !change.has_failed || fail(state, "out of memory while it was read", 0);
}

static bool read_kept_back(struct state *state, const struct hash_key *key)
{
    struct found_names names = find_names(state, STATE_NAMES),
                       copy = find_names(state, STATE_NAMES_COPY);
    bool is_first = names.is_missing && copy.is_missing;
    bool is_sound = names.end == STATE_LIST_SOUND, has_copy = copy.end == STATE_LIST_SOUND;
    bool passed = true;

    if (names.end == STATE_LIST_NEWER || copy.end == STATE_LIST_NEWER)
        passed = fail_newer(state);
    else if (!is_first)
        passed = read_both(state, &names, &copy, key);
    if (passed && !is_first && !is_sound)
        mark_names_damaged(state, has_copy);
    state->is_copied = is_first || (is_sound && has_copy && names.sum == copy.sum);
    state->is_behind |= !state->is_copied;
    close_names(&names);
    close_names(&copy);
    return passed;
}

bool state_walk_names(const struct state *state, const struct kept_back *kept,
                      kept_back_on_name *on_name, void *context)
{
    FILE *file = kept == NULL || !state_is_used(state) ? NULL : state_open_names(state);
    bool goes_on = file == NULL || state_list_walk(file, kept, on_name, context);

    if (file != NULL)
        fclose(file);
    return goes_on && (kept == NULL || kept_back_walk(kept, on_name, context));
}

void state_drop_names(struct state *state)
{
    if (state_is_used(state) && !state->is_behind)
        kept_back_drop_names(state->stored.kept_back);
}

/* ---- texts ---- */

/* Reads "# spacedns zone 1 CHECKSUM LENGTH". A file without that line is all text, and unsound. */
static void read_first_line(const struct state *state, const char *name, struct stored_text *text)
{
    FILE *file = open_file(state->zones, name);
    char line[FIRST_LINE_MOST];
    struct stat status;
    size_t length = 0;

    if (file == NULL)
        return;
    if (fstat(fileno(file), &status) == 0) {
        text->length = (size_t)status.st_size;
        text->accepted_s = status.st_mtim.tv_sec;
    }
    bool is_read = fgets(line, sizeof line, file) != NULL &&
                   sscanf(line, STATE_TEXT_FORMAT_READ, &text->checksum, &length) == 2;
    fclose(file);
    if (!is_read)
        return;
    text->skip = strlen(line);
    text->is_sound = text->length == text->skip + length;
    text->length -= text->skip;
}

/* True when it is longer than any zone file may be; it is not read then. */
static bool is_oversized(const struct stored_text *text)
{
    return text->length > YAML_FILE_MAX;
}

static bool read_text(struct state *state, const char *file)
{
    char name[NAME_MAX + 1];
    struct stored_text text = {.name = name};

    snprintf(name, sizeof name, "%.*s", (int)(strlen(file) - strlen(state_suffix(state))), file);
    read_first_line(state, file, &text);
    if (is_oversized(&text))
        text.is_sound = false, text.length = 0;
    if (!text.is_sound)
        mark_damaged(state, file);
    return state_keep_text(state, &text) || fail(state, "out of memory while it was read", 0);
}

/* It was left over when the process ended, unless another server is writing it now. */
static void remove_draft(const struct state *state, const char *name)
{
    if (!state->is_peeking)
        unlinkat(state->zones, name, 0);
}

static bool is_text(const struct state *state, const char *file)
{
    size_t length = strlen(file), suffix = strlen(state_suffix(state));

    return folder_is_zone_file(file) &&
           strcmp(file + (length < suffix ? 0 : length - suffix), state_suffix(state)) == 0;
}

static bool read_texts(struct state *state)
{
    int descriptor = openat(state->zones, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = descriptor < 0 ? NULL : fdopendir(descriptor);
    bool passed = folder != NULL;

    if (!passed)
        return fail(state, "its folder zones cannot be read", errno);
    for (const struct dirent *entry = readdir(folder); entry != NULL && passed;
         entry = readdir(folder)) {
        if (strncmp(entry->d_name, STATE_DRAFT, sizeof STATE_DRAFT - 1) == 0)
            remove_draft(state, entry->d_name);
        else if (is_text(state, entry->d_name)) /* no other file is from a server */
            passed = read_text(state, entry->d_name);
    }
    closedir(folder);
    state_sort_texts(state);
    return passed;
}

/* Keeps the problem alone. */
static bool give_up(struct state *state, const char *path)
{
    struct err problem = state->problem;
    bool has_spaces = state->has_spaces;

    state_close(state);
    *state = (struct state){
        .path = path, .has_spaces = has_spaces, .folder = -1, .zones = -1, .problem = problem};
    return false;
}

static bool open_state(struct state *state, const char *path, const struct hash_key *key,
                       int *locked)
{
    *state =
        (struct state){.path = path, .has_spaces = state->has_spaces, .folder = -1, .zones = -1};
    if (!enter(state, locked) || !read_generation(state) || !read_kept_back(state, key) ||
        !read_texts(state))
        return give_up(state, path);
    raise_generation(state);
    return true;
}

bool state_open(struct state *state, const char *path, const struct hash_key *key)
{
    int locked = -1;

    return open_state(state, path, key, &locked);
}

bool state_take_over(struct state *state, const char *path, const struct hash_key *key, int locked)
{
    bool opened = open_state(state, path, key, &locked);

    if (locked >= 0)
        close(locked);
    return opened;
}

bool state_peek(struct state *state, const char *path)
{
    *state = (struct state){
        .path = path, .has_spaces = state->has_spaces, .zones = -1, .is_peeking = true};
    state->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (state->folder >= 0)
        state->zones =
            openat(state->folder, "zones", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (state->zones < 0)
        fail(state, "it cannot be opened", errno);
    return (state->zones >= 0 && read_generation(state) && read_texts(state)) ||
           give_up(state, path);
}

void state_close(struct state *state)
{
    if (state->path == NULL)
        return;
    for (size_t i = 0; i < state->stored.text_count; i++) {
        free((char *)state->stored.texts[i].name);
        free((char *)state->stored.texts[i].path);
    }
    free(state->stored.texts);
    load_texts_free(state->unstored, state->unstored_count);
    kept_back_release(state->stored.kept_back);
    if (state->zones >= 0)
        close(state->zones);
    if (state->folder >= 0)
        close(state->folder);
    *state = (struct state){.folder = -1, .zones = -1};
}
