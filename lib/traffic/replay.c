#include "traffic/replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "traffic/hidden_name.h"

enum { BEFORE, AFTER, SIDES, SHOWN_OCTETS = 4 * NAME_MAX_OCTETS + 4 };

/* A client of a group, an address each; outside: 0. */
struct hit {
    uint32_t group;
    uint32_t address;
};

struct hits {
    struct hit *items;
    size_t count;
};

/* The state of a replay. */
struct replaying {
    struct replay *replay;
    const struct snapshot *sides[SIDES];
    struct known_names known;
    struct replay_ask *ask;
    struct hits changed; /* by group and address */
    struct hits asked;   /* all in group 0 */
    size_t group_capacity;
    uint64_t hashes[REPLAY_GROUPS_MOST]; /* of the groups' keys */
    bool has_failed;                     /* no memory */
};

/* What one question comes to. */
struct outcome {
    const struct question_asked *asked;
    struct name name;
    unsigned own_labels; /* of the name that are its own */
    struct replay_answer answers[SIDES];
    const struct segment *segments[SIDES];
    const struct app_entry *apps[SIDES];
    enum replay_difference difference;
};

/* ---- asking ---- */

static void find_name(const struct replaying *replaying, struct outcome *outcome)
{
    const struct question_asked *asked = outcome->asked;
    const struct hidden_name hidden = {
        .hash = asked->hash, .octets = asked->octets, .length = asked->length};

    if (asked->is_hidden) {
        outcome->own_labels = known_names_resolve(&replaying->known, &hidden, &outcome->name);
        return;
    }
    struct reader in = reader_over(asked->octets, asked->length);
    name_read(&in, &outcome->name);
    outcome->own_labels = outcome->name.label_count;
}

static void ask_sides(const struct replaying *replaying, struct outcome *outcome)
{
    const struct replay_question question = {
        .path = &outcome->asked->path, .name = &outcome->name, .type = outcome->asked->type};

    for (unsigned side = 0; side < SIDES; side++) {
        const struct verdict *verdict = &replaying->ask->exchange.verdict;
        replay_answer_find(replaying->ask, replaying->sides[side], &question,
                           &outcome->answers[side]);
        outcome->segments[side] = verdict->segment;
        outcome->apps[side] = verdict->app;
    }
    outcome->difference =
        replay_answer_compare(&outcome->answers[BEFORE], &outcome->answers[AFTER]);
}

/* ---- who asked ---- */

/* The client's membership of the name's space, or its closest one; NULL: outside. */
static const struct membership *choose(const struct snapshot *snapshot, const struct client *client,
                                       const struct segment *segment)
{
    const struct membership *closest = NULL;

    for (uint32_t i = 0; i < client->count; i++) {
        const struct membership *each = &client->memberships[i];
        if (snapshot->segments[each->segment] == segment)
            return each;
        if (closest == NULL || each->class < closest->class)
            closest = each;
    }
    return closest;
}

static void set_member(const struct segment *segment, const struct membership *membership,
                       uint32_t address, struct party_key *who)
{
    uint32_t dyno = segment_find_dyno(segment, address);

    who->space = segment->name;
    who->space_length = strlen(segment->name);
    who->kind = PARTY_SPACE;
    if (membership->connection != ENTRY_NONE) {
        const struct connection *connection = &segment->connections[membership->connection];
        who->kind = connection->kind == CONNECTION_PEERING ? PARTY_PEERING : PARTY_VPN;
        who->name = connection->name;
        who->name_length = strlen(connection->name);
    } else if (dyno != ENTRY_NONE) {
        const struct app_entry *app = &segment->apps[segment_formation_of(segment, dyno)->app];
        who->kind = PARTY_APP;
        who->name = segment_text(segment, app->name);
        who->name_length = app->name_length;
    }
}

static void find_who(const struct replaying *replaying, const struct outcome *outcome,
                     struct party_key *who)
{
    const struct path *path = &outcome->asked->path;

    *who = (struct party_key){.kind = PARTY_OUTSIDE};
    if (outcome->asked->is_outside)
        return;
    for (unsigned side = 0; side < SIDES; side++) {
        const struct snapshot *snapshot = replaying->sides[side];
        struct client client;
        client_classify(snapshot, path, &client);
        const struct membership *membership = choose(snapshot, &client, outcome->segments[side]);
        if (membership == NULL)
            continue;
        set_member(snapshot->segments[membership->segment], membership, path->source, who);
        return;
    }
}

/* ---- groups ---- */

/* What a group is known by; the texts need not end with zero. */
struct group_key {
    struct party_key what; /* kind PARTY_APP, PARTY_SPACE, or PARTY_OUTSIDE for nobody's */
    struct party_key who;
    const struct outcome *outcome;
};

static void find_what(const struct outcome *outcome, struct party_key *what)
{
    *what = (struct party_key){.kind = PARTY_OUTSIDE};
    for (unsigned side = 0; side < SIDES; side++) {
        const struct segment *segment = outcome->segments[side];
        const struct app_entry *app = outcome->apps[side];
        if (segment == NULL || (what->kind == PARTY_SPACE && app == NULL))
            continue;
        what->kind = app == NULL ? PARTY_SPACE : PARTY_APP;
        what->space = segment->name;
        what->space_length = strlen(segment->name);
        what->name = app == NULL ? NULL : segment_text(segment, app->name);
        what->name_length = app == NULL ? 0 : app->name_length;
        if (app != NULL)
            return;
    }
}

static bool is_text(const char *kept, const char *text, size_t length)
{
    return kept == NULL ? length == 0 : strlen(kept) == length && memcmp(kept, text, length) == 0;
}

static bool is_alike(const struct replay_answer *a, const struct replay_answer *b, bool has_ttl)
{
    return a->kind == b->kind && a->reason == b->reason && a->rcode == b->rcode &&
           a->count == b->count && (!has_ttl || a->ttl_seconds == b->ttl_seconds);
}

static bool has_key(const struct replay_group *group, const struct group_key *key)
{
    const struct outcome *outcome = key->outcome;
    bool has_ttl = outcome->difference == REPLAY_OTHER_TTL;

    return group->difference == outcome->difference && group->who == key->who.kind &&
           is_alike(&group->before, &outcome->answers[BEFORE], has_ttl) &&
           is_alike(&group->after, &outcome->answers[AFTER], has_ttl) &&
           is_text(group->space, key->what.space, key->what.space_length) &&
           is_text(group->app, key->what.name, key->what.name_length) &&
           is_text(group->who_space, key->who.space, key->who.space_length) &&
           is_text(group->who_name, key->who.name, key->who.name_length);
}

static uint64_t hash_party(uint64_t state, const struct party_key *party)
{
    static const struct hash_key key = {0x2d358dccaa6c78a5, 0x8bb84b93962eacc9};

    state = hash_mix(state ^ party->kind, 0x9e3779b97f4a7c15);
    if (party->space_length > 0)
        state ^= hash_octets(&key, party->space, party->space_length);
    return party->name_length == 0
               ? state
               : hash_mix(state, hash_octets(&key, party->name, party->name_length) | 1);
}

/* Of its texts; the answers of a group differ seldom. */
static uint64_t hash_key_of(const struct group_key *key)
{
    return hash_party(hash_party(0, &key->what), &key->who);
}

static const char *keep(struct replaying *replaying, const char *text, size_t length)
{
    const char *kept = length == 0 ? NULL : arena_text(replaying->replay->arena, text, length);

    replaying->has_failed |= length > 0 && kept == NULL;
    return kept;
}

static struct replay_group *make_group(struct replaying *replaying, const struct group_key *key)
{
    struct replay *replay = replaying->replay;
    struct replay_group **groups = arena_grow(replay->arena, replay->groups, replay->count,
                                              &replaying->group_capacity, sizeof *groups);
    struct replay_group *group = arena_take(replay->arena, sizeof *group);

    if (groups == NULL || group == NULL) {
        replaying->has_failed = true;
        return NULL;
    }
    *group = (struct replay_group){
        .space = keep(replaying, key->what.space, key->what.space_length),
        .app = keep(replaying, key->what.name, key->what.name_length),
        .who = key->who.kind,
        .who_space = keep(replaying, key->who.space, key->who.space_length),
        .who_name = keep(replaying, key->who.name, key->who.name_length),
        .difference = key->outcome->difference,
        .before = key->outcome->answers[BEFORE],
        .after = key->outcome->answers[AFTER],
        .first_s = key->outcome->asked->first_s,
    };
    replay->groups = groups;
    replaying->hashes[replay->count] = hash_key_of(key);
    groups[replay->count++] = group;
    return group;
}

/* Sets its number. Returns NULL without memory, or when there are as many as may be. */
static struct replay_group *find_group(struct replaying *replaying, const struct outcome *outcome,
                                       uint32_t *number)
{
    struct replay *replay = replaying->replay;
    struct group_key key = {.outcome = outcome};

    find_what(outcome, &key.what);
    find_who(replaying, outcome, &key.who);
    uint64_t hash = hash_key_of(&key);
    for (*number = 0; *number < replay->count; ++*number)
        if (replaying->hashes[*number] == hash && has_key(replay->groups[*number], &key))
            return replay->groups[*number];
    return replay->count < REPLAY_GROUPS_MOST ? make_group(replaying, &key) : NULL;
}

/* ---- names ---- */

static void show_name(const struct outcome *outcome, struct text *text)
{
    const struct name *name = &outcome->name;
    const uint8_t *own = name_suffix(name, name->label_count - outcome->own_labels);

    if (outcome->own_labels < name->label_count)
        text_add_string(text, outcome->own_labels == 0 ? "" : "*.");
    if (outcome->own_labels > 0 || name->label_count == 0)
        name_add(text, own);
}

static void add_name(struct replaying *replaying, const struct outcome *outcome,
                     struct replay_group *group)
{
    char octets[SHOWN_OCTETS];
    struct text text = text_over(octets, sizeof octets);

    if (outcome->asked->is_outside)
        return;
    show_name(outcome, &text);
    size_t length = text_length(&text);
    for (uint32_t i = 0; i < group->shown_names; i++)
        if (group->names[i].type == outcome->asked->type &&
            is_text(group->names[i].text, octets, length))
            return;
    if (group->shown_names == REPLAY_NAMES_SHOWN) {
        group->has_more_names = true;
        return;
    }
    const char *kept = arena_text(replaying->replay->arena, octets, length);
    replaying->has_failed |= kept == NULL;
    group->names[group->shown_names++] =
        (struct replay_name){.text = kept, .type = outcome->asked->type};
}

static int by_name(const void *a, const void *b)
{
    const struct replay_name *left = a, *right = b;
    int order = strcmp(left->text, right->text);

    return order != 0 ? order : (int)left->type - (int)right->type;
}

/* ---- one question ---- */

static void add_hit(struct hits *hits, uint32_t group, uint32_t address)
{
    hits->items[hits->count++] = (struct hit){.group = group, .address = address};
}

static void add_change(struct replaying *replaying, const struct outcome *outcome)
{
    const struct question_asked *asked = outcome->asked;
    uint32_t number;
    struct replay_group *group = find_group(replaying, outcome, &number);

    replaying->replay->changed.count += asked->count;
    add_hit(&replaying->changed, number, asked->path.source);
    if (group == NULL) {
        replaying->replay->left_out += asked->count;
        return;
    }
    group->count += asked->count;
    if (asked->first_s < group->first_s)
        group->first_s = asked->first_s;
    if (asked->last_s > group->last_s)
        group->last_s = asked->last_s;
    add_name(replaying, outcome, group);
}

static void replay_one(struct replaying *replaying, const struct question_asked *asked)
{
    struct replay *replay = replaying->replay;
    struct outcome outcome = {.asked = asked};

    replay->asked.count += asked->count;
    replay->outside += asked->is_outside ? asked->count : 0;
    add_hit(&replaying->asked, 0, asked->path.source);
    find_name(replaying, &outcome);
    ask_sides(replaying, &outcome);
    if (outcome.difference != REPLAY_SAME)
        add_change(replaying, &outcome);
}

/* ---- clients ---- */

static int by_group(const void *a, const void *b)
{
    const struct hit *left = a, *right = b;

    if (left->group != right->group)
        return left->group < right->group ? -1 : 1;
    return left->address < right->address ? -1 : left->address > right->address;
}

static int by_address(const void *a, const void *b)
{
    const struct hit *left = a, *right = b;

    return left->address < right->address ? -1 : left->address > right->address;
}

static uint32_t count_addresses(struct hits *hits)
{
    uint32_t count = 0;

    if (hits->count > 0)
        qsort(hits->items, hits->count, sizeof *hits->items, by_address);
    for (size_t i = 0; i < hits->count; i++)
        count += i == 0 || hits->items[i].address != hits->items[i - 1].address;
    return count;
}

/* The hits of one group, each address once. Returns how many there are of the group. */
static size_t take_clients(struct replaying *replaying, struct replay_group *group,
                           const struct hit *hits, size_t count)
{
    uint32_t *addresses =
        arena_take(replaying->replay->arena, REPLAY_CLIENTS_SHOWN * sizeof *addresses);
    size_t i = 0;

    replaying->has_failed |= addresses == NULL;
    for (; addresses != NULL && i < count && hits[i].group == hits[0].group; i++) {
        if (i > 0 && hits[i].address == hits[i - 1].address)
            continue;
        group->clients++;
        if (group->shown_clients < REPLAY_CLIENTS_SHOWN)
            addresses[group->shown_clients++] = hits[i].address;
    }
    group->addresses = addresses;
    return i;
}

static void count_clients(struct replaying *replaying)
{
    struct replay *replay = replaying->replay;
    struct hits *hits = &replaying->changed;
    size_t at = 0;

    replay->asked.clients = count_addresses(&replaying->asked);
    if (hits->count == 0)
        return;
    qsort(hits->items, hits->count, sizeof *hits->items, by_group);
    while (at < hits->count && hits->items[at].group < replay->count && !replaying->has_failed)
        at += take_clients(replaying, replay->groups[hits->items[at].group], hits->items + at,
                           hits->count - at);
    replay->changed.clients = count_addresses(hits);
}

/* ---- the whole ---- */

/* What is nobody's comes last. */
static int compare_texts(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return (a == NULL) - (b == NULL);
    return strcmp(a, b);
}

static int by_what(const void *a, const void *b)
{
    const struct replay_group *left = *(struct replay_group *const *)a;
    const struct replay_group *right = *(struct replay_group *const *)b;
    int order = compare_texts(left->space, right->space);

    if (order == 0)
        order = compare_texts(left->app, right->app);
    if (order == 0)
        order = (int)right->who - (int)left->who;
    if (order == 0)
        order = compare_texts(left->who_space, right->who_space);
    if (order == 0)
        order = compare_texts(left->who_name, right->who_name);
    return order != 0 ? order : (left->count < right->count) - (left->count > right->count);
}

static bool take_room(struct replaying *replaying, uint32_t questions)
{
    replaying->ask = malloc(sizeof *replaying->ask);
    replaying->changed.items = calloc(questions + 1UL, sizeof(struct hit));
    replaying->asked.items = calloc(questions + 1UL, sizeof(struct hit));
    replaying->replay->arena = arena_new();
    return replaying->ask != NULL && replaying->changed.items != NULL &&
           replaying->asked.items != NULL && replaying->replay->arena != NULL &&
           known_names_open(&replaying->known, replaying->sides[BEFORE], replaying->sides[AFTER]);
}

static void run(struct replaying *replaying, const struct questions *questions)
{
    struct replay *replay = replaying->replay;

    for (const struct question_asked *each = questions_next(questions, NULL);
         each != NULL && !replaying->has_failed; each = questions_next(questions, each))
        replay_one(replaying, each);
    count_clients(replaying);
    for (size_t i = 0; i < replay->count && !replaying->has_failed; i++)
        qsort(replay->groups[i]->names, replay->groups[i]->shown_names,
              sizeof *replay->groups[i]->names, by_name);
    if (replay->count > 0)
        qsort(replay->groups, replay->count, sizeof(struct replay_group *), by_what);
}

struct replay *replay_new(const struct questions *questions, const struct snapshot *before,
                          const struct snapshot *after)
{
    struct replaying replaying = {.replay = calloc(1, sizeof *replaying.replay),
                                  .sides = {before, after}};

    if (replaying.replay == NULL)
        return NULL;
    replaying.replay->reach = questions_reach(questions);
    replaying.has_failed = !take_room(&replaying, questions_count(questions));
    if (!replaying.has_failed)
        run(&replaying, questions);
    known_names_close(&replaying.known);
    free(replaying.ask);
    free(replaying.changed.items);
    free(replaying.asked.items);
    if (!replaying.has_failed)
        return replaying.replay;
    replay_free(replaying.replay);
    return NULL;
}

void replay_free(struct replay *replay)
{
    if (replay == NULL)
        return;
    arena_free(replay->arena);
    free(replay);
}
