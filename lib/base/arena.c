#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/blocks.h"

enum { FIRST_CHUNK = 1 << 10, LARGEST_CHUNK = 1 << 20, ALIGNMENT = alignof(max_align_t) };

struct chunk {
    struct chunk *before;
    size_t size; /* of the whole chunk, this head included */
    alignas(max_align_t) unsigned char octets[];
};

struct arena {
    struct chunk *newest;
    unsigned char *next;
    size_t left;
    size_t used;
    size_t chunk_size;
    unsigned holds; /* beside that of arena_new */
    bool is_lasting;
};

struct arena *arena_new(void)
{
    struct arena *arena = calloc(1, sizeof *arena);

    if (arena != NULL)
        arena->chunk_size = FIRST_CHUNK;
    return arena;
}

struct arena *arena_new_lasting(void)
{
    struct arena *arena = block_take(sizeof *arena);

    if (arena != NULL)
        *arena = (struct arena){.chunk_size = FIRST_CHUNK, .is_lasting = true};
    return arena;
}

#ifdef SPACEDNS_SEAL_PAGES

static struct chunk *take_chunk(size_t size, bool is_lasting)
{
    (void)is_lasting;
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

static void give_back_chunk(struct chunk *chunk, bool is_lasting)
{
    (void)is_lasting;
    munmap(chunk, chunk->size);
}

static void seal_chunk(struct chunk *chunk)
{
    mprotect(chunk, chunk->size, PROT_READ);
}

#else

static struct chunk *take_chunk(size_t size, bool is_lasting)
{
    struct chunk *chunk = is_lasting ? block_take(size) : calloc(1, size);

    return is_lasting && chunk != NULL ? memset(chunk, 0, size) : chunk;
}

static void give_back_chunk(struct chunk *chunk, bool is_lasting)
{
    if (is_lasting)
        block_give_back(chunk, chunk->size);
    else
        free(chunk);
}

static void seal_chunk(struct chunk *chunk)
{
    (void)chunk;
}

#endif

void arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    assert(arena->holds == 0);
    struct chunk *chunk = arena->newest;
    while (chunk != NULL) {
        struct chunk *before = chunk->before;
        give_back_chunk(chunk, arena->is_lasting);
        chunk = before;
    }
    if (arena->is_lasting)
        block_give_back(arena, sizeof *arena);
    else
        free(arena);
}

struct arena *arena_hold(struct arena *arena)
{
    if (arena != NULL)
        arena->holds++;
    return arena;
}

void arena_release(struct arena *arena)
{
    if (arena != NULL && arena->holds > 0)
        arena->holds--;
    else
        arena_free(arena);
}

/* Starts a chunk that holds at least `size` octets; chunks double up to LARGEST_CHUNK. */
static bool add_chunk(struct arena *arena, size_t size)
{
    size_t room = size > arena->chunk_size ? size : arena->chunk_size;
    struct chunk *chunk = take_chunk(sizeof *chunk + room, arena->is_lasting);

    if (chunk == NULL)
        return false;
    chunk->size = sizeof *chunk + room;
    chunk->before = arena->newest;
    arena->newest = chunk;
    arena->next = chunk->octets;
    arena->left = room;
    if (arena->chunk_size < LARGEST_CHUNK && !arena->is_lasting)
        arena->chunk_size *= 2;
    return true;
}

void *arena_take(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    /* An empty block has an address of its own, too: NULL means no memory and nothing else. */
    size_t rounded = (size + (size == 0) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (rounded > arena->left && !add_chunk(arena, rounded))
        return NULL;
    void *piece = arena->next;
    arena->next += rounded;
    arena->left -= rounded;
    arena->used += rounded;
    return piece;
}

/* Texts need no alignment: they are allocated from the other end of the chunk. */
static char *take_from_end(struct arena *arena, size_t size)
{
    if (size > arena->left && !add_chunk(arena, size))
        return NULL;
    arena->left -= size;
    arena->used += size;
    return (char *)arena->next + arena->left;
}

char *arena_text(struct arena *arena, const void *octets, size_t length)
{
    char *copy = length > SIZE_MAX / 2 ? NULL : take_from_end(arena, length + 1);

    if (copy != NULL && length > 0)
        memcpy(copy, octets, length);
    return copy;
}

void *arena_grow(struct arena *arena, void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    size_t wider = *capacity == 0 ? 4 : *capacity * 2;
    if (wider > SIZE_MAX / 2 / size)
        return NULL;
    void *moved = arena_take(arena, wider * size);
    if (moved == NULL)
        return NULL;
    if (count > 0)
        memcpy(moved, array, count * size);
    *capacity = wider;
    return moved;
}

void arena_seal(struct arena *arena)
{
    for (struct chunk *chunk = arena->newest; chunk != NULL; chunk = chunk->before)
        seal_chunk(chunk);
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}
