#include "yaml/yaml.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/hash.h"
#include "base/number.h"
#include "yaml/yaml_keys.h"

struct yaml_reader {
    yaml_parser_t parser;
    yaml_event_t key;
    yaml_event_t value;
    const char *text;
    size_t length;
    unsigned depth;
    bool failed;
    yaml_on_problem *on_problem;
    void *context;
    struct hash_key hash_key;
    struct yaml_keys keys;
    size_t keys_before[YAML_DEPTH_MAX + 1]; /* keys.count when the collection at this depth began */
};

static struct yaml_location location_of(yaml_mark_t mark)
{
    return (struct yaml_location){.line = (uint32_t)mark.line + 1,
                                  .column = (uint32_t)mark.column + 1};
}

static void report(const struct yaml_reader *reader, enum yaml_problem_kind kind,
                   struct yaml_location at, const char *text)
{
    struct yaml_problem problem = {.kind = kind, .at = at};

    snprintf(problem.text, sizeof problem.text, "%s", text);
    reader->on_problem(reader->context, &problem);
}

/* Reports a problem that ends the reading. */
static bool fail(struct yaml_reader *reader, enum yaml_problem_kind kind, struct yaml_location at,
                 const char *text)
{
    reader->failed = true;
    report(reader, kind, at, text);
    return false;
}

static bool fail_without_memory(struct yaml_reader *reader, struct yaml_location at)
{
    return fail(reader, YAML_NO_MEMORY, at, "out of memory");
}

struct yaml_reader *yaml_reader_new(const char *text, size_t length, yaml_on_problem *on_problem,
                                    void *context)
{
    struct yaml_reader *reader = calloc(1, sizeof *reader);

    if (reader == NULL)
        return NULL;
    if (!yaml_parser_initialize(&reader->parser)) {
        free(reader);
        return NULL;
    }
    if (!yaml_keys_init(&reader->keys)) {
        yaml_reader_free(reader);
        return NULL;
    }
    bool has_mark = length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0;
    reader->text = has_mark ? text + 3 : text;
    reader->length = has_mark ? length - 3 : length;
    reader->on_problem = on_problem;
    reader->context = context;
    reader->hash_key = hash_key_random();
    yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)reader->text,
                                 reader->length);
    return reader;
}

void yaml_reader_free(struct yaml_reader *reader)
{
    if (reader == NULL)
        return;
    yaml_event_delete(&reader->key);
    yaml_event_delete(&reader->value);
    yaml_parser_delete(&reader->parser);
    yaml_keys_close(&reader->keys);
    free(reader);
}

void yaml_stop(struct yaml_reader *reader)
{
    reader->failed = true;
}

bool yaml_failed(const struct yaml_reader *reader)
{
    return reader->failed;
}

static bool is_continuation(char octet)
{
    return ((unsigned char)octet & 0xC0) == 0x80;
}

/* libyaml reports the octet after the incomplete character; the character begins before it. */
static size_t broken_character(const struct yaml_reader *reader)
{
    size_t offset = reader->parser.problem_offset;
    const char *problem = reader->parser.problem;

    if (problem == NULL || strstr(problem, "trailing") == NULL || offset == 0 ||
        offset > reader->length)
        return offset;
    do
        offset--;
    while (offset > 0 && is_continuation(reader->text[offset]));
    return offset;
}

/* Converts an offset in octets, which is all that a reader error has, to line and column. */
static struct yaml_location location_at_offset(const struct yaml_reader *reader, size_t offset)
{
    struct yaml_location at = {.line = 1, .column = 1};

    if (offset > reader->length)
        offset = reader->length;
    for (size_t i = 0; i < offset; i++) {
        char octet = reader->text[i];
        bool is_pair = octet == '\r' && i + 1 < reader->length && reader->text[i + 1] == '\n';
        bool ends_line = octet == '\n' || (octet == '\r' && !is_pair);
        if (ends_line) {
            at.line++;
            at.column = 1;
        } else if (!is_continuation(octet)) {
            at.column++;
        }
    }
    return at;
}

/* The offset of a mark, at most the length; marks count characters. */
static size_t offset_of(const struct yaml_reader *reader, yaml_mark_t mark)
{
    size_t characters = 0;

    for (size_t i = 0; i < reader->length; i++)
        if (!is_continuation(reader->text[i]) && characters++ == mark.index)
            return i;
    return reader->length;
}

/* The most frequent cause of a syntax error, as a hint. */
static const char *hint_for(const struct yaml_reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    size_t offset = offset_of(reader, parser->problem_mark);
    char octet = offset < reader->length ? reader->text[offset] : '\0';

    if (parser->context != NULL && strstr(parser->context, "an alias") != NULL)
        return "; a text that begins with * needs quotes";
    if (parser->problem != NULL && strstr(parser->problem, "<document start>") != NULL)
        return "; nothing may follow a line `...` or the last closing brace";
    if (octet == '\t')
        return "; indent with spaces, not with a tab";
    if (octet == '@' || octet == '`' || octet == '%')
        return "; a text that begins with this character needs quotes";
    return "";
}

/* True when no more than blanks follow: what is still open there is worth a look where it begins.
 */
static bool is_at_end(const struct yaml_reader *reader, yaml_mark_t mark)
{
    for (size_t i = offset_of(reader, mark); i < reader->length; i++)
        if (strchr(" \t\r\n", reader->text[i]) == NULL)
            return false;
    return true;
}

static bool fail_syntax(struct yaml_reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem == NULL ? "cannot be read" : parser->problem;
    struct yaml_location at = location_of(parser->problem_mark);
    char text[YAML_PROBLEM_TEXT_MAX];

    if (parser->error == YAML_MEMORY_ERROR)
        return fail_without_memory(reader, at);
    if (parser->error == YAML_READER_ERROR) {
        snprintf(text, sizeof text, "%s; save the file as UTF-8 text", problem);
        return fail(reader, YAML_BAD_UTF8, location_at_offset(reader, broken_character(reader)),
                    text);
    }
    if (parser->context == NULL) {
        snprintf(text, sizeof text, "%s%s", problem, hint_for(reader));
    } else if (is_at_end(reader, parser->problem_mark)) {
        at = location_of(parser->context_mark);
        snprintf(text, sizeof text, "%s %s that starts here", problem, parser->context);
    } else {
        struct yaml_location start = location_of(parser->context_mark);
        snprintf(text, sizeof text, "%s %s that starts at %u:%u%s", problem, parser->context,
                 start.line, start.column, hint_for(reader));
    }
    return fail(reader, YAML_SYNTAX, at, text);
}

static bool check_scalar(struct yaml_reader *reader, const yaml_event_t *event)
{
    size_t length = event->data.scalar.length;
    struct yaml_location at = location_of(event->start_mark);
    char text[YAML_PROBLEM_TEXT_MAX];

    if (length > YAML_SCALAR_MAX) {
        snprintf(text, sizeof text, "a text of %zu octets; at most %d are allowed", length,
                 YAML_SCALAR_MAX);
        return fail(reader, YAML_TOO_LONG, at, text);
    }
    if (memchr(event->data.scalar.value, '\0', length) != NULL)
        return fail(reader, YAML_BAD_UTF8, at, "a text with a NUL octet in it; remove \\0");
    return true;
}

/* Anchors are reported before tags: they come first on most lines. */
static bool check_properties(struct yaml_reader *reader, struct yaml_location at,
                             const void *anchor, const void *tag)
{
    if (anchor != NULL)
        return fail(reader, YAML_ANCHOR, at,
                    "anchors (&name) are not allowed; write the value out where it is needed");
    if (tag != NULL)
        return fail(reader, YAML_TAG, at, "tags (!name) are not allowed; remove it");
    return true;
}

static bool go_deeper(struct yaml_reader *reader, struct yaml_location at)
{
    char text[YAML_PROBLEM_TEXT_MAX];

    if (reader->depth == YAML_DEPTH_MAX) {
        snprintf(text, sizeof text, "lists and mappings nested deeper than %d", YAML_DEPTH_MAX);
        return fail(reader, YAML_TOO_DEEP, at, text);
    }
    reader->depth++;
    reader->keys_before[reader->depth] = reader->keys.count;
    return true;
}

static void go_back(struct yaml_reader *reader)
{
    yaml_keys_cut(&reader->keys, reader->keys_before[reader->depth]);
    reader->depth--;
}

static bool check_document(struct yaml_reader *reader, const yaml_event_t *event)
{
    if (event->data.document_start.tag_directives.start !=
        event->data.document_start.tag_directives.end)
        return fail(reader, YAML_TAG, location_of(event->start_mark),
                    "tag directives (%TAG) are not allowed; remove it");
    return true;
}

static bool check_event(struct yaml_reader *reader, const yaml_event_t *event)
{
    struct yaml_location at = location_of(event->start_mark);

    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return fail(reader, YAML_ANCHOR, at,
                    "aliases (*name) are not allowed; write the value out, or quote a text that "
                    "begins with *");
    case YAML_SCALAR_EVENT:
        return check_properties(reader, at, event->data.scalar.anchor, event->data.scalar.tag) &&
               check_scalar(reader, event);
    case YAML_SEQUENCE_START_EVENT:
        return check_properties(reader, at, event->data.sequence_start.anchor,
                                event->data.sequence_start.tag) &&
               go_deeper(reader, at);
    case YAML_MAPPING_START_EVENT:
        return check_properties(reader, at, event->data.mapping_start.anchor,
                                event->data.mapping_start.tag) &&
               go_deeper(reader, at);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        go_back(reader);
        return true;
    case YAML_DOCUMENT_START_EVENT:
        return check_document(reader, event);
    default: /* libyaml: yaml_event_type_t */
        return true;
    }
}

/* Replaces *event by the next one. */
static bool pull(struct yaml_reader *reader, yaml_event_t *event)
{
    if (reader->failed)
        return false;
    yaml_event_delete(event);
    if (!yaml_parser_parse(&reader->parser, event))
        return fail_syntax(reader);
    return check_event(reader, event);
}

static struct yaml_node node_of(const struct yaml_reader *reader, const yaml_event_t *event)
{
    struct yaml_node node = {.at = location_of(event->start_mark), .depth = reader->depth};

    if (event->type == YAML_SCALAR_EVENT) {
        node.kind = YAML_SCALAR;
        node.depth = 0;
        node.is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        node.text = (const char *)event->data.scalar.value;
        node.length = event->data.scalar.length;
    } else {
        node.kind = event->type == YAML_MAPPING_START_EVENT ? YAML_MAPPING : YAML_SEQUENCE;
    }
    return node;
}

bool yaml_root(struct yaml_reader *reader, struct yaml_node *root)
{
    yaml_event_t *event = &reader->value;
    char text[YAML_PROBLEM_TEXT_MAX];

    if (reader->length > YAML_FILE_MAX) {
        snprintf(text, sizeof text, "a file of %zu octets; at most %d are allowed", reader->length,
                 YAML_FILE_MAX);
        return fail(reader, YAML_TOO_LARGE, (struct yaml_location){1, 1}, text);
    }
    if (!pull(reader, event) || !pull(reader, event)) /* the stream's start, then the document's */
        return false;
    if (event->type == YAML_STREAM_END_EVENT)
        return fail(reader, YAML_EMPTY, (struct yaml_location){1, 1}, "nothing is in the file");
    if (!pull(reader, event))
        return false;
    struct yaml_node node = node_of(reader, event);
    if (node.kind != YAML_MAPPING) {
        snprintf(text, sizeof text, "the file holds %s; it must hold `key: value` lines",
                 yaml_kind_name(node.kind));
        return fail(reader, YAML_WRONG_ROOT, node.at, text);
    }
    *root = node;
    return true;
}

/* Reads what follows the root: the document's end and the stream's. */
static void finish(struct yaml_reader *reader)
{
    yaml_event_t *event = &reader->value;

    if (!pull(reader, event) || !pull(reader, event))
        return;
    if (event->type != YAML_STREAM_END_EVENT)
        fail(reader, YAML_SECOND_DOCUMENT, location_of(event->start_mark),
             "a second document begins here; put it into a file of its own");
}

/* Skips what the caller left unread. Returns false when the collection was read to its end. */
static bool return_to(struct yaml_reader *reader, unsigned depth)
{
    while (reader->depth > depth)
        if (!pull(reader, &reader->value))
            return false;
    return reader->depth == depth;
}

/* Remembers a key. False when the mapping has it already, or after a problem. */
static bool add_key(struct yaml_reader *reader, const struct yaml_node *key)
{
    /* Keys are identified by 64 keyed bits, mixed with the depth, which identifies the mapping. */
    uint64_t hash = hash_octets(&reader->hash_key, key->text, key->length) ^
                    reader->depth * UINT64_C(0x9E3779B97F4A7C15);
    uint32_t line = yaml_keys_find(&reader->keys, hash);
    char text[YAML_PROBLEM_TEXT_MAX];

    if (line != 0) {
        snprintf(text, sizeof text, "key `%.80s` is already given on line %u; keep one of them",
                 key->text, line);
        report(reader, YAML_DUPLICATE_KEY, key->at, text);
        return false;
    }
    if (!yaml_keys_add(&reader->keys, hash, key->at.line))
        return fail_without_memory(reader, key->at);
    return true;
}

/* Reads the next key, or false at the mapping's end. */
static bool next_key(struct yaml_reader *reader, const struct yaml_node *mapping,
                     struct yaml_node *key)
{
    if (!return_to(reader, mapping->depth) || !pull(reader, &reader->key))
        return false;
    if (reader->key.type == YAML_MAPPING_END_EVENT) {
        if (reader->depth == 0)
            finish(reader);
        return false;
    }
    *key = node_of(reader, &reader->key);
    if (key->kind != YAML_SCALAR)
        return fail(reader, YAML_WRONG_KEY, key->at, "a key must be a text");
    return true;
}

bool yaml_next_pair(struct yaml_reader *reader, const struct yaml_node *mapping,
                    struct yaml_node *key, struct yaml_node *value)
{
    assert(mapping->kind == YAML_MAPPING);
    while (next_key(reader, mapping, key)) {
        bool is_new = add_key(reader, key);
        if (!pull(reader, &reader->value))
            return false;
        if (is_new) {
            *value = node_of(reader, &reader->value);
            return true;
        }
    }
    return false;
}

bool yaml_next_item(struct yaml_reader *reader, const struct yaml_node *sequence,
                    struct yaml_node *item)
{
    assert(sequence->kind == YAML_SEQUENCE);
    if (!return_to(reader, sequence->depth) || !pull(reader, &reader->value) ||
        reader->value.type == YAML_SEQUENCE_END_EVENT)
        return false;
    *item = node_of(reader, &reader->value);
    return true;
}

bool yaml_pass_over(struct yaml_reader *reader, const struct yaml_node *value)
{
    if (value->kind != YAML_SCALAR)
        return_to(reader, value->depth - 1);
    return !reader->failed;
}

uint64_t yaml_read_fields(struct yaml_reader *reader, const struct yaml_node *mapping,
                          const struct yaml_fields *fields, void *context, void *target)
{
    struct yaml_node key;
    struct yaml_node value;
    uint64_t present = 0;

    assert(fields->count <= 64);
    while (yaml_next_pair(reader, mapping, &key, &value)) {
        size_t i = 0;
        while (i < fields->count && strcmp(fields->items[i].name, key.text) != 0)
            i++;
        if (i == fields->count) {
            fields->on_unknown(context, &key, &value);
            continue;
        }
        present |= UINT64_C(1) << i;
        fields->items[i].read(context, &fields->items[i], &value, target);
    }
    return present;
}

bool yaml_is_null(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && node->is_plain &&
           (node->length == 0 || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

bool yaml_read_bool(const struct yaml_node *node, bool *value)
{
    if (node->kind != YAML_SCALAR || !node->is_plain)
        return false;
    bool is_true = strcmp(node->text, "true") == 0;
    if (!is_true && strcmp(node->text, "false") != 0)
        return false;
    *value = is_true;
    return true;
}

bool yaml_read_number(const struct yaml_node *node, uint32_t *value)
{
    uint64_t number;

    if (node->kind != YAML_SCALAR || !node->is_plain ||
        !number_from_text(node->text, node->length, &number) || number > UINT32_MAX)
        return false;
    *value = (uint32_t)number;
    return true;
}

const char *yaml_kind_name(enum yaml_kind kind)
{
    static const char *const names[] = {
        [YAML_SCALAR] = "a text", [YAML_SEQUENCE] = "a list", [YAML_MAPPING] = "a mapping"};

    return names[kind];
}
