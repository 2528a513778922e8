#include "traffic/questions.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "decide/special.h"
#include "traffic/hidden_name.h"

enum { MS_PER_SECOND = 1000, TARGETS = 2 };

struct slot {
    struct question_asked asked; /* first, so that a question's address is its slot's */
    TAILQ_ENTRY(slot) age;
    struct slot *next; /* in the bucket */
    uint8_t octets[];
};

TAILQ_HEAD(ages, slot);

struct questions {
    struct questions_options options;
    struct questions_reach reach;
    struct ages ages; /* the newest first */
    struct slot **buckets;
    uint32_t bucket_count; /* a power of two */
    uint32_t count;
    size_t octets;
    void *block; /* of a copy: has its slots; it has no buckets */
};

/* ---- life ---- */

struct questions *questions_new(const struct questions_options *options)
{
    struct questions *questions = calloc(1, sizeof *questions);

    if (questions == NULL)
        return NULL;
    questions->options = *options;
    questions->reach.since_s = options->now_s;
    TAILQ_INIT(&questions->ages);
    questions->bucket_count = 1;
    while (questions->bucket_count < options->most)
        questions->bucket_count *= 2;
    questions->buckets = calloc(questions->bucket_count, sizeof(struct slot *));
    if (questions->buckets != NULL)
        return questions;
    free(questions);
    return NULL;
}

void questions_free(struct questions *questions)
{
    if (questions == NULL)
        return;
    while (questions->block == NULL && !TAILQ_EMPTY(&questions->ages)) {
        struct slot *slot = TAILQ_FIRST(&questions->ages);
        TAILQ_REMOVE(&questions->ages, slot, age);
        free(slot);
    }
    free(questions->block);
    free(questions->buckets);
    free(questions);
}

/* ---- slots ---- */

static struct slot **bucket_of(const struct questions *questions,
                               const struct question_asked *asked)
{
    uint64_t client = (uint64_t)asked->path.source << 32 | asked->path.destination;
    uint64_t hash = hash_mix(asked->hash ^ asked->type, client ^ 0x9e3779b97f4a7c15);

    return &questions->buckets[hash % questions->bucket_count];
}

static bool is_same(const struct question_asked *a, const struct question_asked *b)
{
    return a->hash == b->hash && a->type == b->type && a->path.source == b->path.source &&
           a->path.destination == b->path.destination && a->path.interface == b->path.interface &&
           a->is_outside == b->is_outside && a->is_hidden == b->is_hidden;
}

static struct slot *find(const struct questions *questions, const struct question_asked *asked)
{
    struct slot *slot = *bucket_of(questions, asked);

    while (slot != NULL && !is_same(&slot->asked, asked))
        slot = slot->next;
    return slot;
}

static size_t octets_of(const struct slot *slot)
{
    return sizeof *slot + slot->asked.length;
}

static void push_out(struct questions *questions)
{
    struct slot *slot = TAILQ_LAST(&questions->ages, ages);
    struct slot **link = bucket_of(questions, &slot->asked);

    while (*link != slot)
        link = &(*link)->next;
    *link = slot->next;
    TAILQ_REMOVE(&questions->ages, slot, age);
    if (slot->asked.last_s > questions->reach.since_s)
        questions->reach.since_s = slot->asked.last_s;
    questions->reach.pushed_out++;
    questions->octets -= octets_of(slot);
    questions->count--;
    free(slot);
}

static void make_room(struct questions *questions, size_t octets)
{
    while (questions->count > 0 && (questions->count >= questions->options.most ||
                                    questions->octets + octets > questions->options.octets_most))
        push_out(questions);
}

static void fill_slot(struct slot *slot, const struct question_asked *asked)
{
    slot->asked = *asked;
    slot->asked.octets = slot->octets;
    memcpy(slot->octets, asked->octets, asked->length);
}

/* Returns NULL without memory. */
static struct slot *make_slot(struct questions *questions, const struct question_asked *asked)
{
    struct slot *slot = malloc(sizeof *slot + asked->length);

    if (slot == NULL)
        return NULL;
    fill_slot(slot, asked);
    struct slot **bucket = bucket_of(questions, asked);
    slot->next = *bucket;
    *bucket = slot;
    questions->count++;
    questions->octets += octets_of(slot);
    return slot;
}

static void raise(struct questions *questions, struct slot *slot,
                  const struct question_asked *asked)
{
    slot->asked.count += asked->count;
    if (asked->first_s < slot->asked.first_s)
        slot->asked.first_s = asked->first_s;
    if (asked->last_s > slot->asked.last_s)
        slot->asked.last_s = asked->last_s;
    TAILQ_REMOVE(&questions->ages, slot, age);
    TAILQ_INSERT_HEAD(&questions->ages, slot, age);
}

static void add_question(struct questions *questions, const struct question_asked *asked)
{
    struct slot *slot = find(questions, asked);

    if (slot != NULL) {
        raise(questions, slot, asked);
        return;
    }
    make_room(questions, sizeof *slot + asked->length);
    slot = make_slot(questions, asked);
    if (slot != NULL)
        TAILQ_INSERT_HEAD(&questions->ages, slot, age);
    else
        questions->reach.lost += asked->count;
}

/* ---- flows ---- */

/* A table, and what is ours by its snapshot. */
struct adding {
    struct questions *questions;
    const struct flow_table *table;
    int64_t begun_ms;
    struct name targets[TARGETS];
    unsigned target_count;
};

static void read_targets(struct adding *adding)
{
    const struct suffixes *suffixes = &adding->table->snapshot->policy.suffixes;

    for (unsigned i = 0; i < TARGETS; i++)
        if (suffixes->targets[i] != NULL &&
            name_from_text(suffixes->targets[i], &adding->targets[adding->target_count]))
            adding->target_count++;
}

static bool is_below_suffixes(const struct adding *adding, const struct name *name)
{
    const struct snapshot *snapshot = adding->table->snapshot;
    bool is_below = name_is_within(name, &snapshot->index.apps_suffix) ||
                    name_is_within(name, &snapshot->discovery_suffix);

    for (unsigned i = 0; i < adding->target_count && !is_below; i++)
        is_below = name_is_within(name, &adding->targets[i]);
    return is_below;
}

static bool is_ours(const struct adding *adding, const struct flow *flow, const struct name *name)
{
    const struct snapshot *snapshot = adding->table->snapshot;
    struct kept_back_entry kept;
    struct index_entry entry;
    struct special special;

    return flow->segment != NULL || is_below_suffixes(adding, name) ||
           special_find(name, &special) || snapshot_find(snapshot, name, flow->name_hash, &entry) ||
           snapshot_find_wildcard(snapshot, name, &entry) ||
           (snapshot->kept_back != NULL &&
            kept_back_find(snapshot->kept_back, name, flow->name_hash, 0, &kept));
}

static uint32_t second_of(const struct adding *adding, uint32_t ms)
{
    return (uint32_t)((adding->begun_ms + ms) / MS_PER_SECOND);
}

static void add_inside(const struct adding *adding, const struct flow *flow,
                       struct question_asked asked)
{
    uint8_t hidden[HIDDEN_NAME_OCTETS_MOST];
    struct name name;

    flow_name(adding->table, flow, &name);
    asked.path = (struct path){
        .source = flow->source, .destination = flow->destination, .interface = flow->interface};
    asked.type = flow->type;
    asked.hash = flow->name_hash;
    asked.octets = name.octets;
    asked.length = name.length;
    if (!is_ours(adding, flow, &name)) {
        asked.is_hidden = true;
        asked.octets = hidden;
        asked.length = (uint16_t)hidden_name_write(&adding->table->snapshot->index, &name, hidden);
    }
    add_question(adding->questions, &asked);
}

static void add_flow(const struct adding *adding, const struct flow *flow)
{
    static const uint8_t root[1];
    const struct question_asked asked = {.count = flow->count,
                                         .first_s = second_of(adding, flow->first_ms),
                                         .last_s = second_of(adding, flow->last_ms),
                                         .is_outside = flow->class == CLIENT_EXTERNAL,
                                         .length = sizeof root,
                                         .octets = root};

    if (flow->is_coarse)
        adding->questions->reach.coarse += flow->count;
    else if (asked.is_outside)
        add_question(adding->questions, &asked);
    else
        add_inside(adding, flow, asked);
}

void questions_add(struct questions *questions, const struct flow_table *table, int64_t begun_ms)
{
    struct adding adding = {.questions = questions, .table = table, .begun_ms = begun_ms};

    questions->reach.lost += table->lost;
    if (table->snapshot == NULL)
        return;
    read_targets(&adding);
    for (uint32_t i = 0; i < table->used; i++)
        add_flow(&adding, &table->flows[table->slots[i]]);
}

/* ---- reading ---- */

/* Slots in a row are aligned. */
static size_t room_of(const struct question_asked *asked)
{
    size_t octets = sizeof(struct slot) + asked->length;

    return (octets + _Alignof(struct slot) - 1) / _Alignof(struct slot) * _Alignof(struct slot);
}

/* In one block, because it is made while the control thread waits. */
struct questions *questions_copy(const struct questions *questions)
{
    struct questions *copy = calloc(1, sizeof *copy);
    char *room = malloc(questions->octets + questions->count * _Alignof(struct slot) + 1);

    if (copy == NULL || room == NULL) {
        free(copy);
        free(room);
        return NULL;
    }
    *copy =
        (struct questions){.options = questions->options, .reach = questions->reach, .block = room};
    TAILQ_INIT(&copy->ages);
    for (const struct question_asked *each = questions_next(questions, NULL); each != NULL;
         each = questions_next(questions, each)) {
        struct slot *slot = (struct slot *)(void *)room;
        fill_slot(slot, each);
        TAILQ_INSERT_TAIL(&copy->ages, slot, age);
        copy->count++;
        room += room_of(each);
    }
    return copy;
}

uint32_t questions_count(const struct questions *questions)
{
    return questions->count;
}

struct questions_reach questions_reach(const struct questions *questions)
{
    return questions->reach;
}

const struct question_asked *questions_next(const struct questions *questions,
                                            const struct question_asked *question)
{
    return question == NULL
               ? (const struct question_asked *)TAILQ_FIRST(&questions->ages)
               : (const struct question_asked *)TAILQ_NEXT((const struct slot *)question, age);
}
