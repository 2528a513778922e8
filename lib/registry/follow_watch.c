#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "registry/following.h"

/* ---- hashes ---- */

/* FNV-1a over the length and octets of a text. */
static uint64_t mix(uint64_t hash, const void *octets, size_t length)
{
    const uint8_t *next = octets;

    for (size_t i = 0; i < sizeof length; i++)
        hash = (hash ^ (uint8_t)(length >> 8 * i)) * UINT64_C(1099511628211);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ next[i]) * UINT64_C(1099511628211);
    return hash;
}

uint64_t follow_hash(const struct etcd_event *event)
{
    uint64_t hash = mix(UINT64_C(14695981039346656037), &event->is_delete, event->is_delete);

    hash = mix(hash, event->pair.key.start, event->pair.key.length);
    return mix(hash, event->pair.value.start, event->pair.value.length);
}

void follow_unlike(struct follow *follow, uint64_t now_ms)
{
    char text[FOLLOW_TEXT_OCTETS / 2];

    snprintf(text, sizeof text,
             "the registry at %s has another history: its revision %" PRIu64
             " is not the one that is known here",
             follow_endpoint(follow), follow->position.seen_revision);
    follow_distrust(follow, REGISTRY_RESET, text, now_ms);
}

static void be_watching(struct follow *follow, uint64_t now_ms)
{
    if (follow->state == FOLLOW_WATCHING)
        return;
    follow_enter(follow, FOLLOW_WATCHING, UINT64_MAX);
    follow->watching_ms = now_ms == 0 ? 1 : now_ms;
    follow->problem[0] = '\0';
    follow->is_hurried = false;
    follow->home_ms = now_ms + FOLLOW_HOME_MS + follow_draw(follow, FOLLOW_HOME_MS);
    follow_notify(follow, REGISTRY_CONNECTED, false,
                  "the registry at %s is followed from revision %" PRIu64, follow_endpoint(follow),
                  follow->position.revision);
}

static void notify_compacted(struct follow *follow, int64_t revision)
{
    const struct follow_position *position = &follow->position;

    if (position->has_seen_deletion && (uint64_t)revision == position->seen_revision)
        follow_notify(follow, REGISTRY_RESET, true,
                      "the registry's history was compacted to revision %" PRId64
                      ", the last one that is known here, whose deletions are not in it any more: "
                      "everything is read again",
                      revision);
    else
        follow_notify(follow, REGISTRY_RESET, true,
                      "the registry's history is kept from revision %" PRId64 " on, and %" PRIu64
                      " is known here: everything is read again",
                      revision, position->revision);
}

static void refuse_watch(struct follow *follow, const struct etcd_watch_response *response,
                         uint64_t now_ms)
{
    char reason[200];

    if (response->compact_revision > 0) {
        notify_compacted(follow, response->compact_revision);
        follow_spread(follow, now_ms);
        return;
    }
    escape_string(reason, sizeof reason, response->reason);
    bool is_denied = strstr(response->reason, "ermission") != NULL;
    bool is_token = strstr(response->reason, "auth token") != NULL;
    follow_on_failure(follow,
                      is_denied  ? ETCD_PERMISSION_DENIED
                      : is_token ? ETCD_UNAUTHENTICATED
                                 : ETCD_UNAVAILABLE,
                      reason[0] == '\0' ? "the watch was ended" : reason, now_ms);
}

static bool on_created(struct follow *follow, const struct etcd_watch_response *response,
                       uint64_t now_ms)
{
    char text[FOLLOW_TEXT_OCTETS / 2];

    follow->is_created = true;
    if ((uint64_t)response->header.revision < follow->position.revision) {
        snprintf(text, sizeof text,
                 "the registry at %s went back: it is at revision %" PRId64 " and was at %" PRIu64,
                 follow_endpoint(follow), response->header.revision, follow->position.revision);
        follow_distrust(follow, REGISTRY_RESET, text, now_ms);
        return false;
    }
    if (follow->is_resuming)
        follow->due_ms = now_ms + FOLLOW_RESUME_MS;
    else
        be_watching(follow, now_ms);
    return true;
}

/* Passes over the events that are known, and adds those of the last revision to the hash. */
static size_t pass_known(struct follow *follow, const struct etcd_watch_response *response)
{
    size_t i = 0;

    while (!follow->has_seen_again && i < response->count &&
           (uint64_t)response->events[i].pair.mod_revision < follow->position.seen_revision)
        i++;
    while (i < response->count &&
           (uint64_t)response->events[i].pair.mod_revision == follow->position.seen_revision) {
        follow->seen_again += follow_hash(&response->events[i++]);
        follow->has_seen_again = true;
    }
    return i;
}

/* Returns false when what comes is not what is known, or all of it was before that. */
static bool resume(struct follow *follow, const struct etcd_watch_response *response, size_t *first,
                   uint64_t now_ms)
{
    *first = pass_known(follow, response);
    if (!follow->has_seen_again && *first > 0 && *first == response->count)
        return false;
    if (!follow->has_seen_again || follow->seen_again != follow->position.seen_hash) {
        follow_unlike(follow, now_ms);
        return false;
    }
    follow->is_resuming = false;
    be_watching(follow, now_ms);
    return true;
}

static void advance(struct follow *follow, const struct etcd_event *events, size_t count)
{
    struct follow_position *position = &follow->position;

    for (size_t i = 0; i < count; i++) {
        uint64_t revision = (uint64_t)events[i].pair.mod_revision;
        if (revision != position->seen_revision) {
            position->seen_revision = revision;
            position->seen_hash = 0;
            position->has_seen_deletion = false;
        }
        position->seen_hash += follow_hash(&events[i]);
        position->has_seen_deletion |= events[i].is_delete;
    }
    if (count == 0)
        return;
    follow->applied = position->seen_revision;
    if (position->revision < position->seen_revision)
        position->revision = position->seen_revision;
}

/* Events that are known already: after a full read none should come, but they do no harm. */
static size_t pass_old(const struct follow *follow, const struct etcd_watch_response *response,
                       size_t first)
{
    while (first < response->count &&
           (uint64_t)response->events[first].pair.mod_revision <= follow->applied)
        first++;
    return first;
}

static bool is_in_order(const struct etcd_watch_response *response)
{
    for (size_t i = 0; i < response->count; i++)
        if (response->events[i].pair.mod_revision <= 0 ||
            (i > 0 &&
             response->events[i].pair.mod_revision < response->events[i - 1].pair.mod_revision))
            return false;
    return true;
}

bool follow_on_watch(struct follow *follow, const struct etcd_watch_response *response,
                     size_t *first, uint64_t now_ms)
{
    if (follow->state != FOLLOW_RESUMING && follow->state != FOLLOW_WATCHING)
        return false;
    if (!follow_on_header(follow, &response->header, now_ms))
        return false;
    if (response->is_canceled || response->compact_revision > 0) {
        refuse_watch(follow, response, now_ms);
        return false;
    }
    if (response->is_fragment || !is_in_order(response)) {
        follow_on_lost(follow, "it sent events in pieces or out of order", now_ms);
        return false;
    }
    if (response->is_created && !on_created(follow, response, now_ms))
        return false;
    *first = 0;
    if (response->is_created && response->count == 0)
        return false;
    if (follow->is_resuming && !resume(follow, response, first, now_ms))
        return false;
    if (response->count == 0 && (uint64_t)response->header.revision > follow->position.revision)
        follow->position.revision = (uint64_t)response->header.revision;
    *first = pass_old(follow, response, *first);
    if (*first < response->count)
        advance(follow, response->events + *first, response->count - *first);
    return true;
}
