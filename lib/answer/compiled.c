#include "answer/compiled.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "answer/segment_image.h"
#include "answer/stored.h"
#include "base/parallel.h"

enum {
    FORMAT = 2, /* raised when the file's form or the meaning of its contents changes */
    FILE_MODE = 0600,
    MAGIC_OCTETS = 24,
    BYTE_ORDER_MARK = 0x01020304,
};

static const char magic[MAGIC_OCTETS] = "spacedns compiled state";

#define FILE_NAME "compiled"
#define DRAFT_NAME ".new-compiled-"

enum { DRAFT_NAME_MOST = sizeof DRAFT_NAME + 16 };

/* Of this process alone: during an upgrade another one may be ending its own. */
static void name_draft(char draft[DRAFT_NAME_MOST])
{
    snprintf(draft, DRAFT_NAME_MOST, DRAFT_NAME "%d", (int)getpid());
}

/* No member leaves a gap, so the checksum is of them alone. */
struct head {
    char magic[MAGIC_OCTETS];
    uint32_t format;
    uint32_t byte_order;
    uint64_t program; /* its version, and the layout of its segments */
    uint64_t suffixes;
    struct hash_key key;
    uint64_t segment_count; /* numbers of segments, unused ones among them */
    uint64_t table;         /* the table's checksum */
    uint64_t checksum;      /* of all the above */
};

/* A segment or shard; length 0: an unused number. */
struct part {
    uint64_t offset;
    uint64_t length;
    uint64_t checksum;
};

/* ---- what the contents depend on ---- */

static uint64_t add_text(uint64_t sum, const char *text)
{
    return (sum ^ stored_checksum(text, strlen(text))) * UINT64_C(0x9e3779b97f4a7c15);
}

/* Another build may have other rules for zone files under the same version. */
static uint64_t identify_program(void)
{
    struct stat build = {.st_size = 0};

    stat("/proc/self/exe", &build);
    const uint64_t words[] = {segment_image_layout(),         sizeof(struct index_shard),
                              (uint64_t)build.st_size,        (uint64_t)build.st_ino,
                              (uint64_t)build.st_mtim.tv_sec, (uint64_t)build.st_mtim.tv_nsec};
    return add_text(stored_checksum(words, sizeof words), SPACEDNS_VERSION);
}

static uint64_t identify_suffixes(const struct suffixes *suffixes)
{
    uint64_t sum = add_text(add_text(1, suffixes->apps), suffixes->discovery);

    return add_text(add_text(sum, suffixes->targets[0]), suffixes->targets[1]);
}

static uint64_t sum_head(const struct head *head)
{
    return stored_checksum(head, offsetof(struct head, checksum));
}

/* ---- reading ---- */

struct reading {
    int descriptor;
    struct head head;
    struct part *parts;
    struct snapshot *snapshot;
};

static bool read_at(int descriptor, void *octets, size_t length, uint64_t offset)
{
    uint8_t *next = octets;

    while (length > 0) {
        ssize_t got = pread(descriptor, next, length, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        next += got;
        offset += (uint64_t)got;
        length -= (size_t)got;
    }
    return true;
}

/* Reads a part, and compares its checksum. */
static bool read_part(const struct reading *reading, const struct part *part, void *octets)
{
    return read_at(reading->descriptor, octets, part->length, part->offset) &&
           stored_checksum(octets, part->length) == part->checksum;
}

static bool read_segment(struct reading *reading, size_t number)
{
    const struct part *part = &reading->parts[number];
    struct segment *segment = NULL;

    if (part->length == 0)
        return true;
    uint8_t *room = malloc(part->length + SEGMENT_IMAGE_ALIGNMENT);
    if (room == NULL)
        return false;
    uint8_t *octets = room + SEGMENT_IMAGE_ALIGNMENT - (uintptr_t)room % SEGMENT_IMAGE_ALIGNMENT;
    if (read_part(reading, part, octets))
        segment = segment_image_use(octets, part->length);
    free(room);
    reading->snapshot->segments[number] = segment;
    return segment != NULL;
}

static bool is_shard(const struct index_shard *shard, size_t length)
{
    size_t slots = (size_t)shard->mask + 1;

    return (slots & shard->mask) == 0 && shard->used < slots &&
           length == sizeof *shard + slots * sizeof shard->slots[0];
}

static bool read_shard(struct reading *reading, size_t number)
{
    const struct part *part = &reading->parts[reading->head.segment_count + number];
    struct index *index = &reading->snapshot->index;
    struct index_shard *shard = part->length < sizeof *shard ? NULL : malloc(part->length);

    if (shard == NULL)
        return false;
    if (!read_part(reading, part, shard) || !is_shard(shard, part->length)) {
        free(shard);
        return false;
    }
    shard->holds = 1;
    index->shards[number] = shard;
    index->masks[number] = shard->mask;
    return true;
}

/* A parallel_fn: one part. */
static bool read_one(void *context, size_t number)
{
    struct reading *reading = context;
    size_t segments = reading->head.segment_count;

    return number < segments ? read_segment(reading, number)
                             : read_shard(reading, number - segments);
}

/* The owner's file, in a folder that the owner of the state will check. */
static int open_own(const char *state_dir, struct stat *status)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/" FILE_NAME, state_dir) >= (int)sizeof path)
        return -1;
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor >= 0 && fstat(descriptor, status) == 0 && S_ISREG(status->st_mode) &&
        status->st_uid == geteuid() && (status->st_mode & (S_IRWXG | S_IRWXO)) == 0)
        return descriptor;
    if (descriptor >= 0)
        close(descriptor);
    return -1;
}

static bool is_of_this_program(const struct head *head, const struct suffixes *suffixes)
{
    return head->format == FORMAT && head->byte_order == BYTE_ORDER_MARK &&
           head->program == identify_program() && head->suffixes == identify_suffixes(suffixes);
}

/* Parts follow each other to the end of the file. */
static bool read_table(struct reading *reading, uint64_t size)
{
    size_t count = reading->head.segment_count + INDEX_SHARDS;
    uint64_t at = sizeof reading->head + count * sizeof *reading->parts;

    reading->parts = malloc(count * sizeof *reading->parts);
    if (reading->parts == NULL ||
        !read_at(reading->descriptor, reading->parts, count * sizeof *reading->parts,
                 sizeof reading->head) ||
        stored_checksum(reading->parts, count * sizeof *reading->parts) != reading->head.table)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct part *part = &reading->parts[i];
        if (part->offset != at || part->length > size - at)
            return false;
        at += part->length;
    }
    return at == size;
}

static bool read_parts(struct reading *reading, const struct suffixes *suffixes, uint64_t size,
                       unsigned threads)
{
    size_t count = reading->head.segment_count;

    if (!read_table(reading, size))
        return false;
    struct snapshot *snapshot = reading->snapshot = calloc(1, sizeof *reading->snapshot);
    const struct segment **segments = calloc(count + 1, sizeof(struct segment *));
    if (snapshot != NULL && segments != NULL)
        snapshot->set = segment_set_new(segments, count);
    if (snapshot == NULL || snapshot->set == NULL) {
        free(segments);
        return false;
    }
    snapshot->segments = segments;
    snapshot->segment_count = count;
    snapshot->index.key = reading->head.key;
    return name_from_text(suffixes->apps, &snapshot->index.apps_suffix) &&
           parallel_for(count + INDEX_SHARDS, threads, read_one, reading);
}

struct snapshot *compiled_read(const char *state_dir, const struct suffixes *suffixes,
                               unsigned threads, struct err *err)
{
    struct reading reading = {.parts = NULL};
    struct stat status = {.st_size = 0};
    bool is_sound = false;

    err->code = ERR_NONE;
    reading.descriptor = open_own(state_dir, &status);
    if (reading.descriptor < 0)
        return NULL;
    uint64_t size = (uint64_t)status.st_size;
    bool has_head = size >= sizeof reading.head &&
                    read_at(reading.descriptor, &reading.head, sizeof reading.head, 0) &&
                    memcmp(reading.head.magic, magic, sizeof magic) == 0 &&
                    reading.head.checksum == sum_head(&reading.head);
    bool is_usable = has_head && is_of_this_program(&reading.head, suffixes);
    if (is_usable && reading.head.segment_count <= SEGMENT_MAX)
        is_sound = read_parts(&reading, suffixes, size, threads);
    close(reading.descriptor);
    free(reading.parts);
    if (is_sound)
        return reading.snapshot;
    snapshot_free(reading.snapshot);
    if (!has_head || is_usable)
        err_set(err, ERR_SYSTEM,
                "state_dir %s: " FILE_NAME " is not what was written there; the zone files are "
                "compiled anew",
                state_dir);
    return NULL;
}

/* ---- writing ---- */

/* A segment, and what its owner may change while it is written. */
struct compiled_segment {
    struct segment *segment; /* NULL: an unused number */
    struct text_identity identity;
};

struct compiled {
    struct index index;
    uint64_t suffixes;
    size_t octets; /* about the file's size */
    size_t segment_count;
    struct compiled_segment segments[];
};

struct compiled *compiled_hold(const struct snapshot *snapshot)
{
    size_t count = snapshot->segment_count;

    if (snapshot->index.waiting != NULL)
        return NULL;
    struct compiled *compiled = calloc(1, sizeof *compiled + count * sizeof compiled->segments[0]);

    if (compiled == NULL)
        return NULL;
    compiled->suffixes = identify_suffixes(&snapshot->policy.suffixes);
    compiled->octets = snapshot_octets(snapshot);
    compiled->segment_count = count;
    index_share(&compiled->index, &snapshot->index);
    for (size_t i = 0; i < count; i++) {
        struct segment *segment = (struct segment *)snapshot->segments[i];
        if (segment != NULL)
            compiled->segments[i] = (struct compiled_segment){.segment = segment_hold(segment),
                                                              .identity = segment->identity};
    }
    return compiled;
}

void compiled_release(struct compiled *compiled)
{
    if (compiled == NULL)
        return;
    for (size_t i = 0; i < compiled->segment_count; i++)
        segment_release(compiled->segments[i].segment);
    index_close(&compiled->index);
    free(compiled);
}

struct writing {
    const struct compiled *compiled;
    int descriptor;
    struct part *parts;
    uint64_t at;
};

static bool write_at(int descriptor, const void *octets, size_t length, uint64_t offset)
{
    const uint8_t *next = octets;

    while (length > 0) {
        ssize_t put = pwrite(descriptor, next, length, (off_t)offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        next += put;
        offset += (uint64_t)put;
        length -= (size_t)put;
    }
    return true;
}

static bool write_part(struct writing *writing, size_t number, const void *octets, size_t length)
{
    writing->parts[number] = (struct part){
        .offset = writing->at, .length = length, .checksum = stored_checksum(octets, length)};
    writing->at += length;
    return write_at(writing->descriptor, octets, length, writing->at - length);
}

static bool write_segment(struct writing *writing, size_t number)
{
    const struct compiled_segment *from = &writing->compiled->segments[number];
    size_t length = 0;

    if (from->segment == NULL)
        return write_part(writing, number, "", 0);
    uint8_t *octets = segment_image_make(from->segment, &from->identity, &length);
    if (octets == NULL) {
        errno = ENOMEM;
        return false;
    }
    bool written = write_part(writing, number, octets, length);
    free(octets);
    return written;
}

static bool write_shard(struct writing *writing, size_t number)
{
    const struct index_shard *shard = writing->compiled->index.shards[number];
    size_t length = sizeof *shard + ((size_t)shard->mask + 1) * sizeof shard->slots[0];
    struct index_shard *copy = malloc(length);

    if (copy == NULL)
        return false;
    memcpy(copy->slots, shard->slots, length - sizeof *shard);
    copy->mask = shard->mask;
    copy->used = shard->used;
    copy->holds = 0; /* the control thread may change the other's */
    bool written = write_part(writing, writing->compiled->segment_count + number, copy, length);
    free(copy);
    return written;
}

static bool write_head(struct writing *writing, size_t count)
{
    const struct compiled *compiled = writing->compiled;
    struct head head = {.format = FORMAT,
                        .byte_order = BYTE_ORDER_MARK,
                        .program = identify_program(),
                        .suffixes = compiled->suffixes,
                        .key = compiled->index.key,
                        .segment_count = compiled->segment_count,
                        .table = stored_checksum(writing->parts, count * sizeof *writing->parts)};

    memcpy(head.magic, magic, sizeof magic);
    head.checksum = sum_head(&head);
    return write_at(writing->descriptor, writing->parts, count * sizeof *writing->parts,
                    sizeof head) &&
           write_at(writing->descriptor, &head, sizeof head, 0);
}

/* Returns false with errno, or 0 there when it was stopped. */
static bool write_all(struct writing *writing, const atomic_bool *is_stopping)
{
    size_t segments = writing->compiled->segment_count, count = segments + INDEX_SHARDS;

    writing->parts = calloc(count, sizeof *writing->parts);
    if (writing->parts == NULL)
        return false;
    writing->at = sizeof(struct head) + count * sizeof *writing->parts;
    for (size_t i = 0; i < count; i++) {
        if (atomic_load_explicit(is_stopping, memory_order_relaxed)) {
            errno = 0;
            return false;
        }
        if (!(i < segments ? write_segment(writing, i) : write_shard(writing, i - segments)))
            return false;
    }
    return write_head(writing, count) && fsync(writing->descriptor) == 0;
}

static bool has_room(int folder, size_t octets)
{
    struct statvfs disk;

    if (fstatvfs(folder, &disk) != 0)
        return true;
    if (disk.f_bavail * disk.f_frsize / 2 > octets)
        return true;
    errno = ENOSPC;
    return false;
}

/* Removes what processes left behind that ended while they wrote. */
static void remove_drafts(int folder)
{
    int descriptor = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = descriptor < 0 ? NULL : fdopendir(descriptor);

    if (entries == NULL) {
        if (descriptor >= 0)
            close(descriptor);
        return;
    }
    for (const struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries))
        if (strncmp(entry->d_name, DRAFT_NAME, sizeof DRAFT_NAME - 1) == 0)
            unlinkat(folder, entry->d_name, 0);
    closedir(entries);
}

static bool write_draft(const struct compiled *compiled, int folder, const char *draft,
                        const atomic_bool *is_stopping)
{
    struct writing writing = {.compiled = compiled};

    remove_drafts(folder);
    if (!has_room(folder, compiled->octets))
        return false;
    writing.descriptor =
        openat(folder, draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (writing.descriptor < 0)
        return false;
    bool written = write_all(&writing, is_stopping);
    int number = errno;
    free(writing.parts);
    if (close(writing.descriptor) != 0 && written) {
        written = false;
        number = errno;
    }
    errno = number;
    return written;
}

bool compiled_write(const struct compiled *compiled, int folder, const atomic_bool *is_stopping,
                    struct err *err)
{
    char draft[DRAFT_NAME_MOST];

    name_draft(draft);
    if (write_draft(compiled, folder, draft, is_stopping) &&
        renameat(folder, draft, folder, FILE_NAME) == 0 && fsync(folder) == 0)
        return true;
    int number = errno;
    unlinkat(folder, draft, 0);
    err->code = ERR_NONE;
    if (number != 0)
        err_set(err, ERR_SYSTEM,
                "its file " FILE_NAME " cannot be written: %s; a restart takes longer until it is, "
                "and nothing else depends on it",
                strerror(number));
    return false;
}
