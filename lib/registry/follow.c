#include "registry/follow.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "registry/following.h"

enum { READ_QUIET_MS = 30000 };

/* ---- helpers ---- */

/* xorshift64*: for jitter alone. */
uint64_t follow_draw(struct follow *follow, uint64_t below)
{
    uint64_t x = follow->random;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    follow->random = x;
    return below == 0 ? 0 : (x * UINT64_C(2685821657736338717) >> 33) % below;
}

struct follow_action *follow_act(struct follow *follow, enum follow_action_kind kind)
{
    assert(follow->action_count < FOLLOW_ACTIONS_MOST);
    size_t at = (follow->action_first + follow->action_count++) % FOLLOW_ACTIONS_MOST;
    follow->actions[at] = (struct follow_action){.kind = kind};
    return &follow->actions[at];
}

bool follow_take(struct follow *follow, struct follow_action *action)
{
    if (follow->action_count == 0)
        return false;
    *action = follow->actions[follow->action_first];
    follow->action_first = (follow->action_first + 1) % FOLLOW_ACTIONS_MOST;
    follow->action_count--;
    return true;
}

void follow_notify(struct follow *follow, enum registry_event_kind event, bool is_problem,
                   const char *format, ...)
{
    struct follow_action *action = follow_act(follow, FOLLOW_NOTIFY);
    va_list arguments;

    action->event = event;
    action->is_problem = is_problem;
    va_start(arguments, format);
    vsnprintf(action->text, sizeof action->text, format, arguments);
    va_end(arguments);
    if (is_problem)
        memcpy(follow->problem, action->text, sizeof follow->problem);
}

const char *follow_endpoint(const struct follow *follow)
{
    return follow->options.endpoints[follow->endpoint];
}

/* ---- starting ---- */

void follow_init(struct follow *follow, const struct follow_options *options,
                 const struct follow_position *position, uint64_t now_ms)
{
    *follow = (struct follow){.options = *options,
                              .position = *position,
                              .state = FOLLOW_DOWN,
                              .random = options->seed | 1,
                              .due_ms = now_ms,
                              .backoff_ms = FOLLOW_BACKOFF_LEAST_MS};
    follow_draw(follow, 1);
    if (options->starts_anywhere)
        follow->home = (size_t)follow_draw(follow, options->endpoint_count);
    follow->endpoint = follow->home;
    follow->applied = position->seen_revision != 0 ? position->seen_revision : position->revision;
}

void follow_enter(struct follow *follow, enum follow_state state, uint64_t due_ms)
{
    follow->state = state;
    follow->due_ms = due_ms;
}

static void open_endpoint(struct follow *follow, uint64_t now_ms)
{
    follow->connects++;
    follow->pong_ms = 0;
    follow->login_ms = 0;
    follow->word_ms = now_ms;
    follow_enter(follow, FOLLOW_OPENING, now_ms + FOLLOW_OPEN_MS);
    follow_act(follow, FOLLOW_OPEN)->number = follow->endpoint;
}

/* ---- losing ---- */

void follow_go_down(struct follow *follow, uint64_t due_ms)
{
    follow_act(follow, FOLLOW_CLOSE);
    follow->pong_ms = 0;
    follow->home_ms = 0;
    follow->watching_ms = 0;
    follow->endpoint = (follow->endpoint + 1) % follow->options.endpoint_count;
    follow_enter(follow, FOLLOW_DOWN, due_ms);
}

/* Only a human can mend it, so there is no hurry. */
void follow_give_up(struct follow *follow, enum registry_event_kind event, const char *text,
                    uint64_t now_ms)
{
    follow_notify(follow, event, true, "%s", text);
    follow->notified_ms = now_ms == 0 ? 1 : now_ms;
    follow_go_down(follow, now_ms + FOLLOW_SLOW_MS + follow_draw(follow, FOLLOW_SLOW_MS / 4));
}

static void go_home(struct follow *follow, uint64_t now_ms)
{
    follow->home = follow->options.starts_anywhere
                       ? (size_t)follow_draw(follow, follow->options.endpoint_count)
                       : 0;
    if (follow->home == follow->endpoint) {
        follow->home_ms = now_ms + FOLLOW_HOME_MS + follow_draw(follow, FOLLOW_HOME_MS);
        return;
    }
    follow_go_down(follow, now_ms);
    follow->endpoint = follow->home;
}

/* ---- logging in and greeting ---- */

void follow_greet(struct follow *follow, uint64_t now_ms)
{
    follow_enter(follow, FOLLOW_GREETING, now_ms + FOLLOW_REPLY_MS);
    follow_act(follow, FOLLOW_GREET)->is_alone = !follow->has_data;
}

void follow_log_in(struct follow *follow, uint64_t now_ms)
{
    follow->login_ms = now_ms == 0 ? 1 : now_ms;
    follow_enter(follow, FOLLOW_LOGGING_IN, now_ms + FOLLOW_REPLY_MS);
    follow_act(follow, FOLLOW_LOGIN);
}

void follow_on_ready(struct follow *follow, uint64_t now_ms)
{
    if (follow->state != FOLLOW_OPENING)
        return;
    follow->word_ms = now_ms;
    if (follow->options.user != NULL)
        follow_log_in(follow, now_ms);
    else
        follow_greet(follow, now_ms);
}

void follow_on_token(struct follow *follow, uint64_t now_ms)
{
    if (follow->state == FOLLOW_LOGGING_IN)
        follow_greet(follow, now_ms);
}

/* ---- reading ---- */

static void read_all(struct follow *follow, uint64_t now_ms)
{
    follow_enter(follow, FOLLOW_READING, now_ms + READ_QUIET_MS);
    struct follow_action *action = follow_act(follow, FOLLOW_READ);
    action->number = follow->read_revision;
    action->distrusts = follow->distrusts;
}

/* Many replicas lose their history at once: they do not read at once. */
void follow_spread(struct follow *follow, uint64_t now_ms)
{
    follow->needs_read = true;
    follow->is_spread = false;
    follow->is_resuming = false;
    follow_act(follow, FOLLOW_STOP);
    follow_enter(follow, FOLLOW_SPREADING,
                 now_ms + (follow->has_data && !follow->reads_at_once && !follow->is_hurried
                               ? follow_draw(follow, FOLLOW_SPREAD_MS + 1)
                               : 0));
}

void follow_distrust(struct follow *follow, enum registry_event_kind event, const char *text,
                     uint64_t now_ms)
{
    bool is_known = follow->distrusts;

    follow->distrusts = true;
    if (!is_known)
        follow_notify(
            follow, event, true,
            "%s; everything is read again, and nothing goes that the guard would not let go", text);
    follow_spread(follow, now_ms);
}

void follow_read_again(struct follow *follow, uint64_t now_ms)
{
    if (follow->state >= FOLLOW_READING)
        follow_spread(follow, now_ms);
    else
        follow->needs_read = true;
}

void follow_hurry(struct follow *follow, uint64_t now_ms)
{
    if (follow->state == FOLLOW_SPREADING || follow->state == FOLLOW_DOWN)
        follow->due_ms = now_ms;
    /* On its way to being well it may still find that it has to read. */
    follow->is_hurried = follow->state != FOLLOW_WATCHING;
}

static uint64_t resume_revision(const struct follow_position *position)
{
    return position->seen_revision - (position->has_seen_deletion && position->seen_revision > 1);
}

static void watch(struct follow *follow, uint64_t now_ms)
{
    const struct follow_position *position = &follow->position;

    /* Without a revision to be seen again, from the one that was read, and not from the next: what
     * is deleted there may be compacted away, and is passed over in silence (etcd #18089). */
    follow->is_resuming = position->seen_revision != 0;
    follow->has_seen_again = false;
    follow->seen_again = 0;
    follow->is_created = false;
    follow_enter(follow, FOLLOW_RESUMING, now_ms + FOLLOW_REPLY_MS);
    follow_act(follow, FOLLOW_WATCH)->number =
        follow->is_resuming ? resume_revision(position) : position->revision;
}

void follow_on_read(struct follow *follow, uint64_t now_ms)
{
    struct follow_position *position = &follow->position;

    if (follow->state != FOLLOW_READING)
        return;
    position->cluster = follow->next_cluster;
    memcpy(position->id, follow->next_id, sizeof position->id);
    position->revision = follow->read_revision;
    position->seen_revision = 0;
    position->seen_hash = 0;
    position->has_seen_deletion = false;
    follow->applied = position->revision;
    follow->needs_read = false;
    follow->reads_at_once = false;
    follow->is_hurried = false;
    follow->is_doubted = false;
    follow->distrusts = false;
    follow->is_spread = false;
    follow->reads++;
    watch(follow, now_ms);
}

/* ---- is it the registry that we know? ---- */

static bool check_identity(struct follow *follow, const struct etcd_header *header, const char *id,
                           uint64_t now_ms)
{
    const struct follow_position *position = &follow->position;
    char text[FOLLOW_TEXT_OCTETS / 2], shown[FOLLOW_ID_OCTETS + 32];

    if (position->cluster != 0 && header->cluster != position->cluster) {
        snprintf(text, sizeof text,
                 "the registry at %s is of another cluster, %" PRIx64 " instead of %" PRIx64,
                 follow_endpoint(follow), header->cluster, position->cluster);
    } else if (position->id[0] != '\0' && strcmp(position->id, id) != 0) {
        escape_string(shown, sizeof shown, id[0] == '\0' ? "none" : id);
        snprintf(text, sizeof text, "the registry at %s is another one: its id is %s instead of %s",
                 follow_endpoint(follow), shown, position->id);
    } else if ((uint64_t)header->revision < position->revision) {
        snprintf(text, sizeof text,
                 "the registry at %s went back: it is at revision %" PRId64 " and was at %" PRIu64,
                 follow_endpoint(follow), header->revision, position->revision);
        follow_distrust(follow, REGISTRY_RESET, text, now_ms);
        return false;
    } else {
        return true;
    }
    follow_distrust(follow, REGISTRY_OTHER, text, now_ms);
    return false;
}

static bool check_format(struct follow *follow, uint64_t format, uint64_t now_ms)
{
    char text[FOLLOW_TEXT_OCTETS / 2];

    if (format <= FOLLOW_FORMAT)
        return true;
    snprintf(text, sizeof text,
             "the registry has format %" PRIu64
             ", which this version does not know (it knows %d): what it has stays; install a newer "
             "version",
             format, FOLLOW_FORMAT);
    follow_give_up(follow, REGISTRY_REFUSED, text, now_ms);
    return false;
}

static void set_id(char out[FOLLOW_ID_OCTETS], const char *id)
{
    size_t length = strnlen(id, FOLLOW_ID_OCTETS - 1);

    memcpy(out, id, length);
    out[length] = '\0';
}

static void lose_meta(struct follow *follow, uint64_t now_ms)
{
    char text[FOLLOW_TEXT_OCTETS];

    snprintf(text, sizeof text,
             "the registry at %s has no key %.260smeta: answers stay as they were at revision "
             "%" PRIu64 "; correct registry.root or registry.cell and restart, or have the deleted "
             "keys restored; spacedns registry:init is for a new cell",
             follow_endpoint(follow), follow->options.prefix, follow->position.revision);
    follow->needs_read = follow->reads_at_once = follow->is_doubted = true;
    follow_give_up(follow, REGISTRY_OTHER, text, now_ms);
}

bool follow_on_meta_gone(struct follow *follow, const struct etcd_event *event, uint64_t now_ms)
{
    if (follow->state < FOLLOW_RESUMING || follow->position.id[0] == '\0' ||
        (uint64_t)event->pair.mod_revision <= follow->applied)
        return false;
    lose_meta(follow, now_ms);
    return true;
}

void follow_adopt(struct follow *follow, const struct follow_position *position)
{
    follow->position = *position;
    follow->applied = position->revision;
    follow->needs_read = follow->reads_at_once = true;
}

void follow_on_meta(struct follow *follow, const struct etcd_header *header, uint64_t format,
                    const char *id, uint64_t now_ms)
{
    if (follow->state != FOLLOW_GREETING || !check_format(follow, format, now_ms))
        return;
    bool is_new = follow->position.revision == 0, is_ours = follow->is_spread;
    if (!is_new && id[0] == '\0' && follow->position.id[0] != '\0') {
        lose_meta(follow, now_ms);
        return;
    }
    if (!is_new && !is_ours && !check_identity(follow, header, id, now_ms))
        return;
    set_id(follow->next_id, id);
    follow->next_cluster = header->cluster;
    follow->distrusts |= follow->is_doubted;
    follow->read_revision = (uint64_t)header->revision;
    if (is_new || is_ours || (follow->needs_read && follow->reads_at_once))
        read_all(follow, now_ms);
    else if (follow->needs_read)
        follow_spread(follow, now_ms);
    else
        watch(follow, now_ms);
}

void follow_on_meta_change(struct follow *follow, uint64_t format, const char *id, uint64_t now_ms)
{
    struct follow_position *position = &follow->position;

    if (follow->state < FOLLOW_RESUMING || !check_format(follow, format, now_ms))
        return;
    if (position->id[0] == '\0')
        set_id(position->id, id);
    else if (strcmp(position->id, id) != 0)
        follow_distrust(follow, REGISTRY_OTHER,
                        "the registry has become another one (its id changed)", now_ms);
}

bool follow_on_header(struct follow *follow, const struct etcd_header *header, uint64_t now_ms)
{
    uint64_t cluster =
        follow->state == FOLLOW_READING ? follow->next_cluster : follow->position.cluster;

    if (follow->state == FOLLOW_READING)
        follow->due_ms = now_ms + READ_QUIET_MS;
    if (cluster == 0 || header->cluster == cluster)
        return true;
    follow_on_lost(follow, "it has become a member of another cluster", now_ms);
    return false;
}

/* ---- time ---- */

void follow_on_word(struct follow *follow, uint64_t now_ms)
{
    follow->word_ms = now_ms;
}

void follow_on_pong(struct follow *follow, uint64_t now_ms)
{
    follow->pong_ms = 0;
    follow->word_ms = now_ms;
}

static bool is_open(const struct follow *follow)
{
    return follow->state > FOLLOW_GREETING;
}

uint64_t follow_next_ms(const struct follow *follow)
{
    uint64_t next = follow->due_ms;
    uint64_t quiet = follow->pong_ms != 0 ? follow->pong_ms : follow->word_ms + FOLLOW_QUIET_MS;

    if (is_open(follow) && quiet < next)
        next = quiet;
    if (follow->state == FOLLOW_WATCHING && follow->home_ms < next)
        next = follow->home_ms;
    return next;
}

static void on_due(struct follow *follow, uint64_t now_ms)
{
    switch (follow->state) {
    case FOLLOW_DOWN:
        open_endpoint(follow, now_ms);
        break;
    case FOLLOW_OPENING:
        follow_on_lost(follow, "no connection within 3 s", now_ms);
        break;
    case FOLLOW_LOGGING_IN:
    case FOLLOW_GREETING:
        follow_on_lost(follow, "no reply within 5 s; it may have no leader", now_ms);
        break;
    case FOLLOW_SPREADING:
        follow->is_spread = true;
        follow_greet(follow, now_ms);
        break;
    case FOLLOW_READING:
        follow_on_lost(follow, "no reply to a read within 30 s", now_ms);
        break;
    case FOLLOW_RESUMING:
        if (follow->is_created)
            follow_unlike(follow, now_ms);
        else
            follow_on_lost(follow, "no reply to a watch within 5 s", now_ms);
        break;
    case FOLLOW_WATCHING:
        break;
    }
}

static void check_quiet(struct follow *follow, uint64_t now_ms)
{
    if (!is_open(follow))
        return;
    if (follow->pong_ms != 0 && now_ms >= follow->pong_ms) {
        follow_on_lost(follow, "it does not answer any more", now_ms);
    } else if (follow->pong_ms == 0 && now_ms >= follow->word_ms + FOLLOW_QUIET_MS) {
        follow->pong_ms = now_ms + FOLLOW_PONG_MS;
        follow_act(follow, FOLLOW_PING);
    }
}

void follow_tick(struct follow *follow, uint64_t now_ms)
{
    if (now_ms >= follow->due_ms)
        on_due(follow, now_ms);
    check_quiet(follow, now_ms);
    if (follow->state == FOLLOW_WATCHING && now_ms >= follow->home_ms)
        go_home(follow, now_ms);
}
