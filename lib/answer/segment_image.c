#include "answer/segment_image.h"

#include <stdlib.h>
#include <string.h>

#include "answer/dyno_half.h"
#include "base/hash.h"

/* A member of struct segment that points to an array, and the member with its count. */
struct array {
    size_t pointer;
    size_t count;
    size_t count_octets; /* of the latter */
    size_t element;
};

#define ARRAY(member, counter, octets)                                                             \
    {                                                                                              \
        .pointer = offsetof(struct segment, member), .count = offsetof(struct segment, counter),   \
        .count_octets = sizeof(((struct segment *)NULL)->counter), .element = (octets)             \
    }

/* Those of the dyno half come first. */
static const struct array arrays[] = {
    ARRAY(apps, app_count, sizeof(struct app_entry)),
    ARRAY(formations, formation_count, sizeof(struct formation_entry)),
    ARRAY(dynos, dyno_count, sizeof(struct dyno_entry)),
    ARRAY(dynos_by_ip, published_count, sizeof(uint32_t)),
    ARRAY(types, type_octets, 1),
    ARRAY(ports, port_count, sizeof(struct port_entry)),
    ARRAY(hosts, host_count, sizeof(struct host)),
    ARRAY(records, record_count, sizeof(struct record_entry)),
    ARRAY(empty_names, empty_count, sizeof(struct empty_name)),
    ARRAY(listen, listen_count, sizeof(uint32_t)),
    ARRAY(dyno_cidrs, dyno_cidr_count, sizeof(struct cidr)),
    ARRAY(routers, router_count, sizeof(struct router_entry)),
    ARRAY(router_records, router_up_count, (size_t)2 * READY_RECORD_OCTETS),
    ARRAY(trusted_ips, trusted_count, sizeof(struct cidr)),
    ARRAY(trusted_lines, trusted_count, sizeof(uint32_t)),
    ARRAY(connections, connection_count, sizeof(struct connection)),
    ARRAY(azs, az_count, sizeof(struct az_entry)),
    ARRAY(az_blocks, az_block_count, sizeof(struct az_block)),
    ARRAY(texts, text_octets, 1),
};
enum { ARRAYS = sizeof arrays / sizeof arrays[0], FIRST_OF_DOCUMENT = 5 };

static const size_t texts[] = {offsetof(struct segment, file), offsetof(struct segment, name),
                               offsetof(struct segment, id), offsetof(struct segment, region)};
enum { TEXTS = sizeof texts / sizeof texts[0] };

/*
 * Whoever adds a pointer to one of these adds it to the tables above, or to put_connections and its
 * like; then the size here.
 */
_Static_assert(sizeof(void *) != 8 || sizeof(struct segment) == 544, "pointers in images");
_Static_assert(sizeof(void *) != 8 || sizeof(struct connection) == 72, "pointers in images");
_Static_assert(sizeof(void *) != 8 || sizeof(struct az_entry) == 16, "pointers in images");

enum { WORD_LOAD_OCTETS = 8 /* readable beyond the last text */ };

uint64_t segment_image_layout(void)
{
    static const struct hash_key key = {.first = 0xa4093822299f31d0, .second = 0x082efa98ec4e6c89};
    const size_t others[] = {sizeof(struct segment),
                             sizeof(struct text_identity),
                             offsetof(struct segment, identity),
                             offsetof(struct segment, octets),
                             offsetof(struct segment, declared),
                             offsetof(struct segment, revisions),
                             offsetof(struct segment, app_ids),
                             offsetof(struct segment, empty_depths),
                             offsetof(struct connection, name),
                             offsetof(struct connection, status),
                             offsetof(struct connection, device),
                             offsetof(struct connection, blocks),
                             offsetof(struct connection, block_lines),
                             offsetof(struct connection, block_count),
                             offsetof(struct az_entry, name)};

    return hash_octets(&key, arrays, sizeof arrays) ^ hash_octets(&key, texts, sizeof texts) ^
           hash_octets(&key, others, sizeof others);
}

/* ---- making ---- */

struct image {
    uint8_t *octets;
    size_t length, capacity;
    bool has_failed;
};

/* Appends octets and returns their offset; 0 without memory. */
static size_t put_aligned(struct image *image, const void *octets, size_t length, size_t alignment)
{
    size_t at = (image->length + alignment - 1) / alignment * alignment, end = at + length;

    if (end > image->capacity) {
        size_t wider = 2 * image->capacity + end;
        uint8_t *moved = realloc(image->octets, wider);
        if (moved == NULL) {
            image->has_failed = true;
            return 0;
        }
        image->octets = moved;
        image->capacity = wider;
    }
    memset(image->octets + image->length, 0, at - image->length);
    if (length > 0)
        memcpy(image->octets + at, octets, length);
    image->length = end;
    return at;
}

/* The same for an array of any type. */
static size_t put(struct image *image, const void *octets, size_t length)
{
    return put_aligned(image, octets, length, SEGMENT_IMAGE_ALIGNMENT);
}

/* Makes the pointer at an offset that of another one. */
static void point(struct image *image, size_t pointer, size_t target)
{
    if (!image->has_failed)
        memcpy(image->octets + pointer, &target, sizeof target);
}

static void put_text(struct image *image, size_t pointer, const char *text)
{
    point(image, pointer, text == NULL ? 0 : put_aligned(image, text, strlen(text) + 1, 1));
}

static size_t count_of(const struct segment *segment, const struct array *array)
{
    size_t count = 0;
    unsigned narrow = 0;

    if (array->count_octets == sizeof count) {
        memcpy(&count, (const uint8_t *)segment + array->count, sizeof count);
        return count;
    }
    memcpy(&narrow, (const uint8_t *)segment + array->count, sizeof narrow);
    return narrow;
}

static const void *pointer_at(const void *octets, size_t offset)
{
    const void *pointer;

    memcpy(&pointer, (const uint8_t *)octets + offset, sizeof pointer);
    return pointer;
}

static void put_connections(struct image *image, const struct segment *segment)
{
    size_t first =
        (size_t)(uintptr_t)pointer_at(image->octets, offsetof(struct segment, connections));

    for (size_t i = 0; i < segment->connection_count && !image->has_failed; i++) {
        const struct connection *connection = &segment->connections[i];
        size_t at = first + i * sizeof *connection, count = connection->block_count;
        put_text(image, at + offsetof(struct connection, name), connection->name);
        put_text(image, at + offsetof(struct connection, status), connection->status);
        put_text(image, at + offsetof(struct connection, device), connection->device);
        point(image, at + offsetof(struct connection, blocks),
              put(image, connection->blocks, count * sizeof *connection->blocks));
        point(image, at + offsetof(struct connection, block_lines),
              put(image, connection->block_lines, count * sizeof *connection->block_lines));
    }
}

static void put_azs(struct image *image, const struct segment *segment)
{
    size_t first = (size_t)(uintptr_t)pointer_at(image->octets, offsetof(struct segment, azs));

    for (size_t i = 0; i < segment->az_count && !image->has_failed; i++)
        put_text(image, first + i * sizeof *segment->azs + offsetof(struct az_entry, name),
                 segment->azs[i].name);
}

static void put_ids(struct image *image, const struct segment *segment)
{
    size_t pointer = offsetof(struct segment, app_ids);
    size_t octets = segment->app_count * sizeof *segment->app_ids;

    if (segment->app_ids == NULL) {
        point(image, pointer, 0);
        return;
    }
    size_t first = put(image, segment->app_ids, octets);
    point(image, pointer, first);
    for (size_t i = 0; i < segment->app_count && !image->has_failed; i++)
        put_text(image, first + i * sizeof *segment->app_ids, segment->app_ids[i]);
}

/*
 * Fills in `plain` with the segment as its file declares it, when that declares no dynos: the
 * formations that are not of a key alone, empty. Returns the malloc'ed arrays; NULL without memory.
 */
static uint8_t *take_keys_off(const struct segment *segment, struct segment *plain)
{
    size_t app_octets = segment->app_count * sizeof *segment->apps, kept = 0;
    uint8_t *apps = malloc(app_octets + segment->formation_count * sizeof *segment->formations + 1);

    if (apps == NULL)
        return NULL;
    for (size_t i = 0; i < segment->app_count; i++) {
        struct app_entry app = segment->apps[i];
        uint32_t first = app.formations, end = first + app.formation_count;
        app.formations = (uint32_t)kept;
        app.formation_count = app.web_count = app.web_up = app.web_crashed = 0;
        for (uint32_t j = first; j < end; j++) {
            struct formation_entry formation = segment->formations[j];
            if (formation.at.line == 0)
                continue;
            formation.dynos = formation.dyno_count = 0;
            memcpy(apps + app_octets + kept++ * sizeof formation, &formation, sizeof formation);
            app.formation_count++;
        }
        memcpy(apps + i * sizeof app, &app, sizeof app);
    }
    memcpy(plain, segment, sizeof *plain);
    plain->apps = (const struct app_entry *)(const void *)apps;
    plain->formations = (const struct formation_entry *)(const void *)(apps + app_octets);
    plain->formation_count = kept;
    plain->revisions = NULL;
    plain->dyno_count = plain->published_count = plain->hidden_count = 0;
    return apps;
}

static uint8_t *make(const struct segment *segment, const struct text_identity *identity,
                     size_t *length)
{
    struct image image = {.octets = NULL};
    struct segment head;

    /* Octets between members are copied as well, so that equal segments have equal images. */
    memcpy(&head, segment, sizeof head);
    memcpy(&head.identity, identity, sizeof head.identity);
    head.holds = 0;
    head.octets = head.block_octets = 0;
    head.arena = NULL;
    head.declared = NULL;
    head.revisions = NULL;
    put(&image, &head, sizeof head);
    for (size_t i = 0; i < ARRAYS && !image.has_failed; i++)
        point(&image, arrays[i].pointer,
              put(&image, pointer_at(segment, arrays[i].pointer),
                  count_of(segment, &arrays[i]) * arrays[i].element));
    for (size_t i = 0; i < TEXTS && !image.has_failed; i++)
        put_text(&image, texts[i], pointer_at(segment, texts[i]));
    if (!image.has_failed)
        put_connections(&image, segment);
    if (!image.has_failed)
        put_azs(&image, segment);
    if (!image.has_failed)
        put_ids(&image, segment);
    put_aligned(&image, "\0\0\0\0\0\0\0", WORD_LOAD_OCTETS, 1);
    if (image.has_failed) {
        free(image.octets);
        return NULL;
    }
    *length = image.length;
    return image.octets;
}

uint8_t *segment_image_make(const struct segment *segment, const struct text_identity *identity,
                            size_t *length)
{
    struct segment plain;

    if (segment->declared != NULL)
        return make(segment->declared, identity, length);
    if (segment->revisions == NULL)
        return make(segment, identity, length);
    uint8_t *arrays_of_plain = take_keys_off(segment, &plain);
    uint8_t *octets = arrays_of_plain == NULL ? NULL : make(&plain, identity, length);
    free(arrays_of_plain);
    return octets;
}

/* ---- using ---- */

struct used {
    uint8_t *octets;
    size_t length;
    size_t document;        /* where the document half begins */
    uint8_t *document_half; /* its copy, in the segment's arena */
};

/* Makes an offset within the image a pointer to so many octets. Returns false if they are not. */
static bool resolve(const struct used *used, void *pointer, size_t count, size_t element)
{
    size_t offset;
    const uint8_t *target = NULL;

    memcpy(&offset, pointer, sizeof offset);
    if (offset > used->length || count > (used->length - offset) / element)
        return false;
    if (offset > 0 && offset < used->document)
        return false;
    if (offset > 0)
        target = used->document_half + (offset - used->document);
    memcpy(pointer, &target, sizeof target);
    return offset > 0 || count == 0;
}

/* The same for an array of the dyno half, which is not copied yet. */
static bool resolve_in_place(const struct used *used, void *pointer, size_t count, size_t element)
{
    size_t offset;

    memcpy(&offset, pointer, sizeof offset);
    if (offset == 0 || offset > used->document || count > (used->document - offset) / element)
        return false;
    const uint8_t *target = used->octets + offset;
    memcpy(pointer, &target, sizeof target);
    return true;
}

static bool resolve_text(const struct used *used, void *pointer)
{
    size_t offset;

    memcpy(&offset, pointer, sizeof offset);
    if (offset >= used->length ||
        (offset > 0 && memchr(used->octets + offset, '\0', used->length - offset) == NULL))
        return false;
    return resolve(used, pointer, 0, 1);
}

static bool resolve_connections(const struct used *used, const struct segment *segment)
{
    for (size_t i = 0; i < segment->connection_count; i++) {
        struct connection *connection = (struct connection *)&segment->connections[i];
        size_t count = connection->block_count;
        if (!resolve_text(used, &connection->name) || !resolve_text(used, &connection->status) ||
            !resolve_text(used, &connection->device) ||
            !resolve(used, &connection->blocks, count, sizeof *connection->blocks) ||
            !resolve(used, &connection->block_lines, count, sizeof *connection->block_lines))
            return false;
    }
    return true;
}

static bool resolve_azs(const struct used *used, const struct segment *segment)
{
    for (size_t i = 0; i < segment->az_count; i++)
        if (!resolve_text(used, (void *)&segment->azs[i].name))
            return false;
    return true;
}

static bool resolve_ids(const struct used *used, struct segment *segment)
{
    size_t count = segment->app_ids == NULL ? 0 : segment->app_count;

    if (!resolve(used, &segment->app_ids, count, sizeof *segment->app_ids))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!resolve_text(used, (void *)&segment->app_ids[i]))
            return false;
    return true;
}

static bool resolve_all(const struct used *used, struct segment *segment)
{
    for (size_t i = 0; i < ARRAYS; i++) {
        void *pointer = (uint8_t *)segment + arrays[i].pointer;
        size_t count = count_of(segment, &arrays[i]), element = arrays[i].element;
        if (!(i < FIRST_OF_DOCUMENT ? resolve_in_place(used, pointer, count, element)
                                    : resolve(used, pointer, count, element)))
            return false;
    }
    for (size_t i = 0; i < TEXTS; i++)
        if (!resolve_text(used, (uint8_t *)segment + texts[i]))
            return false;
    return segment->file != NULL && segment->name != NULL && resolve_connections(used, segment) &&
           resolve_azs(used, segment) && resolve_ids(used, segment);
}

/* Copies the document half into an arena. Returns false when there is none, or without memory. */
static bool take_document(struct used *used, struct segment *head)
{
    memcpy(&used->document, (const uint8_t *)head + arrays[FIRST_OF_DOCUMENT].pointer,
           sizeof used->document);
    if (used->document < sizeof *head || used->document > used->length)
        return false;
    size_t length = used->length - used->document;
    head->arena = arena_new_lasting();
    uint8_t *octets =
        head->arena == NULL ? NULL : arena_take(head->arena, length + SEGMENT_IMAGE_ALIGNMENT);
    if (octets == NULL)
        return false;
    octets += SEGMENT_IMAGE_ALIGNMENT - (uintptr_t)octets % SEGMENT_IMAGE_ALIGNMENT;
    memcpy(octets, used->octets + used->document, length);
    used->document_half = octets;
    return true;
}

/* Puts the dyno half of a resolved head into a block of its own. */
static struct segment *join(const struct segment *head)
{
    const struct dyno_half half = {
        .apps = (struct app_entry *)head->apps,
        .formations = (struct formation_entry *)head->formations,
        .formation_count = (uint32_t)head->formation_count,
        .dynos = (struct dyno_entry *)head->dynos,
        .dyno_count = (uint32_t)head->dyno_count,
        .dynos_by_ip = (uint32_t *)head->dynos_by_ip,
        .published_count = (uint32_t)head->published_count,
        .types = {.octets = (char *)head->types, .length = head->type_octets},
    };

    return dyno_half_join(head, &half, arena_used(head->arena));
}

struct segment *segment_image_use(uint8_t *octets, size_t length)
{
    struct used used = {.octets = octets, .length = length};
    struct segment head, *segment = NULL;

    if (length < sizeof head)
        return NULL;
    memcpy(&head, octets, sizeof head);
    head.arena = NULL;
    head.declared = NULL;
    head.revisions = NULL;
    if (take_document(&used, &head) && resolve_all(&used, &head))
        segment = join(&head);
    if (segment == NULL)
        arena_free(head.arena);
    else
        arena_seal(head.arena);
    return segment;
}
