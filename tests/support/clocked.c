#include "support/clocked.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forward/server_list.h"
#include "support/responders_link.h"

enum { FIRST_MS = 1000000, QUESTIONS = 64, ADDRESS_MOST = 64 };

struct clocked {
    struct upstream upstreams[CLOCKED_ZONES_MOST][RESPONDERS_MOST];
    struct upstream_zone zone_items[CLOCKED_ZONES_MOST];
    struct upstream_zones zones;
    struct route route_items[CLOCKED_ZONES_MOST];
    char texts[CLOCKED_ZONES_MOST][RESPONDERS_MOST][ADDRESS_MOST];
    char route_texts[CLOCKED_ZONES_MOST][RESPONDERS_MOST * ADDRESS_MOST];
    struct responders_link link;
    struct forward *forward;
    struct deferred *deferred;
    struct carrier carrier;
    struct mailbox mailbox;
    struct stats stats;
    struct batch batch;
    const struct snapshot *const *snapshot;
    uint64_t now_ms;
    struct awaited *waiting[CLOCKED_WAITING_MOST]; /* by number, which the carrier keeps */
    struct awaited *posted;                        /* the one in the batch */
};

static void give_up(const char *what)
{
    fprintf(stderr, "clocked: %s\n", what);
    abort();
}

/* ---- upstreams ---- */

static unsigned count_labels(const char *zone)
{
    unsigned count = strcmp(zone, ".") == 0 ? 0 : 1;

    for (const char *at = zone; *at != '\0' && count > 0; at++)
        count += *at == '.';
    return count;
}

static void add_upstream(struct clocked *clocked, size_t number, const char *address)
{
    struct upstreams *list = &clocked->zones.items[number].upstreams;
    char *all = clocked->route_texts[number];
    size_t length = strlen(all);

    if (list->count == RESPONDERS_MOST)
        give_up("too many upstreams");
    struct upstream *upstream = &list->items[list->count];
    char *text = clocked->texts[number][list->count++];
    snprintf(text, ADDRESS_MOST, "%s", address);
    *upstream = (struct upstream){.text = text, .origin.file = "test"};
    if (!endpoint_read(address, UPSTREAM_PORT, &upstream->endpoint))
        give_up("no address");
    snprintf(all + length, sizeof clocked->route_texts[number] - length, "%s%s",
             length > 0 ? ", " : "", text);
}

static void set_upstreams(struct clocked *clocked, size_t number, const char *addresses)
{
    char copy[RESPONDERS_MOST * ADDRESS_MOST], *rest = NULL;

    clocked->zones.items[number].upstreams =
        (struct upstreams){.items = clocked->upstreams[number]};
    snprintf(copy, sizeof copy, "%s", addresses);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        add_upstream(clocked, number, word);
}

static int compare_zones(const void *a, const void *b)
{
    const struct clocked_zone *left = a, *right = b;
    unsigned left_labels = count_labels(left->zone), right_labels = count_labels(right->zone);

    return left_labels > right_labels ? -1 : left_labels < right_labels;
}

static void set_zones(struct clocked *clocked, const struct clocked_options *options)
{
    struct clocked_zone sorted[CLOCKED_ZONES_MOST];

    memcpy(sorted, options->zones, sizeof sorted);
    qsort(sorted, options->zone_count, sizeof *sorted, compare_zones);
    clocked->zones =
        (struct upstream_zones){.items = clocked->zone_items, .count = options->zone_count};
    for (size_t i = 0; i < options->zone_count; i++) {
        clocked->zone_items[i] = (struct upstream_zone){
            .zone = sorted[i].zone,
            .label_count = count_labels(sorted[i].zone),
            .allow_rebind = sorted[i].allow_rebind,
            .origin.file = "test",
        };
        set_upstreams(clocked, i, sorted[i].addresses);
        clocked->route_items[i] = (struct route){.upstreams = clocked->route_texts[i],
                                                 .allow_rebind = sorted[i].allow_rebind};
        if (!name_from_text(sorted[i].zone, &clocked->route_items[i].zone))
            give_up("no zone");
    }
}

struct routes clocked_routes(const struct clocked *clocked)
{
    return (struct routes){.items = clocked->route_items, .count = clocked->zones.count};
}

/* ---- the carrier ---- */

static struct clocked *clocked_of(struct carrier *carrier)
{
    return (struct clocked *)(void *)((char *)carrier - offsetof(struct clocked, carrier));
}

static void keep(struct carrier *carrier, size_t number, struct late_client *client)
{
    struct clocked *clocked = clocked_of(carrier);

    (void)number;
    client->octets[0] = 0;
    while (clocked->waiting[client->octets[0]] != NULL)
        if (++client->octets[0] == CLOCKED_WAITING_MOST)
            give_up("too many wait");
    clocked->waiting[client->octets[0]] = clocked->posted;
}

static void arrive(struct clocked *clocked, struct awaited *awaited, size_t length)
{
    awaited->length = length;
    awaited->is_waiting = false;
    awaited->came_ms = clocked->now_ms;
}

static bool deliver(struct carrier *carrier, const struct late_client *client, const uint8_t *reply,
                    size_t length)
{
    struct clocked *clocked = clocked_of(carrier);
    struct awaited *awaited = clocked->waiting[client->octets[0]];

    clocked->waiting[client->octets[0]] = NULL;
    memcpy(awaited->reply, reply, length);
    arrive(clocked, awaited, length);
    return true;
}

static struct endpoint address_of(const struct late_client *client)
{
    (void)client;
    return (struct endpoint){.v4 = {.sin_family = AF_INET}};
}

/* ---- new and free ---- */

static void ignore(void *context)
{
    (void)context;
}

static void on_result(void *context, struct waiter *waiters, const struct forward_result *found)
{
    struct clocked *clocked = context;

    batch_adopt(&clocked->batch);
    batch_on_result(&clocked->batch, waiters, found);
}

static void open_forward(struct clocked *clocked, const struct clocked_options *options)
{
    struct err err;
    size_t questions = options->questions == 0 ? QUESTIONS : options->questions;
    const struct forward_options forward = {
        .zones = &clocked->zones,
        .cache_octets = options->cache_octets == 0 ? CACHE_OCTETS_LEAST : options->cache_octets,
        .questions = questions,
        .mixes_case = options->mixes_case,
        .stats = &clocked->stats,
        .link = &clocked->link.link,
        .on_result = on_result,
        .context = clocked,
    };

    clocked->forward = forward_new(&forward, &err);
    clocked->deferred = deferred_new(questions, &err);
    if (clocked->forward == NULL || clocked->deferred == NULL)
        give_up(err.text);
    batch_set_forward(&clocked->batch, clocked->forward, clocked->deferred);
}

struct clocked *clocked_new(const struct clocked_options *options)
{
    /* Its counters stand on cache lines of their own. */
    struct clocked *clocked =
        aligned_alloc(STATS_LINE_OCTETS, (sizeof *clocked + STATS_LINE_OCTETS - 1) /
                                             STATS_LINE_OCTETS * STATS_LINE_OCTETS);
    struct server_list servers;

    if (clocked == NULL)
        give_up("no memory");
    memset(clocked, 0, sizeof *clocked);
    clocked->now_ms = FIRST_MS;
    clocked->snapshot = options->snapshot;
    clocked->carrier = (struct carrier){.keep = keep, .deliver = deliver, .address = address_of};
    clocked->batch.mailbox = &clocked->mailbox;
    clocked->batch.stats = &clocked->stats;
    clocked->batch.on_adopted = ignore;
    set_zones(clocked, options);
    server_list_fill(&servers, &clocked->zones);
    responders_link_init(&clocked->link, options->responders, &servers);
    open_forward(clocked, options);
    return clocked;
}

void clocked_free(struct clocked *clocked)
{
    if (clocked == NULL)
        return;
    forward_free(clocked->forward);
    deferred_free(clocked->deferred);
    responders_link_close(&clocked->link);
    free(clocked);
}

/* ---- time ---- */

static uint64_t next_tick_ms(const struct clocked *clocked)
{
    return (clocked->now_ms / FETCH_TICK_MS + 1) * FETCH_TICK_MS;
}

/* Advances to the next event, at most to `end_ms`. */
static void step(struct clocked *clocked, uint64_t end_ms)
{
    mailbox_post(&clocked->mailbox, *clocked->snapshot);
    while (forward_turn(clocked->forward))
        continue;
    bool is_busy = forward_is_busy(clocked->forward);
    uint64_t next = responders_link_next_ms(&clocked->link);
    uint64_t tick = is_busy ? next_tick_ms(clocked) : UINT64_MAX;
    uint64_t now = next < tick ? next : tick;

    clocked->now_ms = now < end_ms ? now : end_ms;
    forward_set_time(clocked->forward, clocked->now_ms);
    responders_link_deliver(&clocked->link, clocked->now_ms);
    if (clocked->now_ms == tick)
        forward_tick(clocked->forward);
}

void clocked_pass(struct clocked *clocked, uint64_t ms)
{
    uint64_t end = clocked->now_ms + ms;

    while (clocked->now_ms < end)
        step(clocked, end);
}

bool clocked_await(struct clocked *clocked, const struct awaited *awaited)
{
    uint64_t end = clocked->now_ms + CLOCKED_PATIENCE_MS;

    while (awaited->is_waiting && clocked->now_ms < end)
        step(clocked, end);
    return !awaited->is_waiting;
}

/* ---- requests ---- */

void clocked_post(struct clocked *clocked, struct exchange *asked, struct awaited *awaited)
{
    struct batch *batch = &clocked->batch;
    struct endpoint client = {
        .v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(asked->path.source)}};

    awaited->is_waiting = true;
    awaited->asked_ms = clocked->now_ms;
    clocked->posted = awaited;
    mailbox_post(&clocked->mailbox, *clocked->snapshot);
    asked->forward = clocked->forward;
    asked->reply = awaited->reply;
    batch->cookies = asked->cookies == NULL ? (struct cookie_server){.now_s = 0} : *asked->cookies;
    batch->wall_read_ms = UINT64_MAX; /* the time of cookies is the test's, too */
    batch->exchanges[0] = *asked;
    batch_begin(batch, clocked->now_ms);
    clocked->link.now_ms = clocked->now_ms;
    batch_prepare(batch, 1);
    size_t length = batch_finish(batch, 0, &client, &clocked->carrier);
    if (!batch->exchanges[0].is_deferred)
        arrive(clocked, awaited, length);
    batch_end(batch);
    *asked = batch->exchanges[0];
}

struct batch *clocked_batch(struct clocked *clocked)
{
    mailbox_post(&clocked->mailbox, *clocked->snapshot);
    return &clocked->batch;
}

uint64_t clocked_now_ms(const struct clocked *clocked)
{
    return clocked->now_ms;
}

uint64_t clocked_count(const struct clocked *clocked, enum counter counter)
{
    return atomic_load(&clocked->stats.counters[counter]);
}
