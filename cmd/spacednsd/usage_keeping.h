#pragma once
/**
 * Keeps what is known about who uses what (traffic/usage.h): adds the workers' flows, and stores
 * it in the state folder's file `usage`.
 *
 *     start ──usage_keeping_read──► added up ──every USAGE_STORED_MS──► written on the pool
 *                                      └──the loop has ended──► written as the last
 *
 * After an upgrade the file is read once the server before has gone, which writes it as its last
 * act; until then nothing is written. Without the last words of the server before, answers that it
 * gave may still be in use, so no dyno is safe to stop until they have expired: for the longest TTL
 * that it had, which is in the file, or LONGEST_TTL_USUAL_S where the file cannot be read or there
 * is no state folder. Where the folder has no file yet, no server has used it before.
 *
 * Last words are taken once: before this server answers, their file is renamed to `usage.before`,
 * and they count as such only if that is on the disk. So is a file that cannot be written anew, as
 * its TTL may be outdated. What was put aside is read when there is no `usage`, as that of a server
 * which crashed with any usual TTL; the next write that does not fail removes it.
 *
 * A longest TTL that a reload raises is written at once, not only when it is due.
 *
 * The last questions (traffic/questions.h) are kept beside it, from the same flows, and not stored.
 *
 * Times are the wall clock's. When that is set back, or was ahead when the file was written,
 * nothing stays in the time to come: an answer is then in use for the longest TTL from now, not for
 * years.
 *
 * A file that cannot be read is logged and begun anew: it never keeps a server from starting.
 *
 * Events: usage_unread; usage_failed with the first write that fails, usage_stored with the next
 * one that does not.
 *
 * Threads: the control thread, except for writing.  Memory: usage_keeping_close.
 */
#include <uv.h>

#include "answer/state.h"
#include "traffic/questions.h"
#include "traffic/usage_file.h"

enum { USAGE_FIRST_STORED_MS = 1000, USAGE_STORED_MS = 120 * 1000 };

struct usage_keeping {
    struct usage *usage;         /* NULL: not started */
    struct questions *questions; /* the last ones, for plan --traffic; not stored */
    const struct state *state;
    uv_timer_t timer;
    uv_work_t work;
    int64_t ahead_ms; /* the wall clock of the monotonic one, as seen last */
    bool has_timer;
    bool is_read; /* what the server before knew is in it */
    bool is_writing;
    bool is_changed; /* since it was written */
    bool is_urgent;  /* the longest TTL was raised since */
    uint8_t *octets; /* while they are written */
    size_t length;
    struct err err, problem; /* of this write; of the last one */
};

/** Returns false without memory. `state` is borrowed. */
bool usage_keeping_start(struct usage_keeping *keeping, uv_loop_t *loop, const struct state *state,
                         uint32_t apps_most);

/** A snapshot is about to be served; the first one before usage_keeping_read. */
void usage_keeping_note_published(struct usage_keeping *keeping, const struct snapshot *snapshot);

/** Every worker answers from it. */
void usage_keeping_note_adopted(struct usage_keeping *keeping, const struct snapshot *snapshot);

/** Reads the file, if there is one. */
void usage_keeping_read(struct usage_keeping *keeping);

/** Until when clients may hold an answer that is not known yet. */
uint32_t usage_keeping_latest(const struct usage_keeping *keeping, uint32_t now_s);

/** server_on_flows. */
void usage_keeping_add(struct usage_keeping *keeping, const struct flow_table *table);

/** diff_asked, with the keeping as context. */
uint64_t usage_keeping_asked(const void *context, const char *space, const char *app);

/** Nothing is written any more until usage_keeping_close. */
void usage_keeping_stop(struct usage_keeping *keeping);

/** Writes it as the last, once the loop has ended, and frees it. */
void usage_keeping_close(struct usage_keeping *keeping);
