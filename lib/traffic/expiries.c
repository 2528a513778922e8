#include "traffic/expiries.h"

#include <stdlib.h>

#include "base/hash.h"

enum { FIRST_SLOTS = 256 };

struct expiries {
    struct parties *parties;
    uint32_t most;
    uint32_t floor_s;
    uint32_t count;
    uint32_t mask;
    struct expiry *slots; /* at most half of them are used */
};

struct expiries *expiries_new(struct parties *parties, uint32_t most)
{
    struct expiries *expiries = calloc(1, sizeof *expiries);

    if (expiries == NULL)
        return NULL;
    *expiries = (struct expiries){.parties = parties, .most = most, .mask = FIRST_SLOTS - 1};
    expiries->slots = calloc(FIRST_SLOTS, sizeof *expiries->slots);
    if (expiries->slots != NULL)
        return expiries;
    free(expiries);
    return NULL;
}

void expiries_free(struct expiries *expiries)
{
    if (expiries == NULL)
        return;
    free(expiries->slots);
    free(expiries);
}

static struct expiry *find_slot(const struct expiries *expiries, uint32_t app, uint32_t ip)
{
    uint64_t hash = hash_mix(((uint64_t)app << 32 | ip) ^ 0x243f6a8885a308d3, 0x9e3779b97f4a7c15);
    uint32_t slot = (uint32_t)hash & expiries->mask;

    while (expiries->slots[slot].app != PARTY_NONE &&
           (expiries->slots[slot].app != app || expiries->slots[slot].ip != ip))
        slot = (slot + 1) & expiries->mask;
    return &expiries->slots[slot];
}

/* ---- making room ---- */

static size_t count_alive(const struct expiries *expiries, uint32_t now_s)
{
    size_t alive = 0;

    for (uint32_t i = 0; i <= expiries->mask; i++)
        alive += expiries->slots[i].app != PARTY_NONE && expiries->slots[i].until_s > now_s;
    return alive;
}

/* Moves what has not expired to a table of its own. Returns false without memory. */
static bool rebuild(struct expiries *expiries, size_t slots, uint32_t now_s)
{
    struct expiries before = *expiries;
    struct expiry *fresh = calloc(slots, sizeof *fresh);

    if (fresh == NULL)
        return false;
    expiries->slots = fresh;
    expiries->mask = (uint32_t)(slots - 1);
    expiries->count = 0;
    for (uint32_t i = 0; i <= before.mask; i++) {
        const struct expiry *expiry = &before.slots[i];
        if (expiry->app == PARTY_NONE)
            continue;
        if (expiry->until_s > now_s) {
            *find_slot(expiries, expiry->app, expiry->ip) = *expiry;
            expiries->count++;
        } else {
            parties_release(expiries->parties, expiry->app);
            parties_release(expiries->parties, expiry->type);
        }
    }
    free(before.slots);
    return true;
}

/* A quarter is free after it, so that the next time is far. */
static bool make_room(struct expiries *expiries, uint32_t now_s)
{
    size_t slots = (size_t)expiries->mask + 1;

    if (2 * ((size_t)expiries->count + 1) <= slots && expiries->count < expiries->most)
        return true;
    size_t alive = count_alive(expiries, now_s);
    if (alive >= expiries->most)
        return false;
    while (slots < 4 * (alive + 1))
        slots *= 2;
    return rebuild(expiries, slots, now_s);
}

/* ---- noting ---- */

static bool add(struct expiries *expiries, const struct expiry *expiry, uint32_t now_s)
{
    if (!make_room(expiries, now_s))
        return false;
    *find_slot(expiries, expiry->app, expiry->ip) = *expiry;
    expiries->count++;
    parties_hold(expiries->parties, expiry->app);
    parties_hold(expiries->parties, expiry->type);
    return true;
}

void expiries_raise(struct expiries *expiries, const struct expiry *expiry, uint32_t now_s)
{
    struct expiry *known = find_slot(expiries, expiry->app, expiry->ip);

    if (expiry->app == PARTY_NONE || expiry->type == PARTY_NONE ||
        (known->app == PARTY_NONE && !add(expiries, expiry, now_s))) {
        expiries_raise_floor(expiries, expiry->until_s);
        return;
    }
    known = find_slot(expiries, expiry->app, expiry->ip);
    if (known->type != expiry->type) {
        parties_hold(expiries->parties, expiry->type);
        parties_release(expiries->parties, known->type);
    }
    known->type = expiry->type;
    known->number = expiry->number;
    if (expiry->until_s > known->until_s)
        known->until_s = expiry->until_s;
}

void expiries_raise_floor(struct expiries *expiries, uint32_t until_s)
{
    if (until_s > expiries->floor_s)
        expiries->floor_s = until_s;
}

uint32_t expiries_floor(const struct expiries *expiries)
{
    return expiries->floor_s;
}

void expiries_set_back(struct expiries *expiries, uint32_t until_s)
{
    if (expiries->floor_s > until_s)
        expiries->floor_s = until_s;
    for (uint32_t i = 0; i <= expiries->mask; i++)
        if (expiries->slots[i].until_s > until_s)
            expiries->slots[i].until_s = until_s;
}

const struct expiry *expiries_next(const struct expiries *expiries, const struct expiry *before)
{
    const struct expiry *end = expiries->slots + expiries->mask + 1;

    for (const struct expiry *each = before == NULL ? expiries->slots : before + 1; each < end;
         each++)
        if (each->app != PARTY_NONE)
            return each;
    return NULL;
}
