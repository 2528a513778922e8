#pragma once
/**
 * Room for messages on their way from a worker to the thread that sends them.
 *
 *     octets:  ... free │ header, message │ header, message │ (skipped) │ free ...
 *                       start ──────────────────────────────────────── end
 *
 * The worker takes room at the end; the sender gives messages back, mostly in the order they came,
 * and the start moves over all that were. A message lies in one piece: what is left before the end
 * of the octets is skipped when it is too short.
 *
 * Threads: one worker takes, keeps and abandons; one thread at a time releases.  Memory: all in
 * tap_room_init; its pages are used as messages come.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TAP_ROOM_ALIGNMENT = 8 };

struct tap_room {
    uint8_t *octets;
    size_t size;            /* a power of two */
    uint64_t taken;         /* position of the header last taken; the worker's */
    _Atomic uint64_t end;   /* positions only grow; written by the worker ... */
    _Atomic uint64_t start; /* ... and by the sender */
};

/** Returns false without memory. `size` is a power of two. */
bool tap_room_init(struct tap_room *room, size_t size);

void tap_room_close(struct tap_room *room);

/** Returns room for a message of `most` octets, or NULL while there is none. */
uint8_t *tap_room_take(struct tap_room *room, size_t most);

/** Keeps the first `length` octets of what was taken last; before the sender gets them. */
void tap_room_keep(struct tap_room *room, size_t length);

/** Gives up what was kept last: the sender does not get it. */
void tap_room_abandon(struct tap_room *room);

/** Gives a message back; `at` is less than TAP_ROOM_ALIGNMENT after what tap_room_take returned. */
void tap_room_release(struct tap_room *room, const uint8_t *at);
