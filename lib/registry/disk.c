#include "registry/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer/restate.h"
#include "base/text.h"

enum { FILE_MODE = 0600 };

#define DRAFT ".registry.new"
#define HEAD "spacedns registry 1\n"

static const uint64_t HASH_START = UINT64_C(14695981039346656037);

/* FNV-1a: against decay, not against enemies; who may write to the folder may do worse. */
static uint64_t hash_on(uint64_t hash, const void *octets, size_t length)
{
    const uint8_t *next = octets;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ next[i]) * UINT64_C(1099511628211);
    return hash;
}

uint64_t disk_settings(const struct mirror *mirror)
{
    uint64_t hash = hash_on(HASH_START, mirror->keys.prefix, mirror->keys.prefix_length + 1);

    hash = hash_on(hash, mirror->is_canary ? "c" : "s", 1);
    for (size_t i = 0; i < mirror->selection_count; i++)
        hash = hash_on(hash, mirror->selection[i], strlen(mirror->selection[i]) + 1);
    return hash;
}

/* ---- content ---- */

static struct disk_version version_of(const struct mirror_document *document)
{
    return document == NULL ? (struct disk_version){.mod_revision = 0}
                            : (struct disk_version){.mod_revision = document->mod_revision,
                                                    .create_revision = document->create_revision};
}

static bool copy_space(struct disk_space *to, const struct mirror_space *space)
{
    to->served = version_of(space->served);
    to->newest = version_of(space->document);
    to->candidate = version_of(space->candidate);
    to->is_removal = space->candidate != NULL && space->candidate->is_removal;
    to->checksum = space->served == NULL ? 0 : space->served->checksum;
    to->gone_revision = space->gone_revision;
    to->is_newest_other = to->served.mod_revision != to->newest.mod_revision ||
                          to->served.create_revision != to->newest.create_revision;
    to->fixed = space->fixed;
    if (to->fixed != NULL)
        to->fixed->holds++;
    to->is_compared = to->fixed != NULL && to->fixed->is_compared;
    to->name = strdup(space->name);
    return to->name != NULL;
}

static bool copy_keys(const struct dyno_table *table, struct dyno_key ***keys, size_t *count)
{
    *keys = malloc((table->count + 1) * sizeof **keys);
    for (size_t i = 0; *keys != NULL && i < table->used; i++) {
        if (table->slots[i].key == NULL)
            continue;
        (*keys)[*count] = dyno_key_copy(table->slots[i].key);
        if ((*keys)[*count] == NULL)
            return false;
        (*count)++;
    }
    return *keys != NULL;
}

bool disk_content_init(struct disk_content *content, const struct mirror *mirror,
                       const struct follow_position *position)
{
    *content = (struct disk_content){.settings = disk_settings(mirror),
                                     .position = *position,
                                     .pause_revision = mirror->pause_revision,
                                     .snapshot = mirror->current};
    memcpy(content->prefix, mirror->keys.prefix, sizeof content->prefix);
    if (mirror->current != NULL)
        content->generation = mirror->current->generation;
    bool passed = copy_keys(&mirror->waiting, &content->waiting, &content->waiting_count) &&
                  copy_keys(&mirror->held, &content->held, &content->held_count);

    content->spaces = calloc(mirror->space_count + 1, sizeof *content->spaces);
    for (size_t i = 0; content->spaces != NULL && passed && i < mirror->space_count; i++) {
        content->space_count++;
        passed = copy_space(&content->spaces[i], mirror->spaces[i]);
    }
    if (passed && content->spaces != NULL)
        return true;
    disk_content_close(content);
    return false;
}

void disk_content_close(struct disk_content *content)
{
    for (size_t i = 0; content->spaces != NULL && i < content->space_count; i++) {
        mirror_release_fixed(content->spaces[i].fixed);
        free(content->spaces[i].name);
    }
    free(content->spaces);
    for (size_t i = 0; i < content->waiting_count; i++)
        dyno_key_free(content->waiting[i]);
    free(content->waiting);
    for (size_t i = 0; i < content->held_count; i++)
        dyno_key_free(content->held[i]);
    free(content->held);
    *content = (struct disk_content){.snapshot = NULL};
}

/* ---- writing ---- */

struct writing {
    FILE *out;
    uint64_t hash;
    bool has_failed;
};

static void write_octets_to(struct writing *writing, const void *octets, size_t length)
{
    writing->hash = hash_on(writing->hash, octets, length);
    if (length > 0 && fwrite(octets, 1, length, writing->out) != length)
        writing->has_failed = true;
}

static void write_line(struct writing *writing, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void write_line(struct writing *writing, const char *format, ...)
{
    char line[4 * KEY_NAME_MOST + 512];
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length < 0 || length >= (int)sizeof line)
        writing->has_failed = true;
    else
        write_octets_to(writing, line, (size_t)length);
}

static const char *or_dash(const char *text)
{
    return text == NULL || text[0] == '\0' ? "-" : text;
}

static void write_fixed(struct writing *writing, const struct disk_space *space)
{
    const struct fixed_space *fixed = space->fixed->space;

    write_line(writing, "f %s %" PRIu64 " %s %s %u/%u %u/%u %d %d %zu %d\n", space->name,
               space->fixed->revision, or_dash(fixed->id), or_dash(fixed->region),
               fixed->cidr.address, fixed->cidr.bits, fixed->data_cidr.address,
               fixed->data_cidr.bits, (int)fixed->generation, (int)fixed->shield, fixed->app_count,
               (int)space->is_compared);
    for (size_t i = 0; i < fixed->app_count; i++)
        write_line(writing, "%016" PRIx64 "\n", fixed->apps[i]);
}

static void write_space(struct writing *writing, const struct disk_space *space)
{
    if (space->served.mod_revision != 0)
        write_line(writing, "z %s %" PRIu64 " %" PRIu64 " %016" PRIx64 "\n", space->name,
                   space->served.mod_revision, space->served.create_revision, space->checksum);
    if (space->is_newest_other)
        write_line(writing, "newest %s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", space->name,
                   space->newest.mod_revision, space->newest.create_revision, space->gone_revision);
    if (space->candidate.mod_revision != 0)
        write_line(writing, "next %s %" PRIu64 " %" PRIu64 " %d\n", space->name,
                   space->candidate.mod_revision, space->candidate.create_revision,
                   (int)space->is_removal);
    if (space->fixed != NULL && !space->fixed->space->is_unreadable)
        write_fixed(writing, space);
}

/* d SPACE APP TYPE REVISION OCTETS; there may be millions. */
static void write_key_head(struct writing *writing, const struct dyno_key *key, size_t octets)
{
    char line[4 * KEY_NAME_MOST];
    const char *const names[] = {"d", key->space, key->app, key->type};
    struct text text = text_over(line, sizeof line);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        text_add_string(&text, names[i]);
        text_add(&text, " ", 1);
    }
    text_add_number(&text, key->revision);
    text_add(&text, " ", 1);
    text_add_number(&text, octets);
    text_add(&text, "\n", 1);
    writing->has_failed |= text.cut;
    write_octets_to(writing, line, text_length(&text));
}

static bool write_key(void *context, const struct dyno_key *key)
{
    struct writing *writing = context;
    size_t length = 0;
    char *value = dyno_key_write(key, &length);

    if (value == NULL) {
        errno = ENOMEM;
        writing->has_failed = true;
        return false;
    }
    write_key_head(writing, key, length);
    write_octets_to(writing, value, length);
    write_octets_to(writing, "\n", 1);
    free(value);
    return !writing->has_failed;
}

static void write_keys(struct writing *writing, const struct disk_content *content)
{
    const struct snapshot *snapshot = content->snapshot;

    for (size_t i = 0; snapshot != NULL && i < snapshot->segment_count; i++)
        if (snapshot->segments[i] != NULL &&
            !segment_walk_keys(snapshot->segments[i], write_key, writing))
            writing->has_failed = true;
    for (size_t i = 0; i < content->waiting_count; i++)
        if (!content->waiting[i]->is_bad)
            write_key(writing, content->waiting[i]);
    for (size_t i = 0; i < content->held_count; i++)
        write_line(writing, "held %s %s %s %" PRIu64 "\n", content->held[i]->space,
                   content->held[i]->app, content->held[i]->type, content->held[i]->revision);
}

static bool write_content(FILE *out, const struct disk_content *content)
{
    struct writing writing = {.out = out, .hash = HASH_START};
    const struct follow_position *position = &content->position;

    write_line(&writing, HEAD "settings %016" PRIx64 " %s\n", content->settings, content->prefix);
    write_line(
        &writing,
        "position %" PRIx64 " %s %" PRIu64 " %" PRIu64 " %016" PRIx64 " %d\npause %" PRIu64 "\n",
        position->cluster, or_dash(position->id), position->revision, position->seen_revision,
        position->seen_hash, (int)position->has_seen_deletion, content->pause_revision);
    write_line(&writing, "generation %" PRIu64 "\n", content->generation);
    for (size_t i = 0; i < content->space_count && !writing.has_failed; i++)
        write_space(&writing, &content->spaces[i]);
    write_keys(&writing, content);
    return !writing.has_failed && fprintf(out, "checksum %016" PRIx64 "\n", writing.hash) > 0;
}

static bool fail_writing(const char *state_path, int number, struct err *err)
{
    return err_set(err, ERR_SYSTEM,
                   "state_dir %s: " DISK_FILE " cannot be written: %s; the next start would have "
                   "to read more from the registry; make it possible: it is tried again "
                   "within a minute",
                   state_path, strerror(number));
}

/* Leaves errno. */
static bool write_draft(int folder, const struct disk_content *content)
{
    unlinkat(folder, DRAFT, 0);
    int descriptor =
        openat(folder, DRAFT, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    FILE *out = descriptor < 0 ? NULL : fdopen(descriptor, "we");

    if (out == NULL) {
        if (descriptor >= 0)
            close(descriptor);
        return false;
    }
    errno = 0;
    bool written = write_content(out, content) && fflush(out) == 0 && fsync(descriptor) == 0;
    int number = errno == 0 ? EIO : errno;
    if (fclose(out) != 0)
        written = false;
    if (!written)
        errno = number;
    return written;
}

bool disk_write(const char *state_path, const struct disk_content *content, struct err *err)
{
    int folder = open(state_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0)
        return fail_writing(state_path, errno, err);
    bool written = write_draft(folder, content) && renameat(folder, DRAFT, folder, DISK_FILE) == 0;
    int number = errno;
    if (written)
        fsync(folder);
    else
        unlinkat(folder, DRAFT, 0);
    close(folder);
    return written || fail_writing(state_path, number, err);
}
