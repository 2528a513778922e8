#include "respond/dead_apps.h"

enum { SLOT_BITS = 8 };

_Static_assert(DEAD_APPS == 1 << SLOT_BITS, "a slot's number has these bits");

void dead_apps_init(struct dead_apps *dead, unsigned workers)
{
    uint32_t share = DEAD_APP_ANSWERS_A_SECOND / (workers == 0 ? 1 : workers);

    *dead = (struct dead_apps){.answers_most = share == 0 ? 1 : share};
}

/* Spreads neighbours; the multiplier is 2^64 divided by the golden ratio. */
static size_t slot_of(const struct app_entry *app)
{
    return (uintptr_t)app * UINT64_C(0x9e3779b97f4a7c15) >> (64 - SLOT_BITS);
}

/*
 * A segment at the same address is the same one: the worker held the snapshot before while this one
 * was made.
 */
static bool has_changed(const struct dead_app *slot, const struct snapshot *snapshot)
{
    return snapshot == NULL || slot->number >= snapshot->segment_count ||
           snapshot->segments[slot->number] != slot->segment;
}

void dead_apps_adopt(struct dead_apps *dead, const struct snapshot *snapshot)
{
    for (size_t i = 0; i < DEAD_APPS; i++)
        if (dead->slots[i].app != NULL && has_changed(&dead->slots[i], snapshot))
            dead->slots[i] = (struct dead_app){.app = NULL};
}

static void raise_ttl(struct dead_app *slot)
{
    uint32_t next = slot->ttl_seconds == 0 ? DEAD_APP_TTL_FIRST_SECONDS : 2 * slot->ttl_seconds;

    slot->ttl_seconds = next > DEAD_APP_TTL_MOST_SECONDS ? DEAD_APP_TTL_MOST_SECONDS : next;
}

/* The first answer of a second, or about another app. */
static void begin(struct dead_app *slot, const struct dead_apps *dead,
                  const struct verdict *verdict)
{
    if (slot->app != verdict->app)
        *slot = (struct dead_app){.app = verdict->app,
                                  .number = verdict->membership->segment,
                                  .segment = verdict->segment};
    slot->now_s = dead->now_s;
    slot->answers = 0;
}

uint32_t dead_apps_count(struct dead_apps *dead, const struct verdict *verdict)
{
    struct dead_app *slot = &dead->slots[slot_of(verdict->app)];
    uint32_t usual = verdict->segment->negative_ttl_seconds;

    if (slot->app != verdict->app || slot->now_s != dead->now_s)
        begin(slot, dead, verdict);
    if (slot->answers++ == dead->answers_most && dead->answers_most > 0)
        raise_ttl(slot);
    return slot->ttl_seconds > usual ? slot->ttl_seconds : usual;
}

static bool is_raised(const struct dead_app *slot)
{
    return slot->app != NULL && slot->ttl_seconds > slot->segment->negative_ttl_seconds;
}

uint32_t dead_apps_raised_ttl(const struct dead_apps *dead, const struct app_entry *app)
{
    const struct dead_app *slot = &dead->slots[slot_of(app)];

    return slot->app == app && is_raised(slot) ? slot->ttl_seconds : 0;
}

size_t dead_apps_list(const struct dead_apps *dead, struct raised_app *out)
{
    size_t count = 0;

    for (size_t i = 0; i < DEAD_APPS; i++) {
        const struct dead_app *slot = &dead->slots[i];
        if (is_raised(slot))
            out[count++] = (struct raised_app){
                .app = slot->app, .segment = slot->segment, .ttl_seconds = slot->ttl_seconds};
    }
    return count;
}
