#include "traffic/parties.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { FIRST_CAPACITY = 64, NAME_MOST = UINT16_MAX };

struct parties {
    struct hash_key key;
    struct party *items; /* the first one is not used */
    uint32_t capacity;
    uint32_t end;
    uint32_t free;   /* a number to be given again, linked by next_idle; PARTY_NONE: none */
    uint32_t idle;   /* the parties that nobody held at some time */
    uint32_t *slots; /* numbers; twice the capacity */
};

struct parties *parties_new(void)
{
    struct parties *parties = calloc(1, sizeof *parties);

    if (parties == NULL)
        return NULL;
    *parties = (struct parties){.key = hash_key_random(), .capacity = FIRST_CAPACITY, .end = 1};
    parties->items = calloc(FIRST_CAPACITY, sizeof *parties->items);
    parties->slots = calloc((size_t)2 * FIRST_CAPACITY, sizeof *parties->slots);
    if (parties->items != NULL && parties->slots != NULL)
        return parties;
    parties_free(parties);
    return NULL;
}

void parties_free(struct parties *parties)
{
    if (parties == NULL)
        return;
    for (uint32_t i = 1; parties->items != NULL && i < parties->end; i++)
        free((char *)parties->items[i].space);
    free(parties->items);
    free(parties->slots);
    free(parties);
}

/* ---- finding ---- */

/* A text that is empty may be NULL. */
static uint64_t hash_text(const struct parties *parties, const char *text, size_t length)
{
    return hash_octets(&parties->key, text, length);
}

static uint64_t hash_party(const struct parties *parties, const struct party_key *key)
{
    uint64_t space = hash_text(parties, key->space, key->space_length);
    uint64_t name = hash_text(parties, key->name, key->name_length);

    return hash_mix(space + (uint64_t)key->kind, name ^ parties->key.second);
}

static bool is_party(const struct party *party, const struct party_key *key, uint64_t hash)
{
    return party->hash == hash && party->kind == key->kind &&
           party->space_length == key->space_length && party->name_length == key->name_length &&
           (key->space_length == 0 || memcmp(party->space, key->space, key->space_length) == 0) &&
           (key->name_length == 0 || memcmp(party->name, key->name, key->name_length) == 0);
}

/* The slot that has the party, or an empty one. Half of the slots are empty, so there is one. */
static uint32_t find_slot(const struct parties *parties, const struct party_key *key, uint64_t hash)
{
    uint32_t mask = 2 * parties->capacity - 1;
    uint32_t slot = (uint32_t)hash & mask;

    while (parties->slots[slot] != PARTY_NONE &&
           !is_party(&parties->items[parties->slots[slot]], key, hash))
        slot = (slot + 1) & mask;
    return slot;
}

uint32_t parties_find(const struct parties *parties, const struct party_key *key)
{
    return parties->slots[find_slot(parties, key, hash_party(parties, key))];
}

/* ---- adding ---- */

static void fill_slots(struct parties *parties)
{
    uint32_t mask = 2 * parties->capacity - 1;

    for (uint32_t i = 1; i < parties->end; i++) {
        if (parties->items[i].space == NULL)
            continue;
        uint32_t slot = (uint32_t)parties->items[i].hash & mask;
        while (parties->slots[slot] != PARTY_NONE)
            slot = (slot + 1) & mask;
        parties->slots[slot] = i;
    }
}

static bool grow(struct parties *parties)
{
    size_t wider = 2 * (size_t)parties->capacity;

    if (wider > PARTIES_MOST)
        return false;
    uint32_t *slots = calloc(2 * wider, sizeof *slots);
    struct party *items =
        slots == NULL ? NULL : realloc(parties->items, wider * sizeof *parties->items);
    if (items == NULL) {
        free(slots);
        return false;
    }
    free(parties->slots);
    parties->slots = slots;
    parties->items = items;
    parties->capacity = (uint32_t)wider;
    fill_slots(parties);
    return true;
}

static char *copy_names(const struct party_key *key)
{
    char *text = malloc(key->space_length + key->name_length + 2);

    if (text == NULL)
        return NULL;
    memcpy(text, key->space_length == 0 ? "" : key->space, key->space_length);
    text[key->space_length] = '\0';
    char *name = text + key->space_length + 1;
    memcpy(name, key->name_length == 0 ? "" : key->name, key->name_length);
    name[key->name_length] = '\0';
    return text;
}

static void mark_idle(struct parties *parties, uint32_t number)
{
    struct party *party = &parties->items[number];

    if (party->is_idle)
        return;
    party->is_idle = true;
    party->next_idle = parties->idle;
    parties->idle = number;
}

static uint32_t take_number(struct parties *parties)
{
    uint32_t number = parties->free;

    if (number != PARTY_NONE) {
        parties->free = parties->items[number].next_idle;
        return number;
    }
    if (parties->end == parties->capacity && !grow(parties))
        return PARTY_NONE;
    return parties->end++;
}

uint32_t parties_add(struct parties *parties, const struct party_key *key)
{
    uint64_t hash = hash_party(parties, key);
    uint32_t found = parties->slots[find_slot(parties, key, hash)];

    if (found != PARTY_NONE || key->space_length > NAME_MOST || key->name_length > NAME_MOST)
        return found;
    char *text = copy_names(key);
    uint32_t number = text == NULL ? PARTY_NONE : take_number(parties);
    if (number == PARTY_NONE) {
        free(text);
        return PARTY_NONE;
    }
    parties->items[number] = (struct party){.space = text,
                                            .name = text + key->space_length + 1,
                                            .space_length = (uint16_t)key->space_length,
                                            .name_length = (uint16_t)key->name_length,
                                            .kind = (uint8_t)key->kind,
                                            .hash = hash};
    parties->slots[find_slot(parties, key, hash)] = number; /* sought again: it may have grown */
    mark_idle(parties, number);
    return number;
}

const struct party *parties_at(const struct parties *parties, uint32_t number)
{
    assert(number != PARTY_NONE && number < parties->end);
    return &parties->items[number];
}

uint32_t parties_end(const struct parties *parties)
{
    return parties->end;
}

/* ---- forgetting ---- */

void parties_hold(struct parties *parties, uint32_t number)
{
    if (number != PARTY_NONE)
        parties->items[number].holds++;
}

void parties_release(struct parties *parties, uint32_t number)
{
    if (number == PARTY_NONE)
        return;
    assert(parties->items[number].holds > 0);
    if (--parties->items[number].holds == 0)
        mark_idle(parties, number);
}

/* Empties the slot of a party, and moves those behind it that it has kept from their home. */
static void leave_slot(struct parties *parties, uint32_t number)
{
    uint32_t mask = 2 * parties->capacity - 1;
    uint32_t hole = (uint32_t)parties->items[number].hash & mask;

    while (parties->slots[hole] != number)
        hole = (hole + 1) & mask;
    for (uint32_t next = (hole + 1) & mask; parties->slots[next] != PARTY_NONE;
         next = (next + 1) & mask) {
        uint32_t home = (uint32_t)parties->items[parties->slots[next]].hash & mask;
        if (((next - home) & mask) < ((next - hole) & mask))
            continue;
        parties->slots[hole] = parties->slots[next];
        hole = next;
    }
    parties->slots[hole] = PARTY_NONE;
}

void parties_collect(struct parties *parties)
{
    uint32_t number = parties->idle;

    parties->idle = PARTY_NONE;
    while (number != PARTY_NONE) {
        struct party *party = &parties->items[number];
        uint32_t next = party->next_idle;
        party->is_idle = false;
        if (party->holds == 0) {
            leave_slot(parties, number);
            free((char *)party->space);
            *party = (struct party){.next_idle = parties->free};
            parties->free = number;
        }
        number = next;
    }
}

const char *party_kind_text(enum party_kind kind)
{
    static const char *const kinds[PARTY_KINDS] = {
        [PARTY_OUTSIDE] = "outside", [PARTY_SPACE] = "space", [PARTY_PEERING] = "peering",
        [PARTY_VPN] = "vpn",         [PARTY_APP] = "app",     [PARTY_WORD] = "word",
    };

    return kinds[kind];
}
