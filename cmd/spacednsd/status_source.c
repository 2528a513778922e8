#include "spacednsd/status_source.h"

const char *reload_end_text(enum reload_end end)
{
    static const char *const ends[] = {
        [RELOAD_DONE] = "done",       [RELOAD_UNCHANGED] = "unchanged",
        [RELOAD_REFUSED] = "refused", [RELOAD_GUARDED] = "guarded",
        [RELOAD_TRIED] = "tried",
    };

    return ends[end];
}
