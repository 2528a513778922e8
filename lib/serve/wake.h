#pragma once
/**
 * Wakes the loop of another thread, so that it sees data stored before.
 *
 *     one thread      store the data ──► barrier ──► uv_async_send
 *     loop's thread   clear "pending" ──► on wake: load the data
 *
 * uv_async_send does nothing while a wake-up is pending, which it tests with a plain load. A
 * processor may execute that load before the preceding store is visible to others: the other thread
 * may then have cleared the mark and loaded the old data, and is not woken again. The barrier keeps
 * the load behind the store.
 *
 * Threads: any.  Memory: none.
 */
#include <stdatomic.h>
#include <uv.h>

static inline void wake_up(uv_async_t *async)
{
    atomic_thread_fence(memory_order_seq_cst);
    uv_async_send(async);
}
