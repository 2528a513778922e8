#include "yaml/yaml_marks.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <yaml.h>

enum { MARK_OCTETS = 3 };

struct marking {
    struct arena *arena;
    const char *text;
    size_t length;
    uint32_t *offsets; /* of each character; NULL when every character is an octet */
    size_t characters;
    struct yaml_mark *open[YAML_DEPTH_MAX + 1];
    unsigned depth;
    struct yaml_mark *root;
    struct err *err;
};

static bool fail_without_memory(struct marking *marking)
{
    return err_set(marking->err, ERR_MEMORY, "out of memory");
}

static bool is_continuation(char octet)
{
    return ((unsigned char)octet & 0xC0) == 0x80;
}

/* libyaml counts characters. */
static bool count_characters(struct marking *marking)
{
    for (size_t i = 0; i < marking->length; i++)
        marking->characters += !is_continuation(marking->text[i]);
    if (marking->characters == marking->length)
        return true;
    marking->offsets = arena_take(marking->arena, (marking->characters + 1) * sizeof(uint32_t));
    if (marking->offsets == NULL)
        return fail_without_memory(marking);
    size_t character = 0;
    for (size_t i = 0; i < marking->length; i++)
        if (!is_continuation(marking->text[i]))
            marking->offsets[character++] = (uint32_t)i;
    marking->offsets[character] = (uint32_t)marking->length;
    return true;
}

static size_t offset_of(const struct marking *marking, yaml_mark_t mark)
{
    size_t index = mark.index < marking->characters ? mark.index : marking->characters;

    return marking->offsets == NULL ? index : marking->offsets[index];
}

static struct yaml_mark *add(struct marking *marking, const yaml_event_t *event)
{
    struct yaml_mark *node = arena_take(marking->arena, sizeof *node);
    struct yaml_mark *parent = marking->depth == 0 ? NULL : marking->open[marking->depth - 1];

    if (node == NULL) {
        fail_without_memory(marking);
        return NULL;
    }
    node->start = offset_of(marking, event->start_mark);
    node->end = offset_of(marking, event->end_mark);
    node->before = parent == NULL ? NULL : parent->last;
    if (node->before != NULL)
        node->before->next = node;
    else if (parent != NULL)
        parent->first = node;
    else
        marking->root = node;
    if (parent != NULL)
        parent->last = node;
    return node;
}

static bool is_blank(char octet)
{
    return octet == ' ' || octet == '\t' || octet == '\n' || octet == '\r';
}

static bool add_scalar(struct marking *marking, const yaml_event_t *event)
{
    struct yaml_mark *node = add(marking, event);

    if (node == NULL)
        return false;
    node->kind = YAML_SCALAR;
    node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    /* A block scalar's mark ends on a later line. */
    while (node->end > node->start && is_blank(marking->text[node->end - 1]))
        node->end--;
    node->text = arena_text(marking->arena, event->data.scalar.value, event->data.scalar.length);
    return node->text != NULL || fail_without_memory(marking);
}

static bool open_collection(struct marking *marking, const yaml_event_t *event)
{
    struct yaml_mark *node = add(marking, event);

    if (node == NULL)
        return false;
    bool is_sequence = event->type == YAML_SEQUENCE_START_EVENT;
    node->kind = is_sequence ? YAML_SEQUENCE : YAML_MAPPING;
    node->is_flow = is_sequence ? event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE
                                : event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
    if (marking->depth > YAML_DEPTH_MAX)
        return err_set(marking->err, ERR_LIMIT, "lists and mappings nested deeper than %d",
                       YAML_DEPTH_MAX);
    marking->open[marking->depth++] = node;
    return true;
}

static void close_collection(struct marking *marking, const yaml_event_t *event)
{
    struct yaml_mark *node = marking->open[--marking->depth];

    assert(node != NULL);
    if (node->is_flow)
        node->end = offset_of(marking, event->end_mark);
    else if (node->last != NULL)
        node->end = node->last->end;
    /* A key without a value may end after it. */
    if (!node->is_flow && node->last != NULL && node->last->before != NULL &&
        node->last->before->end > node->end)
        node->end = node->last->before->end;
}

static bool refuse_properties(struct marking *marking, const void *anchor, const void *tag)
{
    if (anchor == NULL && tag == NULL)
        return true;
    return err_set(marking->err, ERR_SYNTAX, "anchors (&name) and tags (!name) are not allowed");
}

static bool take(struct marking *marking, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return err_set(marking->err, ERR_SYNTAX, "aliases (*name) are not allowed");
    case YAML_SCALAR_EVENT:
        return refuse_properties(marking, event->data.scalar.anchor, event->data.scalar.tag) &&
               add_scalar(marking, event);
    case YAML_SEQUENCE_START_EVENT:
        return refuse_properties(marking, event->data.sequence_start.anchor,
                                 event->data.sequence_start.tag) &&
               open_collection(marking, event);
    case YAML_MAPPING_START_EVENT:
        return refuse_properties(marking, event->data.mapping_start.anchor,
                                 event->data.mapping_start.tag) &&
               open_collection(marking, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        close_collection(marking, event);
        return true;
    case YAML_DOCUMENT_START_EVENT:
        return marking->root == NULL ||
               err_set(marking->err, ERR_SYNTAX, "a second document begins in the file");
    default: /* libyaml: yaml_event_type_t */
        return true;
    }
}

static bool read_events(struct marking *marking, yaml_parser_t *parser)
{
    bool is_going_on = true;

    while (is_going_on) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return err_set(marking->err, ERR_SYNTAX, "line %zu is no YAML: %s",
                           parser->problem_mark.line + 1,
                           parser->problem == NULL ? "it cannot be read" : parser->problem);
        bool is_end = event.type == YAML_STREAM_END_EVENT;
        bool is_taken = take(marking, &event);
        yaml_event_delete(&event);
        if (!is_taken)
            return false;
        is_going_on = !is_end;
    }
    return true;
}

/* The byte order mark is not part of the text. */
static void shift(struct yaml_mark *node, size_t octets)
{
    for (; node != NULL; node = node->next) {
        node->start += octets;
        node->end += octets;
        shift(node->first, octets); /* at most YAML_DEPTH_MAX deep */
    }
}

struct yaml_mark *yaml_marks_read(struct arena *arena, const char *text, size_t length,
                                  struct err *err)
{
    size_t skipped =
        length >= MARK_OCTETS && memcmp(text, "\xEF\xBB\xBF", MARK_OCTETS) == 0 ? MARK_OCTETS : 0;
    struct marking marking = {
        .arena = arena, .text = text + skipped, .length = length - skipped, .err = err};
    yaml_parser_t parser;

    if (length > YAML_FILE_MAX) {
        err_set(err, ERR_LIMIT, "a file of %zu octets; at most %d are allowed", length,
                YAML_FILE_MAX);
        return NULL;
    }
    if (!count_characters(&marking))
        return NULL;
    if (!yaml_parser_initialize(&parser)) {
        fail_without_memory(&marking);
        return NULL;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)marking.text, marking.length);
    bool is_read = read_events(&marking, &parser);
    yaml_parser_delete(&parser);
    if (!is_read)
        return NULL;
    if (marking.root == NULL || marking.root->kind != YAML_MAPPING) {
        err_set(err, ERR_SYNTAX, "the file does not hold `key: value` lines");
        return NULL;
    }
    shift(marking.root, skipped);
    return marking.root;
}

struct yaml_mark *yaml_marks_find(const struct yaml_mark *mapping, const char *key)
{
    struct yaml_mark *node = mapping->kind == YAML_MAPPING ? mapping->first : NULL;

    while (node != NULL && node->next != NULL) {
        if (node->kind == YAML_SCALAR && strcmp(node->text, key) == 0)
            return node;
        node = node->next->next;
    }
    return NULL;
}

bool yaml_marks_is_null(const struct yaml_mark *node)
{
    return node->kind == YAML_SCALAR && node->is_plain &&
           (node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
            strcmp(node->text, "null") == 0);
}
