#include "space/records.h"

#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "wire/name.h"

enum { HEAD_OCTETS = 10 /* type, class, TTL, length (RFC 1035 section 3.2.1) */ };
enum { DEFAULT_TTL = 60, TTL_MAX = 0x7fffffff /* RFC 2181 section 8 */ };

/* Types that static records cannot have, and the remedy. */
static const struct {
    ldns_rr_type first, last;
    const char *why;
} refused_types[] = {
    {LDNS_RR_TYPE_SOA, LDNS_RR_TYPE_SOA, "each name has an SOA of its own; leave it out"},
    {LDNS_RR_TYPE_NS, LDNS_RR_TYPE_NS,
     "nothing is delegated from here; list the zone and its servers in upstream_zones"},
    {LDNS_RR_TYPE_DNAME, LDNS_RR_TYPE_DNAME,
     "no names are synthesized from it; write a CNAME for each name"},
    {LDNS_RR_TYPE_OPT, LDNS_RR_TYPE_OPT, "it belongs to a message, not to a name"},
    {LDNS_RR_TYPE_TKEY, LDNS_RR_TYPE_ANY, "it belongs to a message, not to a name"},
};

static bool check_type(ldns_rr_type type, const char *word, size_t length, struct err *err)
{
    if (type == 0)
        return err_set(err, ERR_SYNTAX,
                       "%.*s is not a known record type; correct it, or write TYPEn \\# LENGTH "
                       "HEX",
                       (int)(length > 40 ? 40 : length), word);
    for (size_t i = 0; i < sizeof refused_types / sizeof refused_types[0]; i++)
        if (type >= refused_types[i].first && type <= refused_types[i].last)
            return err_set(err, ERR_SYNTAX, "type %.*s is not allowed here: %s",
                           (int)(length > 40 ? 40 : length), word, refused_types[i].why);
    return true;
}

static bool is_class(const char *word, size_t length)
{
    static const char *const classes[] = {"IN", "CH", "HS", "ANY", "NONE"};

    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (strlen(classes[i]) == length && strncasecmp(word, classes[i], length) == 0)
            return true;
    return length > 5 && strncasecmp(word, "CLASS", 5) == 0;
}

/* Reads seconds like ldns, including 1h30m, but without its overflow at 32 bits. */
static bool is_ttl_too_long(const char *word, size_t length)
{
    uint64_t total = 0, number = 0;

    for (size_t i = 0; i < length && total + number <= TTL_MAX; i++) {
        static const char units[] = "smhdw";
        static const uint32_t seconds[] = {1, 60, 3600, 86400, 604800};
        const char *unit = memchr(units, word[i] | 0x20, sizeof units - 1);
        if (word[i] >= '0' && word[i] <= '9') {
            number = number * 10 + (uint64_t)(word[i] - '0');
        } else if (unit != NULL) {
            total += number * seconds[unit - units];
            number = 0;
        }
    }
    return total + number > TTL_MAX;
}

/* Skips blanks and a word. */
static const char *next_word(const char *at, size_t *length)
{
    at += strspn(at, " ");
    *length = strcspn(at, " ");
    return at;
}

/* Checks OWNER [TTL] [CLASS] TYPE, for which ldns has no good messages. */
static bool check_head(const char *line, enum finding_code *code, struct err *err)
{
    size_t length;
    const char *word = next_word(line, &length);

    word = next_word(word + length, &length);
    if (length > 0 && word[0] >= '0' && word[0] <= '9') {
        *code = FINDING_REC_TTL;
        if (is_ttl_too_long(word, length))
            return err_set(err, ERR_SYNTAX, "the TTL is above 2147483647 seconds; lower it");
        word = next_word(word + length, &length);
    }
    *code = FINDING_REC_SYNTAX;
    /* ANY can be a class or a type: the next word decides. */
    size_t next_length;
    const char *next = next_word(word + length, &next_length);
    bool has_class = is_class(word, length) && next_length > 0;
    if (has_class && (length != 2 || strncasecmp(word, "IN", 2) != 0))
        return err_set(err, ERR_SYNTAX, "the class must be IN");
    if (has_class) {
        word = next;
        length = next_length;
    }
    if (length == 0 || length > 40 || (word[0] >= '0' && word[0] <= '9'))
        return true;
    char type[41] = "";
    memcpy(type, word, length);
    *code = FINDING_REC_TYPE;
    if (!check_type(ldns_get_rr_type_by_name(type), word, length, err))
        return false;
    *code = FINDING_REC_SYNTAX;
    return true;
}

/* To ldns, leading blanks mean the previous owner; it also reads past the end of a line. */
static bool check_line(const char *line, struct err *err)
{
    if (line[0] == ' ' || line[0] == ';' || line[0] == '@' || line[0] == '$')
        return err_set(err, ERR_SYNTAX, "a record begins with its owner's name");
    for (const char *octet = line; *octet != '\0'; octet++)
        if ((unsigned char)*octet < ' ' || (unsigned char)*octet >= 0x7F)
            return err_set(err, ERR_SYNTAX, "a record is one line of ASCII text");
    return true;
}

static bool check_record(const ldns_rr *rr, struct err *err)
{
    if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN)
        return err_set(err, ERR_SYNTAX, "the class must be IN");
    if (ldns_rr_rd_count(rr) == 0)
        return err_set(err, ERR_SYNTAX, "the record has no data");
    return true;
}

/* Copies the data's octets, names in it uncompressed, to the arena. */
static bool copy_rdata(struct arena *arena, const ldns_rr *rr, struct record *out, struct err *err)
{
    size_t length = 0;

    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++)
        length += ldns_rdf_size(ldns_rr_rdf(rr, i));
    if (length > UINT16_MAX)
        return err_set(err, ERR_SYNTAX, "the record has more than 65535 octets of data");
    uint8_t *rdata = arena_take(arena, length + 1);
    if (rdata == NULL)
        return err_set(err, ERR_MEMORY, "out of memory");
    out->rdata = rdata;
    out->rdata_length = (uint16_t)length;
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        const ldns_rdf *field = ldns_rr_rdf(rr, i);
        memcpy(rdata, ldns_rdf_data(field), ldns_rdf_size(field));
        rdata += ldns_rdf_size(field);
    }
    return true;
}

static bool copy_owner(struct arena *arena, const ldns_rdf *owner, struct record *out,
                       struct err *err)
{
    struct reader octets = reader_over(ldns_rdf_data(owner), ldns_rdf_size(owner));
    struct name name;

    if (!name_read(&octets, &name) || name.length == 1)
        return err_set(err, ERR_SYNTAX, "the owner must be a name below the root");
    out->owner = (const uint8_t *)arena_text(arena, name.octets, name.length);
    out->owner_length = name.length;
    return out->owner != NULL || err_set(err, ERR_MEMORY, "out of memory");
}

bool record_read(struct arena *arena, const char *line, struct record *out, enum finding_code *code,
                 struct err *err)
{
    struct record record = {0};
    ldns_rr *rr = NULL;

    *code = FINDING_REC_SYNTAX;
    if (!check_line(line, err) || !check_head(line, code, err))
        return false;
    ldns_rdf *root = ldns_dname_new_frm_str(".");
    if (root == NULL)
        return err_set(err, ERR_MEMORY, "out of memory");
    ldns_status status = ldns_rr_new_frm_str(&rr, line, DEFAULT_TTL, root, NULL);
    ldns_rdf_deep_free(root);
    if (status != LDNS_STATUS_OK || rr == NULL)
        return err_set(err, status == LDNS_STATUS_MEM_ERR ? ERR_MEMORY : ERR_SYNTAX, "%s",
                       ldns_get_errorstr_by_id(status));
    bool is_read = check_record(rr, err) && copy_owner(arena, ldns_rr_owner(rr), &record, err) &&
                   copy_rdata(arena, rr, &record, err);
    if (is_read) {
        record.type = (uint16_t)ldns_rr_get_type(rr);
        record.ttl_seconds = ldns_rr_ttl(rr);
        *out = record;
    }
    ldns_rr_free(rr);
    return is_read;
}

/* Appends the record as a message has it. The result has room for a name and 65535 octets. */
static bool write_wire(const struct record *record, struct writer *out)
{
    write_octets(out, record->owner, record->owner_length);
    write16(out, record->type);
    write16(out, LDNS_RR_CLASS_IN);
    write32(out, record->ttl_seconds);
    write16(out, record->rdata_length);
    write_octets(out, record->rdata, record->rdata_length);
    return !out->failed;
}

/* Moves a text of ldns to the arena. NULL: no memory. */
static const char *take_text(struct arena *arena, char *text)
{
    const char *kept = text == NULL ? NULL : arena_text(arena, text, strlen(text));

    free(text);
    return kept;
}

static const char *format_data(struct arena *arena, const ldns_rr *rr)
{
    ldns_buffer *data = ldns_buffer_new(LDNS_MIN_BUFLEN);

    for (size_t i = 0; data != NULL && i < ldns_rr_rd_count(rr); i++) {
        if (i > 0)
            ldns_buffer_printf(data, " ");
        ldns_rdf2buffer_str(data, ldns_rr_rdf(rr, i));
    }
    const char *text = data == NULL ? NULL : take_text(arena, ldns_buffer_export2str(data));
    ldns_buffer_free(data);
    return text;
}

bool record_format(struct arena *arena, const struct record *record, struct record_text *out)
{
    size_t size = (size_t)record->owner_length + HEAD_OCTETS + record->rdata_length, read = 0;
    uint8_t *octets = arena_take(arena, size);
    struct writer wire = writer_over(octets, octets == NULL ? 0 : size);
    ldns_rr *rr = NULL;

    if (octets == NULL || !write_wire(record, &wire) ||
        ldns_wire2rr(&rr, octets, size, &read, LDNS_SECTION_ANSWER) != LDNS_STATUS_OK)
        return false;
    *out = (struct record_text){
        .owner = take_text(arena, ldns_rdf2str(ldns_rr_owner(rr))),
        .type = take_text(arena, ldns_rr_type2str(ldns_rr_get_type(rr))),
        .data = format_data(arena, rr),
    };
    ldns_rr_free(rr);
    return out->owner != NULL && out->type != NULL && out->data != NULL;
}

bool record_is_same(const struct record *a, const struct record *b)
{
    return a->type == b->type && a->owner_length == b->owner_length &&
           a->rdata_length == b->rdata_length && memcmp(a->owner, b->owner, a->owner_length) == 0 &&
           memcmp(a->rdata, b->rdata, a->rdata_length) == 0;
}
