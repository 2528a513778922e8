/**
 * Any counts at any time: the input is a list of steps of four octets, each of which counts a run
 * of things, in a second that is the same, later or earlier.
 *
 *     octet 0   the first thing, in sixteens
 *     octet 1   how many, in sixteens; the lowest bit: they failed
 *     octet 2   how often each, less one
 *     octet 3   seconds later; from 250 on: so many panes earlier, and 255: an hour
 *
 * Oracle: exact counts of each pane. What is listed is within its bounds, in order, with its own
 * label, nothing twice; and a thing with more than its share of a pane is in it.
 */
#include "fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "traffic/busiest.h"

enum { STEP = 4, STEPS_MOST = 24, RUN = 16, KEYS = 1 << 12, EARLIER = 250, AN_HOUR = 255 };

struct exact {
    uint64_t count, failed;
};

/* As busiest.h says that panes come and go. */
static struct exact_pane {
    uint32_t number;
    uint64_t sum;
    struct exact things[KEYS];
} panes[BUSIEST_PANES];

static uint32_t newest;

static uint64_t key_of(unsigned thing)
{
    return hash_mix(thing + 1, UINT64_C(0x9e3779b97f4a7c15)) | (uint64_t)thing << 52;
}

static struct exact_pane *pane_of(uint32_t number)
{
    struct exact_pane *pane = &panes[number % BUSIEST_PANES];

    if (number + BUSIEST_PANES <= newest)
        memset(panes, 0, sizeof panes);
    if (number > newest || number + BUSIEST_PANES <= newest)
        newest = number;
    if (pane->number != number)
        memset(pane, 0, sizeof *pane);
    pane->number = number;
    return pane;
}

static void count(struct busiest *busiest, unsigned thing, uint32_t at_s, uint32_t often,
                  uint32_t failed)
{
    struct exact_pane *pane = pane_of(at_s / BUSIEST_PANE_S);
    unsigned *label = busiest_raise(busiest, key_of(thing), at_s, often, failed);

    if (label == NULL && pane->things[thing].count == 0)
        abort(); /* known, although it was never counted there */
    if (label != NULL)
        *label = thing;
    pane->things[thing].count += often;
    pane->things[thing].failed += failed;
    pane->sum += often;
}

/* What was counted of a thing in the panes up to now. */
static struct exact sum_up(unsigned thing, uint32_t now_s)
{
    struct exact sum = {0};

    for (size_t i = 0; i < BUSIEST_PANES; i++)
        if (panes[i].number <= now_s / BUSIEST_PANE_S &&
            now_s / BUSIEST_PANE_S - panes[i].number < BUSIEST_PANES) {
            sum.count += panes[i].things[thing].count;
            sum.failed += panes[i].things[thing].failed;
        }
    return sum;
}

static void check_thing(const struct busiest_thing *thing, uint32_t now_s)
{
    struct exact exact = sum_up(*(const unsigned *)thing->label, now_s);
    const struct busiest_counts *counts = &thing->counts;

    if (counts->error > counts->count || counts->count - counts->error > exact.count ||
        counts->count < exact.count || counts->failed > exact.failed ||
        counts->failed + counts->error < exact.failed)
        abort();
}

static bool is_in_order(const struct busiest_counts *one, const struct busiest_counts *next,
                        enum busiest_order order)
{
    return order == BUSIEST_BY_COUNT ? one->count - one->error >= next->count - next->error
                                     : one->failed >= next->failed;
}

static void check_list(const struct busiest *busiest, uint32_t now_s, enum busiest_order order)
{
    struct busiest_thing things[BUSIEST_LISTED_MOST];
    size_t listed = busiest_list(busiest, now_s, order, things, BUSIEST_LISTED_MOST);

    for (size_t i = 0; i < listed; i++) {
        check_thing(&things[i], now_s);
        for (size_t j = 0; j < i; j++)
            if (*(const unsigned *)things[i].label == *(const unsigned *)things[j].label)
                abort();
        if (i > 0 && !is_in_order(&things[i - 1].counts, &things[i].counts, order))
            abort();
    }
}

/* Of the newest pane: raising one by nothing says whether it is there. */
static void check_heavy(struct busiest *busiest)
{
    struct exact_pane *pane = pane_of(newest);

    for (unsigned thing = 0; thing < KEYS; thing++)
        if (pane->things[thing].count > pane->sum / BUSIEST_THINGS &&
            busiest_raise(busiest, key_of(thing), newest * BUSIEST_PANE_S, 0, 0) != NULL)
            abort();
}

static uint32_t later(uint32_t at_s, uint8_t octet)
{
    if (octet == AN_HOUR)
        return at_s - 3610;
    if (octet >= EARLIER)
        return at_s - (uint32_t)(octet - EARLIER + 1) * BUSIEST_PANE_S;
    return at_s + octet / 4;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct busiest *busiest = busiest_new(sizeof(unsigned));
    uint32_t at_s = 1700000000;

    memset(panes, 0, sizeof panes);
    newest = 0;
    for (size_t i = 0; i + STEP <= size && i < (size_t)STEP * STEPS_MOST; i += STEP) {
        at_s = later(at_s, data[i + 3]);
        for (unsigned j = 0; j < (data[i + 1] / 2 + 1U) * RUN; j++)
            count(busiest, (data[i] * RUN + j) % KEYS, at_s, data[i + 2] + 1U,
                  data[i + 1] % 2 == 1 ? data[i + 2] + 1U : 0);
    }
    check_list(busiest, at_s, BUSIEST_BY_COUNT);
    check_list(busiest, at_s, BUSIEST_BY_FAILED);
    check_list(busiest, at_s + 25, BUSIEST_BY_COUNT);
    check_heavy(busiest);
    busiest_free(busiest);
    return 0;
}
