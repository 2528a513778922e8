#include "spacednsd/replica_save.h"

#include <malloc.h>

#include "spacednsd/reloads.h"

enum { SAVE_SHARE = 50, SAVE_LEAST_MS = 20 * 1000, SAVE_MOST_MS = 40 * 1000 };

static void save(struct replica *replica)
{
    replica->save_err.code = ERR_NONE;
    registry_run_save(replica->saving, &replica->save_err);
}

/*
 * Segments that were replaced leave holes, nearly all in memory that the pool's threads have taken.
 * The control thread's own, at which it waits meanwhile, has few.
 */
static void save_on_pool(uv_work_t *work)
{
    save(work->data);
    malloc_trim(0);
}

uint64_t replica_save_pause_ms(uint64_t took_ms)
{
    uint64_t pause_ms = SAVE_SHARE * took_ms;

    pause_ms = pause_ms < SAVE_LEAST_MS ? SAVE_LEAST_MS : pause_ms;
    return pause_ms < SAVE_MOST_MS ? pause_ms : SAVE_MOST_MS;
}

static void end_save(struct replica *replica)
{
    const struct err *err = replica->save_err.code == ERR_NONE ? NULL : &replica->save_err;
    uint64_t now_ms = replica_now_ms();

    registry_end_save(replica->registry, replica->saving, err);
    replica->saving = NULL;
    replica->save_due_ms = now_ms + replica_save_pause_ms(now_ms - replica->save_began_ms);
    server_pin(replica->server, NULL);
}

static void replica_on_saved(uv_work_t *work, int status)
{
    struct replica *replica = work->data;

    (void)status; /* never cancelled */
    end_save(replica);
    if (!replica->is_writer && !replica->is_stopping)
        reloads_note_idle(replica->reloads);
}

/* Returns false when there is nothing to write. */
static bool begin_save(struct replica *replica)
{
    if (!replica->is_writer || replica->saving != NULL || !state_is_used(&replica->reloads->state))
        return false;
    replica->saving = registry_begin_save(replica->registry);
    if (replica->saving == NULL)
        return false;
    replica->save_began_ms = replica_now_ms();
    server_pin(replica->server, server_current(replica->server));
    replica->work.data = replica;
    return true;
}

void replica_save_soon(struct replica *replica)
{
    if (begin_save(replica))
        uv_queue_work(replica->loop, &replica->work, save_on_pool, replica_on_saved);
}

void replica_save_if_due(struct replica *replica)
{
    if (replica_now_ms() >= replica->save_due_ms)
        replica_save_soon(replica);
}

void replica_save_now(struct replica *replica)
{
    if (!begin_save(replica))
        return;
    save(replica);
    end_save(replica);
}

void replica_begin_writing(struct replica *replica)
{
    replica->is_writer = true;
    replica_go_on(replica);
}

bool replica_end_writing(struct replica *replica)
{
    if (!replica_is_used(replica))
        return true;
    replica_save_soon(replica);
    replica->is_writer = false;
    return replica->saving == NULL;
}
