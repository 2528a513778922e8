#pragma once
/**
 * Waking the loop of another thread, so that it sees what was stored for it before.
 *
 *     one thread      store what is to be seen ──► barrier ──► uv_async_send
 *     loop's thread   clear "pending" ──► on wake: load what is to be seen
 *
 * uv_async_send does nothing while a wake-up is pending, and finds that out with a plain load. A
 * processor may do that load before the store ahead of it can be seen elsewhere: then the other
 * thread has cleared the mark, looked, and found nothing, and nobody wakes it again. The barrier
 * keeps the load behind the store.
 *
 * Threads: any.
 */
#include <uv.h>

static inline void wake_up(uv_async_t *async)
{
    __sync_synchronize();
    uv_async_send(async);
}
