#include "answer/state_write.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer/state_list.h"

enum {
    FILE_MODE = 0600,
    DRAFT_NAME_MOST = 32,
    FILE_NAME_MOST = 256, /* of most file systems, with the zero */
    COPY_OCTETS = 1 << 16,
    SINGLE_SYNCS_MOST = 16, /* for more files, the whole file system is synced once */
};

static bool fail(struct state *state, const char *file, int number)
{
    return err_set(&state->problem, ERR_SYSTEM,
                   "state_dir %s: %s cannot be written: %s; names served now may be forgotten at a "
                   "restart; make it possible: it is tried again, first after seconds, then every "
                   "ten minutes, and by spacedns reload",
                   state->path, file, strerror(number));
}

/* ---- the contents of the folder ---- */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(((const struct stored_text *)a)->name, ((const struct stored_text *)b)->name);
}

/* Updates the entry of a text. */
static void update_text(struct stored_text *known, const struct stored_text *text)
{
    known->skip = text->skip;
    known->length = text->length;
    known->checksum = text->checksum;
    known->is_sound = text->is_sound;
}

const char *state_suffix(const struct state *state)
{
    return state->has_spaces ? ".yaml" : "";
}

static bool make_room(struct state *state)
{
    struct stored *stored = &state->stored;

    if (stored->text_count < state->text_capacity)
        return true;
    size_t wider = 2 * state->text_capacity + 16;
    struct stored_text *texts = realloc(stored->texts, wider * sizeof *texts);
    if (texts == NULL)
        return false;
    stored->texts = texts;
    state->text_capacity = wider;
    return true;
}

void state_sort_texts(struct state *state)
{
    struct stored *stored = &state->stored;

    if (stored->text_count > 0)
        qsort(stored->texts, stored->text_count, sizeof *stored->texts, compare_texts);
    state->sorted_count = stored->text_count;
}

bool state_keep_text(struct state *state, const struct stored_text *text)
{
    struct stored *stored = &state->stored;
    const struct stored sorted = {.texts = stored->texts, .text_count = state->sorted_count};
    struct stored_text *known = (struct stored_text *)stored_find(&sorted, text->name);

    if (known != NULL) {
        update_text(known, text);
        return true;
    }
    const char *suffix = state_suffix(state);
    size_t room = strlen(state->path) + sizeof "/zones/" + strlen(text->name) + strlen(suffix);
    char *name = strdup(text->name), *path = malloc(room);
    if (name == NULL || path == NULL || !make_room(state)) {
        free(name);
        free(path);
        return false;
    }
    snprintf(path, room, "%s/zones/%s%s", state->path, text->name, suffix);
    struct stored_text *added = &stored->texts[stored->text_count++];
    *added = *text;
    added->name = name;
    added->path = path;
    return true;
}

static void forget_text(struct state *state, size_t number)
{
    struct stored *stored = &state->stored;

    free((char *)stored->texts[number].name);
    free((char *)stored->texts[number].path);
    stored->text_count--;
    state->sorted_count--;
    memmove(&stored->texts[number], &stored->texts[number + 1],
            (stored->text_count - number) * sizeof *stored->texts);
}

/* ---- one file ---- */

typedef bool print_fn(const void *context, FILE *out);

/* Writes a draft. Leaves errno on failure, and no draft. */
static bool write_draft(int folder, const char *draft, bool is_synced, print_fn *print,
                        const void *context)
{
    unlinkat(folder, draft, 0);
    int descriptor =
        openat(folder, draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    FILE *out = descriptor < 0 ? NULL : fdopen(descriptor, "we");

    if (out == NULL) {
        if (descriptor >= 0)
            close(descriptor);
        return false;
    }
    errno = 0;
    bool written =
        print(context, out) && fflush(out) == 0 && (!is_synced || fsync(descriptor) == 0);
    int number = errno == 0 ? EIO : errno;
    if (fclose(out) != 0 && written) {
        written = false;
        number = errno;
    }
    if (!written) {
        unlinkat(folder, draft, 0);
        errno = number;
    }
    return written;
}

static bool replace(struct state *state, const char *name, print_fn *print, const void *context)
{
    if (write_draft(state->folder, STATE_DRAFT, true, print, context) &&
        renameat(state->folder, STATE_DRAFT, state->folder, name) == 0 && fsync(state->folder) == 0)
        return true;
    return fail(state, name, errno);
}

/* ---- names ---- */

struct listed_names {
    struct state_names names;
    size_t *written;
};

static bool print_names(const void *context, FILE *out)
{
    const struct listed_names *listed = context;

    return state_list_write(out, &listed->names, listed->written);
}

/* Writes the names of `after`, and those of `before` that it lacks. */
static bool write_names(struct state *state, const struct kept_back *after,
                        const struct kept_back *before)
{
    size_t written = 0;
    FILE *source = state_open_names(state);
    const struct listed_names listed = {
        .names = {.source = source, .after = after, .before = before}, .written = &written};

    if (source == NULL && errno != ENOENT)
        return fail(state, STATE_NAMES, errno); /* it has names that must not be lost */
    bool replaced = replace(state, STATE_NAMES, print_names, &listed);

    if (source != NULL)
        fclose(source);
    if (!replaced)
        return false;
    state->is_copied = false;
    if (after != NULL && written < after->count)
        err_set(&state->damage, ERR_SYSTEM,
                "state_dir %s: " STATE_NAMES " and its copy are not what was written there; %zu "
                "names kept back could not be written again, and are let go at a restart",
                state->path, after->count - written);
    return true;
}

static bool print_copy(const void *context, FILE *out)
{
    FILE *in = state_open_names(context);
    char octets[COPY_OCTETS];
    size_t length = 1;

    if (in == NULL)
        return false;
    while (length > 0 && !ferror(out)) {
        length = fread(octets, 1, sizeof octets, in);
        fwrite(octets, 1, length, out);
    }
    bool copied = !ferror(in) && !ferror(out);
    fclose(in);
    return copied;
}

static bool store_copy(struct state *state)
{
    state->is_copied = state->is_copied || replace(state, STATE_NAMES_COPY, print_copy, state);
    return state->is_copied;
}

static void note_kept(struct state *state, struct kept_back *kept)
{
    kept_back_release(state->stored.kept_back);
    state->stored.kept_back = kept_back_hold(kept);
}

/* Before the texts change: adds the names no longer served, removes none. */
static bool store_fallen(struct state *state, const struct snapshot *snapshot)
{
    struct kept_back *after = snapshot->kept_back;
    const struct kept_back *before = state->stored.kept_back;

    if (!state->is_behind && !state_list_differs(after, before))
        return true;
    if (!write_names(state, after, before))
        return false;
    if (!state_list_differs(before, after))
        note_kept(state, after);
    return true;
}

/* After them: removes the names that are declared again or released. */
static bool store_kept(struct state *state, const struct snapshot *snapshot)
{
    struct kept_back *after = snapshot->kept_back;

    if (state_list_differs(state->stored.kept_back, after) && !write_names(state, after, NULL))
        return false;
    note_kept(state, after);
    return store_copy(state);
}

/* ---- texts ---- */

static bool print_text(const void *context, FILE *out)
{
    const struct load_text *text = context;

    return fprintf(out, STATE_TEXT_FORMAT_WRITE, text->checksum, text->length) > 0 &&
           fwrite(text->octets, 1, text->length, out) == text->length;
}

static void name_draft(size_t number, char draft[DRAFT_NAME_MOST])
{
    snprintf(draft, DRAFT_NAME_MOST, "%s-%zu", STATE_DRAFT, number);
}

static bool write_texts(struct state *state, const struct load_text *texts, size_t count)
{
    bool is_single = count <= SINGLE_SYNCS_MOST;
    char draft[DRAFT_NAME_MOST];

    for (size_t i = 0; i < count; i++) {
        name_draft(i, draft);
        if (write_draft(state->zones, draft, is_single, print_text, &texts[i]))
            continue;
        int number = errno;
        while (i-- > 0) {
            name_draft(i, draft);
            unlinkat(state->zones, draft, 0);
        }
        return fail(state, "zones", number);
    }
    return is_single || syncfs(state->zones) == 0 || fail(state, "zones", errno);
}

static bool rename_draft(struct state *state, const char *draft, const char *name)
{
    char file[FILE_NAME_MOST];

    errno = ENAMETOOLONG;
    return snprintf(file, sizeof file, "%s%s", name, state_suffix(state)) < (int)sizeof file &&
           renameat(state->zones, draft, state->zones, file) == 0;
}

/* Renames the drafts to their final names. */
static bool rename_texts(struct state *state, const struct load_text *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char draft[DRAFT_NAME_MOST], line[128];
        name_draft(i, draft);
        if (!rename_draft(state, draft, texts[i].name))
            return fail(state, texts[i].name, errno);
        int skip = snprintf(line, sizeof line, STATE_TEXT_FORMAT_WRITE, texts[i].checksum,
                            texts[i].length);
        const struct stored_text text = {.name = texts[i].name,
                                         .skip = (size_t)skip,
                                         .length = texts[i].length,
                                         .checksum = texts[i].checksum,
                                         .is_sound = true};
        if (!state_keep_text(state, &text))
            return fail(state, texts[i].name, ENOMEM);
    }
    return fsync(state->zones) == 0 || fail(state, "zones", errno);
}

static bool store_texts(struct state *state, const struct load_text *texts, size_t count)
{
    if (count == 0)
        return true;
    bool stored = write_texts(state, texts, count) && rename_texts(state, texts, count);
    state_sort_texts(state);
    return stored;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of the files that are served, sorted. NULL without memory. */
static const char **list_served(const struct snapshot *snapshot, size_t *count)
{
    const char **names = calloc(snapshot->segment_count + 1, sizeof *names);

    *count = 0;
    for (size_t i = 0; names != NULL && i < snapshot->segment_count; i++)
        if (snapshot->segments[i] != NULL)
            names[(*count)++] = stored_name(snapshot->segments[i]->file);
    if (names != NULL)
        qsort(names, *count, sizeof *names, compare_paths);
    return names;
}

/* Removes the texts of files that are gone; their names are already kept back. */
static bool remove_texts(struct state *state, const struct snapshot *snapshot)
{
    size_t count;
    const char **served = list_served(snapshot, &count);
    bool removed = served != NULL;

    if (!removed)
        return fail(state, "zones", ENOMEM);
    for (size_t i = state->stored.text_count; i-- > 0 && removed;) {
        const char *name = state->stored.texts[i].name;
        if (bsearch(&name, served, count, sizeof *served, compare_paths) != NULL)
            continue;
        removed = unlinkat(state->zones, stored_name(state->stored.texts[i].path), 0) == 0 ||
                  errno == ENOENT;
        if (removed)
            forget_text(state, i);
        else
            fail(state, name, errno);
    }
    free(served);
    return removed;
}

/* ---- writing the state ---- */

struct head {
    uint64_t generation;
    struct stored_suffixes suffixes; /* all octets after a text's end are zero */
    int64_t ran_s;
};

static bool print_head(const void *context, FILE *out)
{
    const struct head *head = context;
    const struct stored_suffixes *suffixes = &head->suffixes;

    return fprintf(out, "spacedns state %d\ngeneration %" PRIu64 "\nchecksum %016" PRIx64 "\n",
                   STATE_VERSION, head->generation,
                   stored_checksum(&head->generation, sizeof head->generation)) > 0 &&
           fprintf(out, "suffixes %s %s\nchecksum %016" PRIx64 "\n", suffixes->apps,
                   suffixes->discovery, stored_checksum(suffixes, sizeof *suffixes)) > 0 &&
           fprintf(out, "ran %" PRId64 "\nchecksum %016" PRIx64 "\n", head->ran_s,
                   stored_checksum(&head->ran_s, sizeof head->ran_s)) > 0;
}

/* The names below the previous suffixes are already kept back. */
static bool store_head(struct state *state, const struct snapshot *snapshot, int64_t ran_s)
{
    const struct suffixes *now = &snapshot->policy.suffixes;
    struct head head = {.generation = snapshot->generation, .ran_s = ran_s};
    bool is_time = snapshot->kept_back != NULL && ran_s != state->stored.ran_s;

    if (head.generation == state->stored.generation && !is_time && !state->is_behind)
        return true;
    snprintf(head.suffixes.apps, sizeof head.suffixes.apps, "%s", now->apps);
    snprintf(head.suffixes.discovery, sizeof head.suffixes.discovery, "%s", now->discovery);
    if (!replace(state, "state", print_head, &head))
        return false;
    state->stored.generation = head.generation;
    state->stored.suffixes = head.suffixes;
    state->stored.ran_s = head.ran_s;
    return true;
}

bool state_store(struct state *state, const struct snapshot *snapshot, int64_t ran_s,
                 struct load_outcome *outcome)
{
    if (!state_is_used(state))
        return true;
    bool stored = (state_take_texts(state, snapshot, outcome) || fail(state, "zones", ENOMEM)) &&
                  store_fallen(state, snapshot) &&
                  store_texts(state, state->unstored, state->unstored_count) &&
                  remove_texts(state, snapshot) && store_kept(state, snapshot) &&
                  store_head(state, snapshot, ran_s);

    state->is_behind = !stored;
    if (!stored)
        return false;
    state_free_unstored(state);
    state->problem.code = ERR_NONE;
    return true;
}
