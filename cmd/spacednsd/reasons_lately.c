#include "spacednsd/reasons_lately.h"

#include <stdlib.h>
#include <string.h>

#include "decide/reason.h"
#include "spacednsd/usage_text.h"

static void reasons_lately_on_due(uv_timer_t *timer)
{
    reasons_lately_sample(timer->data);
}

void reasons_lately_start(struct reasons_lately *reasons, uv_loop_t *loop,
                          const struct server *server)
{
    *reasons =
        (struct reasons_lately){.server = server, .has_timer = true, .since_s = usage_now_s()};
    uv_timer_init(loop, &reasons->timer);
    uv_unref((uv_handle_t *)&reasons->timer);
    reasons->timer.data = reasons;
    uv_timer_start(&reasons->timer, reasons_lately_on_due, REASONS_SAMPLED_MS, REASONS_SAMPLED_MS);
}

void reasons_lately_stop(struct reasons_lately *reasons)
{
    if (reasons->has_timer)
        uv_close((uv_handle_t *)&reasons->timer, NULL);
    reasons->has_timer = false;
}

static uint32_t bounded(uint64_t count)
{
    return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

void reasons_lately_add(struct reasons_lately *reasons, const struct totals *totals, uint32_t now_s)
{
    for (unsigned i = REASON_NONE + 1; i < REASON_COUNT; i++) {
        if (totals->reasons[i] > reasons->known[i])
            lately_add(&reasons->given[i], now_s, bounded(totals->reasons[i] - reasons->known[i]));
        reasons->known[i] = totals->reasons[i];
    }
}

void reasons_lately_sample(struct reasons_lately *reasons)
{
    struct totals totals;

    server_sum(reasons->server, &totals);
    reasons_lately_add(reasons, &totals, usage_now_s());
}

/* ---- printing ---- */

/* A code's hour; reasons of one code are one. */
struct hour {
    const struct reason_entry *entry;
    uint64_t total;
    uint64_t minutes[LATELY_SLOTS];
};

static void add_hour(struct hour *hour, const struct lately *given, uint32_t now_s)
{
    uint32_t minutes[LATELY_SLOTS];

    lately_last_hour(given, now_s, minutes);
    for (size_t i = 0; i < LATELY_SLOTS; i++) {
        hour->minutes[i] += minutes[i];
        hour->total += minutes[i];
    }
}

static size_t gather(const struct reasons_lately *reasons, uint32_t now_s,
                     struct hour hours[REASON_COUNT])
{
    size_t count = 0;

    for (unsigned i = REASON_NONE + 1; i < REASON_COUNT; i++) {
        const struct reason_entry *entry = reason_entry((enum reason)i);
        size_t same = 0;
        while (same < count && strcmp(hours[same].entry->code, entry->code) != 0)
            same++;
        if (same == count)
            hours[count++] = (struct hour){.entry = entry};
        add_hour(&hours[same], &reasons->given[i], now_s);
    }
    return count;
}

static int by_total(const void *one, const void *other)
{
    uint64_t a = ((const struct hour *)one)->total, b = ((const struct hour *)other)->total;

    return (a < b) - (a > b);
}

static json_t *hour_to_json(const struct hour *hour)
{
    json_t *minutes = json_array();

    for (size_t i = 0; i < LATELY_SLOTS; i++)
        json_array_append_new(minutes, json_integer((json_int_t)hour->minutes[i]));
    return json_pack("{s:s, s:s, s:I, s:o}", "reason", hour->entry->code, "text",
                     hour->entry->description, "last_hour", (json_int_t)hour->total, "by_minute",
                     minutes);
}

json_t *reasons_lately_json(const struct reasons_lately *reasons, uint32_t now_s)
{
    struct hour hours[REASON_COUNT];
    size_t count = gather(reasons, now_s, hours);
    json_t *list = json_array();

    qsort(hours, count, sizeof hours[0], by_total);
    for (size_t i = 0; i < count && hours[i].total > 0; i++)
        json_array_append_new(list, hour_to_json(&hours[i]));
    return json_pack("{s:o, s:o}", "since", usage_json_time(reasons->since_s), "reasons", list);
}
