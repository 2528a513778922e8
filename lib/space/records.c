#include "space/records.h"

#include <ldns/ldns.h>
#include <string.h>

#include "wire/name.h"

enum { DEFAULT_TTL = 60, TTL_MAX = 0x7fffffff /* RFC 2181 section 8 */ };

/* Types that are queries or belong to a message, not to a zone. */
static bool is_data_type(ldns_rr_type type)
{
    return type != LDNS_RR_TYPE_OPT && type != LDNS_RR_TYPE_TSIG && type != LDNS_RR_TYPE_TKEY &&
           !(type >= LDNS_RR_TYPE_IXFR && type <= LDNS_RR_TYPE_ANY);
}

/* ldns takes blanks at the front for "the owner before", and reads on after a line's end. */
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
    if (!is_data_type(ldns_rr_get_type(rr)))
        return err_set(err, ERR_SYNTAX, "this type cannot stand in a zone");
    if (ldns_rr_ttl(rr) > TTL_MAX)
        return err_set(err, ERR_SYNTAX, "the TTL is above 2147483647");
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

bool record_read(struct arena *arena, const char *line, struct record *out, struct err *err)
{
    struct record record = {0};
    ldns_rr *rr = NULL;

    if (!check_line(line, err))
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
