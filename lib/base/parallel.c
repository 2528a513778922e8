#include "base/parallel.h"

#include <stdatomic.h>
#include <uv.h>

enum { HELPERS_MOST = 63 };

struct work {
    parallel_fn *fn;
    void *context;
    size_t count;
    atomic_size_t next;
    atomic_bool failed;
};

static void take_indexes(void *argument)
{
    struct work *work = argument;

    while (!atomic_load_explicit(&work->failed, memory_order_relaxed)) {
        size_t index = atomic_fetch_add_explicit(&work->next, 1, memory_order_relaxed);
        if (index >= work->count)
            break;
        if (!work->fn(work->context, index))
            atomic_store_explicit(&work->failed, true, memory_order_relaxed);
    }
}

bool parallel_for(size_t count, unsigned threads, parallel_fn *fn, void *context)
{
    struct work work = {.fn = fn, .context = context, .count = count};
    uv_thread_t helpers[HELPERS_MOST];
    size_t wanted = threads < 2 ? 0 : threads - 1;
    size_t started = 0;

    if (wanted > HELPERS_MOST)
        wanted = HELPERS_MOST;
    /* The caller takes one piece itself. */
    while (started < wanted && started + 1 < count &&
           uv_thread_create(&helpers[started], take_indexes, &work) == 0)
        started++;
    take_indexes(&work);
    for (size_t i = 0; i < started; i++)
        uv_thread_join(&helpers[i]);
    return !atomic_load_explicit(&work.failed, memory_order_relaxed);
}
