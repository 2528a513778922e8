#include "traffic/uses.h"

#include <stdlib.h>

#include "base/hash.h"

enum { NONE = 0, MS_PER_SECOND = 1000 };

struct uses {
    struct uses_options options;
    struct use *items; /* the first one is not used */
    uint32_t count;
    uint32_t newest, oldest;
    uint32_t *slots; /* numbers; at least twice as many as items */
    uint32_t mask;
};

const char *use_outcome_text(enum use_outcome outcome)
{
    static const char *const outcomes[USE_OUTCOMES] = {
        [USE_ANSWERED] = "answered",
        [USE_EMPTY] = "empty",
        [USE_REFUSED] = "refused",
        [USE_FAILED] = "failed",
    };

    return outcomes[outcome];
}

void use_counts_add(struct use_counts *sum, const struct use_counts *more)
{
    for (size_t i = 0; i < USE_OUTCOMES; i++)
        sum->counts[i] += more->counts[i];
    if (sum->first_s == 0 || (more->first_s != 0 && more->first_s < sum->first_s))
        sum->first_s = more->first_s;
    if (more->last_s > sum->last_s)
        sum->last_s = more->last_s;
}

uint64_t use_counts_total(const struct use_counts *counts)
{
    uint64_t total = 0;

    for (size_t i = 0; i < USE_OUTCOMES; i++)
        total += counts->counts[i];
    return total;
}

struct uses *uses_new(const struct uses_options *options)
{
    struct uses *uses = calloc(1, sizeof *uses);
    size_t slots = 2;

    if (uses == NULL)
        return NULL;
    while (slots < 2 * (size_t)options->most)
        slots *= 2;
    uses->options = *options;
    uses->mask = (uint32_t)(slots - 1);
    uses->items = calloc((size_t)options->most + 1, sizeof *uses->items);
    uses->slots = calloc(slots, sizeof *uses->slots);
    if (uses->items != NULL && uses->slots != NULL)
        return uses;
    uses_free(uses);
    return NULL;
}

void uses_free(struct uses *uses)
{
    if (uses == NULL)
        return;
    free(uses->items);
    free(uses->slots);
    free(uses);
}

/* ---- finding ---- */

/* Parties' numbers are our own, so the hash needs no secret. */
static uint32_t home_slot(const struct uses *uses, uint32_t first, uint32_t second)
{
    return (uint32_t)hash_mix(((uint64_t)first << 32 | second) ^ 0x243f6a8885a308d3,
                              0x9e3779b97f4a7c15) &
           uses->mask;
}

/* The slot that has the use, or an empty one; half of them are empty. */
static uint32_t find_slot(const struct uses *uses, uint32_t first, uint32_t second)
{
    uint32_t slot = home_slot(uses, first, second);

    while (uses->slots[slot] != NONE) {
        const struct use *use = &uses->items[uses->slots[slot]];
        if (use->parties[0] == first && use->parties[1] == second)
            break;
        slot = (slot + 1) & uses->mask;
    }
    return slot;
}

const struct use *uses_find(const struct uses *uses, uint32_t first, uint32_t second)
{
    uint32_t number = uses->slots[find_slot(uses, first, second)];

    return number == NONE ? NULL : &uses->items[number];
}

/* ---- the list ---- */

static void unlink_use(struct uses *uses, uint32_t number)
{
    const struct use *use = &uses->items[number];

    if (use->newer == NONE)
        uses->newest = use->older;
    else
        uses->items[use->newer].older = use->older;
    if (use->older == NONE)
        uses->oldest = use->newer;
    else
        uses->items[use->older].newer = use->newer;
}

static void link_newest(struct uses *uses, uint32_t number)
{
    struct use *use = &uses->items[number];

    use->newer = NONE;
    use->older = uses->newest;
    if (uses->newest == NONE)
        uses->oldest = number;
    else
        uses->items[uses->newest].newer = number;
    uses->newest = number;
}

/* ---- pushing out ---- */

static void leave_slot(struct uses *uses, uint32_t number)
{
    const struct use *use = &uses->items[number];
    uint32_t hole = find_slot(uses, use->parties[0], use->parties[1]);

    for (uint32_t next = (hole + 1) & uses->mask; uses->slots[next] != NONE;
         next = (next + 1) & uses->mask) {
        const struct use *other = &uses->items[uses->slots[next]];
        uint32_t home = home_slot(uses, other->parties[0], other->parties[1]);
        if (((next - home) & uses->mask) < ((next - hole) & uses->mask))
            continue;
        uses->slots[hole] = uses->slots[next];
        hole = next;
    }
    uses->slots[hole] = NONE;
}

/* Returns the number that is free now. */
static uint32_t push_out(struct uses *uses)
{
    uint32_t number = uses->oldest;
    struct use *use = &uses->items[number];

    if (uses->options.on_pushed_out != NULL)
        uses->options.on_pushed_out(uses->options.context, use);
    leave_slot(uses, number);
    unlink_use(uses, number);
    parties_release(uses->options.parties, use->parties[0]);
    parties_release(uses->options.parties, use->parties[1]);
    parties_release(uses->options.parties, use->by);
    return number;
}

/* Returns NONE when there is no room. */
static uint32_t take_number(struct uses *uses, uint32_t now_s)
{
    const struct use *oldest = &uses->items[uses->oldest];

    if (uses->count < uses->options.most)
        return ++uses->count;
    if ((uint64_t)oldest->asked.last_s + uses->options.idle_s > now_s && uses->options.idle_s > 0)
        return NONE;
    return push_out(uses);
}

/* ---- raising ---- */

static struct use *add(struct uses *uses, uint32_t first, uint32_t second, uint32_t now_s)
{
    uint32_t number = take_number(uses, now_s);

    if (number == NONE)
        return NULL;
    struct use *use = &uses->items[number];
    *use = (struct use){.parties = {first, second}};
    uses->slots[find_slot(uses, first, second)] = number;
    parties_hold(uses->options.parties, first);
    parties_hold(uses->options.parties, second);
    link_newest(uses, number);
    return use;
}

struct use *uses_raise(struct uses *uses, uint32_t first, uint32_t second,
                       const struct use_counts *more)
{
    uint32_t number = uses->slots[find_slot(uses, first, second)];
    struct use *use =
        number == NONE ? add(uses, first, second, more->last_s) : &uses->items[number];

    if (use == NULL)
        return NULL;
    if (number != NONE && number != uses->newest) {
        unlink_use(uses, number);
        link_newest(uses, number);
    }
    use_counts_add(&use->asked, more);
    return use;
}

struct use *uses_raise_guest(struct uses *uses, uint32_t first, uint32_t second,
                             const struct use_counts *more)
{
    bool has_room = uses->count < uses->options.most / 2;

    return has_room || uses_find(uses, first, second) != NULL
               ? uses_raise(uses, first, second, more)
               : NULL;
}

void uses_set_by(struct uses *uses, struct use *use, uint32_t by, int64_t at_ms)
{
    uint16_t second = (uint16_t)(at_ms / MS_PER_SECOND), ms = (uint16_t)(at_ms % MS_PER_SECOND);

    if (at_ms / MS_PER_SECOND < use->asked.last_s || (use->by_second == second && ms < use->by_ms))
        return;
    use->by_second = second;
    use->by_ms = ms;
    if (use->by == by)
        return;
    parties_hold(uses->options.parties, by);
    parties_release(uses->options.parties, use->by);
    use->by = by;
}

void use_counts_set_back(struct use_counts *counts, uint32_t now_s)
{
    if (counts->first_s > now_s)
        counts->first_s = now_s;
    if (counts->last_s > now_s)
        counts->last_s = now_s;
}

void uses_set_back(struct uses *uses, uint32_t now_s)
{
    for (uint32_t i = 1; i <= uses->count; i++)
        use_counts_set_back(&uses->items[i].asked, now_s);
}

const struct use *uses_next(const struct uses *uses, const struct use *before)
{
    uint32_t next = before == NULL ? uses->oldest : before->newer;

    return next == NONE ? NULL : &uses->items[next];
}

size_t uses_number(const struct uses *uses, const struct use *use)
{
    return (size_t)(use - uses->items) - 1;
}

size_t uses_count(const struct uses *uses)
{
    return uses->count;
}
