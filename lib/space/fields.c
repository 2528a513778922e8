#include "space/fields.h"

#include <assert.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "base/text.h"
#include "space/keys.h"

enum { FIELDS_MAX = 64 };

static void *member(void *target, size_t offset)
{
    return (unsigned char *)target + offset;
}

static void keep_place(void *target, int at_offset, const struct yaml_node *value)
{
    if (at_offset != NO_OFFSET)
        *(struct location *)member(target, (size_t)at_offset) = location_of_node(value);
}

struct location location_of_node(const struct yaml_node *node)
{
    return location_at(node->at.line, node->at.column);
}

void parsing_stop_when_full(struct parsing *parsing, struct location at)
{
    if (yaml_failed(parsing->yaml))
        return;
    if (parsing->is_out_of_memory)
        yaml_stop(parsing->yaml);
    if (!report_is_full(parsing->report))
        return;
    yaml_stop(parsing->yaml);
    report_add(parsing->report, FINDING_LIMIT, parsing->file, at,
               "the file has %zu errors up to here, and the rest was not read; correct what they "
               "have in common",
               report_count(parsing->report, FINDING_ERROR));
}

const char *parsing_keep(struct parsing *parsing, const char *text, size_t length)
{
    const char *kept = arena_text(parsing->arena, text, length);

    if (kept == NULL)
        parsing->is_out_of_memory = true;
    return kept;
}

void parsing_reject(struct parsing *parsing, const char *key, const struct yaml_node *value,
                    const char *expected)
{
    struct location at = location_of_node(value);

    if (!yaml_pass_over(parsing->yaml, value))
        return; /* a fault of the YAML itself is reported already */
    if (value->kind != YAML_SCALAR)
        report_add(parsing->report, FINDING_TYPE, parsing->file, at, "`%.80s` must be %s, found %s",
                   key, expected, yaml_kind_name(value->kind));
    else if (yaml_is_null(value))
        report_add(parsing->report, FINDING_TYPE, parsing->file, at,
                   "`%.80s` must be %s, found nothing; give a value or remove the key", key,
                   expected);
    else
        report_add(parsing->report, FINDING_TYPE, parsing->file, at,
                   "`%.80s` must be %s, found `%.80s`%s", key, expected, value->text,
                   value->is_plain ? "" : " in quotes");
}

/* Returns the table that has the key, or NULL. */
static const struct table *table_with(const char *key)
{
    for (size_t i = 0; space_tables[i] != NULL; i++)
        for (size_t j = 0; j < space_tables[i]->fields.count; j++)
            if (strcmp(space_tables[i]->fields.items[j].name, key) == 0)
                return space_tables[i];
    return NULL;
}

static bool is_plural_of(const char *name, const char *key)
{
    size_t length = strlen(key);

    return strncmp(name, key, length) == 0 && strcmp(name + length, "s") == 0;
}

/* The part of a key that people remember: `ip` of `private_ip`, `cidr` of `cidr_blocks`. */
static bool is_part_of(const char *name, const char *key)
{
    size_t length = strlen(name), part = strlen(key);

    return part > 1 && part < length &&
           (strcmp(name + length - part, key) == 0 ||
            (strncmp(name, key, part) == 0 && name[part] == '_'));
}

static const char *suggest_key(const struct table *table, const char *key)
{
    const char *names[FIELDS_MAX];
    size_t count = table->fields.count;

    for (size_t i = 0; i < count; i++)
        names[i] = table->fields.items[i].name;
    for (size_t i = 0; i < count; i++)
        if (is_plural_of(names[i], key))
            return names[i];
    for (size_t i = 0; i < count; i++)
        if (is_part_of(names[i], key))
            return names[i];
    return suggest_among(key, names, count);
}

/* "`x` is not a key of …; did you mean `y` (what it is)?" */
static void report_suggestion(struct parsing *parsing, const struct yaml_node *key,
                              const char *suggestion)
{
    const struct key_text *words = key_text_find(parsing->table, suggestion);

    assert(words != NULL); /* see keys.h */
    report_add(parsing->report, FINDING_UNKNOWN_KEY, parsing->file, location_of_node(key),
               "`%.80s` is not a key of %s; did you mean `%s` (%.*s)?", key->text,
               parsing->table->owner, suggestion, (int)strcspn(words->help, ";"), words->help);
}

static void reject_key(void *context, const struct yaml_node *key, const struct yaml_node *value)
{
    struct parsing *parsing = context;
    const struct table *table = parsing->table;
    struct location at = location_of_node(key);
    const struct table *other = table_with(key->text);
    const char *suggestion = suggest_key(table, key->text);

    (void)value;
    if (strcmp(key->text, "pre_shared_key") == 0)
        report_add(parsing->report, FINDING_SECRET, parsing->file, at,
                   "`pre_shared_key` is a secret and not needed for DNS; remove it and, if others "
                   "could read this file, replace the key");
    else if (suggestion != NULL)
        report_suggestion(parsing, key, suggestion);
    else if (other != NULL)
        report_add(parsing->report, FINDING_UNKNOWN_KEY, parsing->file, at,
                   "`%.80s` is not a key of %s, it belongs to %s; move it %s", key->text,
                   table->owner, other->owner, other->where);
    else
        report_add(parsing->report, FINDING_UNKNOWN_KEY, parsing->file, at,
                   "`%.80s` is not a key of %s; spacedns-zones(5) lists the keys", key->text,
                   table->owner);
    parsing_stop_when_full(parsing, at);
}

static void report_missing(struct parsing *parsing, const struct yaml_node *mapping,
                           const struct table *table, uint64_t present)
{
    for (size_t i = 0; i < table->fields.count; i++)
        if (table->fields.items[i].is_required && (present >> i & 1) == 0)
            report_add(parsing->report, FINDING_MISSING, parsing->file, location_of_node(mapping),
                       "`%s` is missing; %s needs it", table->fields.items[i].name, table->owner);
}

bool parsing_read_mapping(struct parsing *parsing, const struct yaml_node *value,
                          const struct table *table, void *target)
{
    struct yaml_fields fields = table->fields;
    const struct table *outer = parsing->table;

    if (value->kind != YAML_MAPPING && !yaml_pass_over(parsing->yaml, value))
        return false;
    if (value->kind != YAML_MAPPING) {
        report_add(parsing->report, FINDING_TYPE, parsing->file, location_of_node(value),
                   "%s must be a mapping of `key: value` pairs, found %s", table->owner,
                   yaml_kind_name(value->kind));
        return false;
    }
    fields.on_unknown = reject_key;
    parsing->table = table;
    uint64_t present = yaml_read_fields(parsing->yaml, value, &fields, parsing, target);
    parsing->table = outer;
    if (!yaml_failed(parsing->yaml))
        report_missing(parsing, value, table, present);
    return true;
}

void field_read_word(void *context, const struct yaml_field *field, const struct yaml_node *value,
                     void *target)
{
    struct parsing *parsing = context;
    struct word *word = member(target, field->offset);
    bool is_null = yaml_is_null(value);

    if (is_null && !field->is_required)
        return;
    if (value->kind != YAML_SCALAR || is_null || value->length == 0) {
        parsing_reject(parsing, field->name, value, "a text");
        return;
    }
    word->text = parsing_keep(parsing, value->text, value->length);
    word->at = location_of_node(value);
}

void field_read_hostname(void *context, const struct yaml_field *field,
                         const struct yaml_node *value, void *target)
{
    struct parsing *parsing = context;
    struct word *word = member(target, field->offset);
    char folded[YAML_SCALAR_MAX];

    if (value->kind != YAML_SCALAR || yaml_is_null(value) || value->length == 0) {
        field_read_word(context, field, value, target);
        return;
    }
    size_t length = value->length;
    if (length > 1 && value->text[length - 1] == '.')
        length--;
    for (size_t i = 0; i < length; i++) {
        char octet = value->text[i];
        folded[i] = octet >= 'A' && octet <= 'Z' ? (char)(octet - 'A' + 'a') : octet;
    }
    word->text = parsing_keep(parsing, folded, length);
    word->at = location_of_node(value);
}

void field_read_bool(void *context, const struct yaml_field *field, const struct yaml_node *value,
                     void *target)
{
    const struct bool_details *details = field->details;

    if (details != NULL)
        keep_place(target, details->at_offset, value);
    if (!yaml_read_bool(value, member(target, field->offset)))
        parsing_reject(context, field->name, value, "true or false, without quotes");
}

bool parsing_read_enum(struct parsing *parsing, const struct yaml_field *field,
                       const struct yaml_node *value, const struct enum_words *words, unsigned *out)
{
    char listed[256] = "";
    struct text list = text_over(listed, sizeof listed - 1);

    if (value->kind != YAML_SCALAR || yaml_is_null(value)) {
        parsing_reject(parsing, field->name, value, "a word");
        return false;
    }
    for (size_t i = 0; i < words->count; i++) {
        if (strcmp(value->text, words->items[i]) == 0) {
            *out = (unsigned)i;
            return true;
        }
    }
    const char *suggestion = suggest_among(value->text, words->items, words->count);
    text_add_words(&list, words->items, words->count);
    report_add(parsing->report, FINDING_ENUM, parsing->file, location_of_node(value),
               "`%s` is `%.80s`, but must be %s%s%s%s", field->name, value->text, listed,
               suggestion == NULL ? "" : "; did you mean `", suggestion == NULL ? "" : suggestion,
               suggestion == NULL ? "" : "`?");
    return false;
}

void field_read_enum(void *context, const struct yaml_field *field, const struct yaml_node *value,
                     void *target)
{
    unsigned read;

    if (parsing_read_enum(context, field, value, field->details, &read))
        memcpy(member(target, field->offset), &read, sizeof read);
}

void field_read_number(void *context, const struct yaml_field *field, const struct yaml_node *value,
                       void *target)
{
    struct parsing *parsing = context;
    const struct number_details *details = field->details;
    uint32_t read;

    keep_place(target, details->at_offset, value);
    if (value->kind != YAML_SCALAR || yaml_is_null(value)) {
        parsing_reject(parsing, field->name, value, "a number");
        return;
    }
    if (!yaml_read_number(value, &read) || read < details->least || read > details->most) {
        report_add(parsing->report, details->code, parsing->file, location_of_node(value),
                   "`%s` is `%.80s`%s, but must be a number from %u to %u, without quotes and "
                   "leading zeros",
                   field->name, value->text, value->is_plain ? "" : " in quotes",
                   (unsigned)details->least, (unsigned)details->most);
        return;
    }
    *(uint32_t *)member(target, field->offset) = read;
}

void field_read_address(void *context, const struct yaml_field *field,
                        const struct yaml_node *value, void *target)
{
    struct parsing *parsing = context;
    const struct address_details *details = field->details;

    uint32_t read = 0;

    keep_place(target, details->at_offset, value);
    if (value->kind != YAML_SCALAR || yaml_is_null(value))
        parsing_reject(parsing, field->name, value, "an IPv4 address");
    else if (ipv4_read(value->text, &read) && read != 0)
        *(uint32_t *)member(target, field->offset) = read;
    else
        report_add(parsing->report, details->code, parsing->file, location_of_node(value),
                   "`%s` is `%.80s`, but must be an IPv4 address such as 10.0.0.37", field->name,
                   value->text);
}

/* The length of the block that an address without one most likely means: zeros at its end. */
static uint8_t likely_bits(uint32_t address, enum finding_code code)
{
    if (code == FINDING_SPACE_CIDR)
        return 16;
    for (uint8_t bits = 8; bits < 32; bits = (uint8_t)(bits + 8))
        if (address << bits == 0)
            return bits;
    return 32;
}

static void reject_block(struct parsing *parsing, const struct yaml_field *field,
                         const struct yaml_node *value, enum finding_code code)
{
    char likely[CIDR_TEXT_MAX];
    uint32_t address;

    if (!ipv4_read(value->text, &address)) {
        report_add(parsing->report, code, parsing->file, location_of_node(value),
                   "`%s` is `%.80s`, but must be a CIDR block; write it as 10.0.0.0/16 is written",
                   field->name, value->text);
        return;
    }
    struct cidr cidr = {.address = address, .bits = likely_bits(address, code)};
    cidr.address = cidr_first(cidr);
    cidr_write(cidr, likely);
    if (code == FINDING_SPACE_CIDR)
        report_add(parsing->report, code, parsing->file, location_of_node(value),
                   "`%s` is `%.80s`, but must be a CIDR block, and a space has a /16; write %s",
                   field->name, value->text, likely);
    else if (cidr.bits < 32)
        report_add(parsing->report, code, parsing->file, location_of_node(value),
                   "`%s` is `%.80s`, but must be a CIDR block; write %s, or %s/32 for one address",
                   field->name, value->text, likely, value->text);
    else
        report_add(parsing->report, code, parsing->file, location_of_node(value),
                   "`%s` is `%.80s`, but must be a CIDR block; write %s for one address",
                   field->name, value->text, likely);
}

/* Reads a block; reports host bits and clears them. */
static bool read_block(struct parsing *parsing, const struct yaml_field *field,
                       const struct yaml_node *value, enum finding_code code, struct block *block)
{
    char right[CIDR_TEXT_MAX];
    struct cidr cidr;

    if (value->kind != YAML_SCALAR || yaml_is_null(value)) {
        parsing_reject(parsing, field->name, value, "a CIDR block such as 10.0.0.0/16");
        return false;
    }
    if (!cidr_read(value->text, &cidr)) {
        reject_block(parsing, field, value, code);
        return false;
    }
    if (cidr_first(cidr) != cidr.address) {
        cidr.address = cidr_first(cidr);
        cidr_write(cidr, right);
        report_add(parsing->report, code, parsing->file, location_of_node(value),
                   "`%s` is `%.80s`, which has host bits set; write %s", field->name, value->text,
                   right);
    }
    block->cidr = cidr;
    block->at = location_of_node(value);
    return true;
}

void field_read_block(void *context, const struct yaml_field *field, const struct yaml_node *value,
                      void *target)
{
    const enum finding_code *code = field->details;
    struct block *block = member(target, field->offset);

    if (!read_block(context, field, value, *code, block)) {
        *block = (struct block){.at = location_of_node(value)};
    } else if (block->cidr.bits == 0) { /* the rules take it for a block that is not there */
        const struct parsing *parsing = context;
        report_add(parsing->report, *code, parsing->file, block->at,
                   "`%s` is `%.80s`, which is every address; write the space's own private block",
                   field->name, value->text);
    }
}

bool block_read_item(struct parsing *parsing, const struct yaml_field *field,
                     const struct yaml_node *key, const struct yaml_node *value, void *item)
{
    const struct items_details *details = field->details;

    (void)key;
    return read_block(parsing, field, value, details->code, item);
}

/* Pushes an item on the stack. Items are only copied from there, so alignment does not matter. */
static bool push(struct parsing *parsing, const void *item, size_t size)
{
    if (parsing->stack_size - parsing->stack_used < size) {
        size_t wider = parsing->stack_size == 0 ? 4096 : parsing->stack_size * 2;
        unsigned char *stack = realloc(parsing->stack, wider);
        if (stack == NULL)
            return false;
        parsing->stack = stack;
        parsing->stack_size = wider;
    }
    memcpy(parsing->stack + parsing->stack_used, item, size);
    parsing->stack_used += size;
    return true;
}

/* Moves the items above `bottom` from the stack to the arena. */
static void *pop(struct parsing *parsing, size_t bottom)
{
    size_t size = parsing->stack_used - bottom;
    void *items = size == 0 ? NULL : arena_take(parsing->arena, size);

    parsing->stack_used = bottom;
    if (items != NULL)
        memcpy(items, parsing->stack + bottom, size);
    else if (size > 0)
        parsing->is_out_of_memory = true;
    return items;
}

static bool next_entry(struct parsing *parsing, const struct yaml_node *items,
                       struct yaml_node *key, struct yaml_node *value)
{
    if (items->kind == YAML_MAPPING)
        return yaml_next_pair(parsing->yaml, items, key, value);
    return yaml_next_item(parsing->yaml, items, value);
}

/* Returns false for a list that is too long; its remaining items are skipped. */
static bool has_room(struct parsing *parsing, const struct yaml_field *field,
                     const struct yaml_node *list, size_t count)
{
    if (count < ITEMS_MAX)
        return true;
    report_add(parsing->report, FINDING_LIMIT, parsing->file, location_of_node(list),
               "`%.80s` has more than %d items; split the space", field->name, ITEMS_MAX);
    return false;
}

void field_read_items(void *context, const struct yaml_field *field, const struct yaml_node *value,
                      void *target)
{
    struct parsing *parsing = context;
    const struct items_details *details = field->details;
    alignas(max_align_t) unsigned char item[ITEM_SIZE_MAX];
    struct yaml_node key;
    struct yaml_node entry;
    size_t bottom = parsing->stack_used;
    size_t count = 0;

    assert(details->size <= sizeof item);
    if (yaml_is_null(value))
        return;
    if (value->kind != details->kind) {
        parsing_reject(parsing, field->name, value, yaml_kind_name(details->kind));
        return;
    }
    keep_place(target, details->at_offset, value);
    while (has_room(parsing, field, value, count) && next_entry(parsing, value, &key, &entry)) {
        struct location at = location_of_node(&entry);
        memset(item, 0, details->size);
        bool is_kept =
            details->read(parsing, field, value->kind == YAML_MAPPING ? &key : NULL, &entry, item);
        if (is_kept && push(parsing, item, details->size))
            count++;
        else if (is_kept)
            parsing->is_out_of_memory = true;
        parsing_stop_when_full(parsing, at);
    }
    void *items = pop(parsing, bottom);
    memcpy(member(target, field->offset), &items, sizeof items);
    *(size_t *)member(target, details->count_offset) = items == NULL ? 0 : count;
}
