#include "registry/push.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/octets.h"
#include "etcd/messages.h"
#include "registry/lines.h"

enum {
    OPERATIONS_OF_CHANGE = 4, /* at most */
    OVERHEAD_OCTETS = 64,     /* of an operation or compare, in the message */
};

/* ---- what a change costs ---- */

static size_t operations_of(const struct push_request *request, const struct push_change *change)
{
    bool has_fixed = change->fixed != NULL;

    switch (change->action) {
    case PUSH_PUT:
        return request->is_canary ? 1 : 1 + (size_t)has_fixed;
    case PUSH_REMOVE:
        return request->is_canary ? 1 : OPERATIONS_OF_CHANGE;
    case PUSH_PROMOTE:
        return change->text == NULL ? OPERATIONS_OF_CHANGE : 2 + (size_t)has_fixed;
    case PUSH_ABORT:
    case PUSH_RAW:
        return 1;
    }
    return OPERATIONS_OF_CHANGE;
}

static size_t octets_of_change(const struct push_change *change)
{
    size_t fixed = change->fixed == NULL ? 0 : strlen(change->fixed);
    size_t text = change->text == NULL ? 0 : change->length;
    size_t removal = change->space == NULL ? 0 : strlen(change->space) + sizeof "remove: ";

    return text + fixed + removal +
           (OPERATIONS_OF_CHANGE + 1) * (size_t)(KEY_OCTETS_MOST / 3 + OVERHEAD_OCTETS);
}

static bool writes_force(const struct push_request *request)
{
    return request->force != NULL || request->accept_count > 0;
}

/* What every part has besides its changes. */
static size_t operations_of_frame(const struct push_request *request)
{
    return (size_t)!request->leaves_config + (size_t)writes_force(request);
}

static size_t length_of(const char *text)
{
    return text == NULL ? 0 : strlen(text);
}

static size_t octets_of_frame(const struct push_request *request)
{
    size_t octets = 2 * (size_t)(KEY_OCTETS_MOST + OVERHEAD_OCTETS) +
                    2 * (length_of(request->by) + length_of(request->at)) +
                    length_of(request->what) + length_of(request->force);

    for (size_t i = 0; i < request->release_count; i++)
        octets += strlen(request->releases[i]) + sizeof "release: ";
    for (size_t i = 0; i < request->accept_count; i++)
        octets += strlen(request->accepts[i]) + sizeof "accept: ";
    return octets;
}

static size_t operations_most(const struct push_request *request)
{
    return request->operations_most == 0 ? PUSH_OPERATIONS_MOST : request->operations_most;
}

/* ---- the order of changes ---- */

static bool is_first_of_group(const struct push_request *request, size_t number)
{
    unsigned group = request->changes[number].group;

    for (size_t i = 0; i < number; i++)
        if (request->changes[i].group == group)
            return false;
    return true;
}

/* Changes stay in their order, but those of a group come with its first one. */
static void order_changes(struct push *push)
{
    const struct push_request *request = push->request;
    size_t count = 0;

    for (size_t i = 0; i < request->change_count; i++) {
        unsigned group = request->changes[i].group;
        if (group == 0) {
            push->order[count++] = i;
            continue;
        }
        if (!is_first_of_group(request, i))
            continue;
        for (size_t n = i; n < request->change_count; n++)
            if (request->changes[n].group == group)
                push->order[count++] = n;
    }
}

static const struct push_change *change_at(const struct push *push, size_t at)
{
    return &push->request->changes[push->order[at]];
}

/* Behind the last change that must come with the one at `first`. */
static size_t end_of_group(const struct push *push, size_t first)
{
    unsigned group = change_at(push, first)->group;
    size_t end = first + 1;

    while (group != 0 && end < push->request->change_count && change_at(push, end)->group == group)
        end++;
    return end;
}

/* What changes from `first` to `end` cost. */
struct cost {
    size_t operations, octets;
};

static struct cost cost_of(const struct push *push, size_t first, size_t end)
{
    struct cost cost = {.operations = 0};

    for (size_t i = first; i < end; i++) {
        cost.operations += operations_of(push->request, change_at(push, i));
        cost.octets += octets_of_change(change_at(push, i));
    }
    return cost;
}

static bool fits(const struct push *push, const struct cost *cost)
{
    const struct push_request *request = push->request;

    return cost->operations + operations_of_frame(request) <= operations_most(request) &&
           cost->octets + octets_of_frame(request) <= PUSH_OCTETS_MOST;
}

/* ---- beginning ---- */

static bool check_change(const struct push_change *change, struct err *err)
{
    if (change->action == PUSH_RAW || change->text == NULL || change->length <= PUSH_DOCUMENT_MOST)
        return true;
    return err_set(err, ERR_LIMIT,
                   "space %s has a document of %zu octets, more than the %d that a registry takes; "
                   "split the space",
                   change->space, change->length, PUSH_DOCUMENT_MOST);
}

/* "space bee and 1 other have"; marks have no space. */
static void write_group(const struct push *push, size_t first, size_t end, char *out, size_t size)
{
    const char *space = change_at(push, first)->space;
    size_t others = end - first - 1;

    if (others == 0)
        snprintf(out, size, "space %.255s has", space == NULL ? "-" : space);
    else
        snprintf(out, size, "space %.255s and %zu other%s have", space == NULL ? "-" : space,
                 others, others == 1 ? "" : "s");
}

static bool check_groups(const struct push *push, struct err *err)
{
    char who[KEY_NAME_MOST + 64];
    size_t end;

    for (size_t i = 0; i < push->request->change_count; i = end) {
        end = end_of_group(push, i);
        const struct cost cost = cost_of(push, i, end);
        if (fits(push, &cost))
            continue;
        write_group(push, i, end, who, sizeof who);
        return err_set(err, ERR_LIMIT,
                       "%s to change at once, which takes %zu operations and %zu octets, more "
                       "than a transaction may have; push in smaller steps, each valid in itself, "
                       "or raise etcd's --max-txn-ops and --max-request-bytes",
                       who, cost.operations, cost.octets);
    }
    return true;
}

bool push_begin(struct push *push, const struct push_request *request, uint64_t config_revision,
                struct err *err)
{
    *push = (struct push){.request = request, .config_revision = config_revision};
    for (size_t i = 0; i < request->change_count; i++)
        if (!check_change(&request->changes[i], err))
            return false;
    push->order = malloc((request->change_count + 1) * sizeof *push->order);
    if (push->order == NULL)
        return err_set(err, ERR_MEMORY, "out of memory for the push");
    order_changes(push);
    return check_groups(push, err);
}

/* ---- making a part ---- */

/* A transaction that grows, in the arena. */
struct making {
    struct arena *arena;
    const struct keys *keys;
    struct etcd_compare *compares;
    size_t compare_count;
    struct etcd_operation *operations;
    size_t operation_count;
    bool has_failed;
};

static struct octets keep(struct making *making, const void *octets, size_t length)
{
    const char *kept = arena_text(making->arena, octets, length);

    making->has_failed |= kept == NULL;
    return (struct octets){.start = (const uint8_t *)kept, .length = kept == NULL ? 0 : length};
}

static struct octets keep_key(struct making *making, enum key_kind kind, const char *space)
{
    struct key_text text;

    keys_write(making->keys, kind, space, &text);
    return keep(making, text.octets, text.length);
}

static void add_put(struct making *making, struct octets key, const char *value, size_t length)
{
    making->operations[making->operation_count++] = (struct etcd_operation){
        .kind = ETCD_DO_PUT,
        .put = {.key = key, .value = {.start = (const uint8_t *)value, .length = length}}};
}

static void add_delete(struct making *making, struct octets key, struct octets end)
{
    making->operations[making->operation_count++] =
        (struct etcd_operation){.kind = ETCD_DO_DELETE, .removal = {.key = key, .end = end}};
}

static void add_compare(struct making *making, struct octets key, enum etcd_compare_target target,
                        enum etcd_compare_result result, uint64_t number)
{
    making->compares[making->compare_count++] = (struct etcd_compare){
        .key = key, .target = target, .result = result, .number = (int64_t)number};
}

static const struct octets one_key = {.length = 0};

static void add_fixed(struct making *making, const struct push_change *change)
{
    if (change->fixed == NULL)
        return;
    struct octets key = keep_key(making, KEY_FIXED, change->space);
    if (!change->replaces_fixed)
        add_compare(making, key, ETCD_VERSION, ETCD_EQUAL, 0);
    add_put(making, key, change->fixed, strlen(change->fixed));
}

static void add_removal(struct making *making, const char *space)
{
    struct key_range dynos;

    keys_range_dynos(making->keys, space, &dynos);
    add_delete(making, keep_key(making, KEY_DOCUMENT, space), one_key);
    add_delete(making, keep_key(making, KEY_FIXED, space), one_key);
    add_delete(making, keep_key(making, KEY_CANDIDATE, space), one_key);
    add_delete(making, keep(making, dynos.begin.octets, dynos.begin.length),
               keep(making, dynos.end.octets, dynos.end.length));
}

static void add_raw(struct making *making, const struct push_change *change)
{
    struct octets key = keep(making, change->raw->octets, change->raw->length);

    if (change->raw_revision != UINT64_MAX)
        add_compare(making, key, ETCD_MOD, ETCD_EQUAL, change->raw_revision);
    if (change->text == NULL)
        add_delete(making, key, one_key);
    else
        add_put(making, key, change->text, change->length);
}

static void add_canary(struct making *making, const struct push_change *change)
{
    struct octets key = keep_key(making, KEY_CANDIDATE, change->space);

    if (change->action == PUSH_REMOVE)
        add_put(making, key, "-", 1);
    else
        add_put(making, key, change->text, change->length);
}

static void add_document(struct making *making, const struct push_change *change)
{
    add_put(making, keep_key(making, KEY_DOCUMENT, change->space), change->text, change->length);
    add_fixed(making, change);
}

static void add_change(struct making *making, const struct push_request *request,
                       const struct push_change *change)
{
    switch (change->action) {
    case PUSH_PUT:
        if (request->is_canary)
            add_canary(making, change);
        else
            add_document(making, change);
        break;
    case PUSH_REMOVE:
        if (request->is_canary)
            add_canary(making, change);
        else
            add_removal(making, change->space);
        break;
    case PUSH_PROMOTE:
        if (change->text == NULL) {
            add_removal(making, change->space);
            break;
        }
        add_document(making, change);
        add_delete(making, keep_key(making, KEY_CANDIDATE, change->space), one_key);
        break;
    case PUSH_ABORT:
        add_delete(making, keep_key(making, KEY_CANDIDATE, change->space), one_key);
        break;
    case PUSH_RAW:
        add_raw(making, change);
        break;
    }
}

static void write_text(struct lines_writer *out, const char *key, const char *value)
{
    if (value != NULL)
        lines_write(out, key, value);
}

/* Puts what was written, and frees it. */
static void put_lines(struct making *making, enum key_kind kind, struct lines_writer *out)
{
    making->has_failed |= out->has_failed;
    struct octets value = keep(making, out->text == NULL ? "" : out->text, out->length);
    add_put(making, keep_key(making, kind, ""), (const char *)value.start, value.length);
    free(out->text);
}

static void add_config(struct making *making, const struct push *push)
{
    const struct push_request *request = push->request;
    struct lines_writer out = {.text = NULL};

    add_compare(making, keep_key(making, KEY_CONFIG, ""), ETCD_MOD, ETCD_LESS,
                push->config_revision + 1);
    write_text(&out, "by", request->by);
    write_text(&out, "at", request->at);
    write_text(&out, "what", request->what);
    for (size_t i = 0; i < request->release_count; i++)
        lines_write(&out, "release", request->releases[i]);
    put_lines(making, KEY_CONFIG, &out);
}

/* Who was away sees the removal without its revision: it is named. */
static void write_removals(struct lines_writer *out, const struct push *push)
{
    for (size_t i = push->next; i < push->part_end && !push->request->is_canary; i++) {
        const struct push_change *change = change_at(push, i);
        if (change->action == PUSH_REMOVE ||
            (change->action == PUSH_PROMOTE && change->text == NULL))
            lines_write(out, "remove", change->space);
    }
}

static void add_force(struct making *making, const struct push *push)
{
    const struct push_request *request = push->request;
    struct lines_writer out = {.text = NULL};

    write_text(&out, "by", request->by);
    write_text(&out, "at", request->at);
    write_text(&out, "why", request->force);
    for (size_t i = 0; i < request->accept_count; i++)
        lines_write(&out, "accept", request->accepts[i]);
    write_removals(&out, push);
    put_lines(making, KEY_FORCE, &out);
}

/* As many groups as a transaction takes, and one at least. */
static size_t end_of_part(const struct push *push)
{
    size_t end = push->next;

    while (end < push->request->change_count) {
        size_t further = end_of_group(push, end);
        const struct cost cost = cost_of(push, push->next, further);
        if (end > push->next && !fits(push, &cost))
            break;
        end = further;
    }
    return end;
}

static bool make_room(struct making *making, size_t changes)
{
    size_t most = changes * OPERATIONS_OF_CHANGE + 2;

    making->compares = arena_take(making->arena, most * sizeof *making->compares);
    making->operations = arena_take(making->arena, most * sizeof *making->operations);
    return making->compares != NULL && making->operations != NULL;
}

static bool encode(struct push *push, const struct making *making)
{
    const struct etcd_txn txn = {.compares = making->compares,
                                 .compare_count = making->compare_count,
                                 .success = making->operations,
                                 .success_count = making->operation_count};
    struct octets message = etcd_encode_txn(making->arena, &txn);

    push->message = message.start;
    push->length = message.length;
    return message.start != NULL;
}

bool push_next(struct push *push, struct err *err)
{
    const struct push_request *request = push->request;

    arena_free(push->arena);
    push->arena = arena_new();
    push->part_end = end_of_part(push);
    struct making making = {.arena = push->arena, .keys = request->keys};
    if (making.arena == NULL || !make_room(&making, push->part_end - push->next))
        return err_set(err, ERR_MEMORY, "out of memory for the push");
    for (size_t i = push->next; i < push->part_end; i++)
        add_change(&making, request, change_at(push, i));
    if (!request->leaves_config)
        add_config(&making, push);
    if (writes_force(request))
        add_force(&making, push);
    return (!making.has_failed && encode(push, &making)) ||
           err_set(err, ERR_MEMORY, "out of memory for the push");
}

/* ---- results ---- */

bool push_note(struct push *push, const void *response, size_t length, enum push_state *state,
               struct err *err)
{
    struct etcd_txn_response result;
    struct arena *arena = arena_new();

    if (arena == NULL)
        return err_set(err, ERR_MEMORY, "out of memory for the response to the push");
    bool passed = etcd_decode_txn(arena, response, length, &result, err);
    if (passed && !result.has_succeeded) {
        *state = PUSH_LOST;
    } else if (passed) {
        push->revision = (uint64_t)result.header.revision;
        push->config_revision = push->revision;
        push->parts++;
        push->next = push->part_end;
        *state = push->next < push->request->change_count ? PUSH_MORE : PUSH_DONE;
    }
    arena_free(arena);
    return passed;
}

void push_close(struct push *push)
{
    arena_free(push->arena);
    free(push->order);
    *push = (struct push){.request = NULL};
}
