#pragma once
/**
 * Reads YAML values into members of the model, as the tables of parse.c direct. A part of parse.
 *
 * A table line names a key, one of the read functions below, and the offset of the member in the
 * target struct:
 *
 *     {"region", field_read_word, offsetof(struct space, region), NULL, false},
 *
 * Each read function checks only the kind and range of a value and reports faults at its location.
 * The member then keeps its previous value (zero, or a default).
 *
 * Lists grow on a stack that all nested lists share. Inner lists are complete before the item
 * around them is. So each list is popped off the stack and copied once, in its exact size, to the
 * arena.
 *
 * Threads: one `struct parsing` per thread.  Memory: the arena of the model.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "findings/report.h"
#include "space/model.h"
#include "yaml/yaml.h"

struct table;

/** The state of the read functions; their `context`. */
struct parsing {
    struct arena *arena;
    struct report *report;
    const char *file;
    struct yaml_reader *yaml;
    const struct table *table; /* of the mapping being read */
    unsigned char *stack;
    size_t stack_used;
    size_t stack_size;
    bool is_out_of_memory;
};

/** The keys of one kind of mapping. */
struct table {
    const char *owner; /* in messages: "an app" */
    const char *where; /* in hints: where such keys belong */
    struct yaml_fields fields;
};

/** Reads one item of a list; see struct items_details. */
typedef bool items_read(struct parsing *parsing, const struct yaml_field *field,
                        const struct yaml_node *key, const struct yaml_node *value, void *item);

/* For tables: an array and its length. */
#define FIELDS(array)                                                                              \
    {                                                                                              \
        (array), sizeof(array) / sizeof((array)[0]), NULL                                          \
    }
#define WORDS(array)                                                                               \
    {                                                                                              \
        (array), sizeof(array) / sizeof((array)[0])                                                \
    }

/** All tables, ended by NULL, to find where a misplaced key belongs. In parse.c. */
extern const struct table *const space_tables[];

/** Of parse.c. */
extern const struct table space_table, ttl_table;

/** Of parse_app.c. */
extern const struct table app_table, domain_table, formation_table, dyno_table, port_table;
items_read app_read_item;

/** Of parse_network.c. */
extern const struct table dyno_cidr_table, router_table, peering_table, vpn_table, tunnel_table;
items_read dyno_cidr_read_item, router_read_item, listen_read_item, peering_read_item,
    vpn_read_item;

enum { NO_OFFSET = -1 };

/** Details of field_read_enum. The member is an enum whose values count from 0 as the words. */
struct enum_words {
    const char *const *items;
    size_t count;
};

/** Details of field_read_number. The member is a uint32_t. */
struct number_details {
    uint32_t least;
    uint32_t most;
    enum finding_code code;
    int at_offset; /* of the member for the location, or NO_OFFSET */
};

/** Details of field_read_address. The member is a uint32_t; 0.0.0.0 is refused. */
struct address_details {
    enum finding_code code;
    int at_offset;
};

/** Details of field_read_bool; NULL if no location is kept. */
struct bool_details {
    int at_offset;
};

/**
 * Details of field_read_items: a YAML sequence, or a mapping with free keys, that becomes an array
 * of ITEMS_MAX at most.
 */
struct items_details {
    enum yaml_kind kind;
    size_t size; /* of an item, at most ITEM_SIZE_MAX */
    /* Reads one into the zeroed `item`; `key` is NULL in a sequence. False omits the item. */
    items_read *read;
    size_t count_offset;    /* of the size_t member for the count */
    int at_offset;          /* of the member for the collection's location, or NO_OFFSET */
    enum finding_code code; /* for blocks that cannot be read */
    /* For the schema (schema.h): the table of `read`, NULL if items are not mappings ... */
    const struct table *table;
    bool takes_first; /* ... and whether the first field's value alone is allowed */
};

enum { ITEM_SIZE_MAX = 512, ITEMS_MAX = 100000 };

struct location location_of_node(const struct yaml_node *node);

/**
 * Stops reading if the report is full or memory ran out, and reports that at the location reached.
 * Called for everything that a file may contain in any number: items of lists, unknown and
 * duplicate keys.
 */
void parsing_stop_when_full(struct parsing *parsing, struct location at);

/** Copies a text to the arena; sets parsing->is_out_of_memory on failure. */
const char *parsing_keep(struct parsing *parsing, const char *text, size_t length);

/**
 * Reads a mapping by its table, and reports missing required fields at the mapping's location.
 * Reports a value of another kind and returns false.
 */
bool parsing_read_mapping(struct parsing *parsing, const struct yaml_node *value,
                          const struct table *table, void *target);

/** Reports a value of the wrong kind or form: "`key` must be …, found …". */
void parsing_reject(struct parsing *parsing, const char *key, const struct yaml_node *value,
                    const char *expected);

/** Read functions for tables; `context` is a struct parsing. */

/** struct word; null means absent, unless the field is required. */
yaml_read_field field_read_word;

/** struct word with a host name: lower case, without trailing dot. */
yaml_read_field field_read_hostname;

/** bool: `true` or `false` without quotes. */
yaml_read_field field_read_bool;

yaml_read_field field_read_enum;

/** Like field_read_enum, for members that are not enums; details: struct enum_words. */
yaml_read_field domain_read_record, domain_read_status, tunnel_read_status, space_read_affinity;

/** The mapping `ttl`, whose members are the space's; details: its struct table. */
yaml_read_field space_read_ttl;

yaml_read_field field_read_number;
yaml_read_field field_read_address;

/** struct block; details: the enum finding_code of unreadable blocks. */
yaml_read_field field_read_block;

/** A pointer to the first item, and the count; null is an empty list. */
yaml_read_field field_read_items;

/** Reads an item of a struct blocks or of an array of struct block. */
items_read block_read_item;

/** Reads an enum's word, for members that are not enums. Reports other words and returns false. */
bool parsing_read_enum(struct parsing *parsing, const struct yaml_field *field,
                       const struct yaml_node *value, const struct enum_words *words,
                       unsigned *out);
