#include "forward/response.h"
#include "forward/rr.h"
#include "wire/types.h"

/* A message in a message of which question and body lie apart. */
struct split_message {
    const struct response *response;
    const struct question *question;
};

/* Reads a name of the body. Bounded by what response_read has written: pointers lead to labels. */
static void read_name(const struct split_message *message, const uint8_t *at, struct name *out)
{
    const uint8_t *body = response_body(message->response);
    size_t base = HEADER_OCTETS + (size_t)message->question->name->length + 4;
    uint8_t octets[NAME_MAX_OCTETS];
    size_t length = 0;

    while (*at != 0) {
        if (*at > LABEL_MAX_OCTETS) {
            size_t offset = load16(at) & 0x3fffU;
            at = offset < base ? message->question->name->octets + (offset - HEADER_OCTETS)
                               : body + (offset - base);
            continue;
        }
        octets_copy(octets + length, at, *at + 1U);
        length += *at + 1U;
        at += *at + 1U;
    }
    octets[length] = 0;
    struct reader in = reader_over(octets, length + 1);
    name_read(&in, out);
}

/* True for signatures of records of the type at the owner. */
static bool signs(const struct split_message *message, const struct rr *record, uint16_t type,
                  const struct name *owner)
{
    struct name name;

    if (record->type != TYPE_RRSIG || load16(record->data) != type)
        return false;
    read_name(message, record->start, &name);
    return name_equals(&name, owner->octets, owner->length);
}

bool response_next_alias(const struct response *response, const struct question *question,
                         struct response_alias *alias)
{
    const struct split_message message = {.response = response, .question = question};
    const uint8_t *body = response_body(response);
    struct reader in = reader_over(body, response->body_octets);
    uint16_t answers = alias->answers;
    struct rr record;

    in.next += alias->end;
    if ((response->bits & RESPONSE_HAS_ALIAS) == 0)
        return false;
    do { /* past a DNAME and its signatures */
        if (answers++ == response->counts[0] || !rr_next(&in, &record))
            return false;
    } while (record.type == TYPE_DNAME ||
             (record.type == TYPE_RRSIG && load16(record.data) == TYPE_DNAME));
    if (record.type != TYPE_CNAME)
        return false;
    alias->cname = (uint16_t)(record.start - body);
    read_name(&message, record.start, &alias->owner);
    read_name(&message, record.data, &alias->target);
    do {
        alias->end = (uint16_t)(in.next - body);
        alias->answers = answers;
    } while (answers++ < response->counts[0] && rr_next(&in, &record) &&
             signs(&message, &record, TYPE_CNAME, &alias->owner));
    return true;
}
