#include "forward/splice.h"

#include "forward/relay.h"
#include "forward/rr.h"
#include "wire/types.h"

enum { POINTER = 0xc0, POINTER_BITS = 0xc000, POINTERS_END = 0x4000 };

/* The octets at an offset of the message: in its question, or in the body behind it. */
static const uint8_t *octets_at(const struct response *response, const struct name *question,
                                unsigned offset)
{
    unsigned body = HEADER_OCTETS + question->length + 4U;

    return offset < body ? question->octets + (offset - HEADER_OCTETS)
                         : response_body(response) + (offset - body);
}

/*
 * Writes a name of a body in full. Its pointers lead back to labels, since rr_writer.h wrote them,
 * so this ends. Returns the octets that it takes in the body.
 */
static size_t write_whole(const struct response *response, const struct name *question,
                          const uint8_t *at, struct writer *out)
{
    const uint8_t *start = at, *behind = NULL;

    while (*at != 0) {
        if (*at >= POINTER) {
            behind = behind == NULL ? at + 2 : behind;
            at = octets_at(response, question, load16(at) & (POINTERS_END - 1U));
            continue;
        }
        write_octets(out, at, *at + 1U);
        at += *at + 1U;
    }
    write8(out, 0);
    return (size_t)((behind == NULL ? at + 1 : behind) - start);
}

static void read_folded(const struct response *response, const struct name *question,
                        const uint8_t *at, struct name *name)
{
    uint8_t octets[NAME_MAX_OCTETS] = {0};
    struct writer out = writer_over(octets, sizeof octets);

    write_whole(response, question, at, &out);
    struct reader in = reader_over(octets, sizeof octets);
    name_read(&in, name);
}

/* The names in the reply that a pointer can lead to, with their offsets; 0: none. */
struct splice_state {
    struct splice *splice;
    struct name owner; /* the last one written */
    uint16_t owner_at;
    struct name target; /* of the last alias */
    uint16_t target_at;
};

static uint16_t offset_of_next(const struct splice_state *state)
{
    uint16_t offset = reply_offset(state->splice->reply);

    return offset < POINTERS_END ? offset : 0;
}

static bool is_same(const struct name *a, const struct name *b)
{
    return name_equals(a, b->octets, b->length);
}

static uint16_t find_owner(const struct splice_state *state, const struct name *owner)
{
    if (is_same(owner, state->splice->question))
        return state->splice->asked;
    if (state->target_at != 0 && is_same(owner, &state->target))
        return state->target_at;
    return state->owner_at != 0 && is_same(owner, &state->owner) ? state->owner_at : 0;
}

static size_t write_name(const struct splice_state *state, const uint8_t *at)
{
    const struct splice *splice = state->splice;

    return write_whole(splice->response, splice->question, at, &splice->reply->out);
}

static void write_owner(struct splice_state *state, const struct rr *record,
                        const struct name *owner)
{
    const struct splice *splice = state->splice;
    uint16_t at = find_owner(state, owner);

    if (at == 0) {
        at = offset_of_next(state);
        write_name(state, record->start);
    } else {
        write16(&splice->reply->out, (uint16_t)(POINTER_BITS | at));
    }
    state->owner = *owner;
    state->owner_at = at;
}

static uint32_t count_down(const struct splice *splice, const struct rr *record)
{
    uint32_t ttl = load32(record->ttl);

    if (splice->is_stale)
        return RELAY_STALE_TTL_SECONDS;
    return ttl > splice->age_seconds ? ttl - splice->age_seconds : 0;
}

/* The length of the data and the data, its names in full. */
static void write_data(struct splice_state *state, const struct rr *record)
{
    const struct splice *splice = state->splice;
    struct writer *out = &splice->reply->out;
    struct rr_names names = rr_names(record);
    const uint8_t *next = record->data, *end = record->data + record->length;

    uint8_t *length = write_span(out, 2);
    if (names.count > 0) {
        write_octets(out, next, names.before);
        next += names.before;
    }
    if (record->type == TYPE_CNAME) {
        read_folded(splice->response, splice->question, next, &state->target);
        state->target_at = offset_of_next(state);
    }
    for (unsigned i = 0; i < names.count; i++)
        next += write_name(state, next);
    write_octets(out, next, (size_t)(end - next));
    if (!out->failed)
        store16(length, (uint16_t)(out->next - length - 2));
}

/* Writes a record, or nothing when it does not fit. */
static void write_record(struct splice_state *state, const struct rr *record,
                         const struct name *owner, enum reply_section section)
{
    struct splice *splice = state->splice;
    struct reply *reply = splice->reply;
    uint8_t *start = reply->out.next;
    uint32_t ttl_seconds = count_down(splice, record);

    write_owner(state, record, owner);
    write16(&reply->out, record->type);
    write16(&reply->out, record->class);
    write32(&reply->out, ttl_seconds);
    write_data(state, record);
    if (reply->out.failed) {
        reply->out.next = start;
        return;
    }
    if (ttl_seconds < splice->ttl_seconds)
        splice->ttl_seconds = ttl_seconds;
    reply->counts[section]++;
}

static bool read_record(const struct splice *splice, struct reader *records, struct rr *record,
                        struct name *owner)
{
    if (!rr_next(records, record))
        return false;
    read_folded(splice->response, splice->question, record->start, owner);
    return true;
}

uint16_t splice_links(struct splice *splice, unsigned answers)
{
    struct reader records =
        reader_over(response_body(splice->response), splice->response->body_octets);
    struct splice_state state = {.splice = splice};
    struct name owner;
    struct rr record;

    splice->ttl_seconds = UINT32_MAX;
    for (unsigned i = 0; i < answers; i++)
        if (!reply_is_cut(splice->reply) && read_record(splice, &records, &record, &owner))
            write_record(&state, &record, &owner, SECTION_ANSWER);
    return reply_is_cut(splice->reply) ? 0 : state.target_at;
}

void splice_all(struct splice *splice)
{
    const struct response *response = splice->response;
    struct reader records = reader_over(response_body(response), response->body_octets);
    struct splice_state state = {.splice = splice};
    struct name owner;
    struct rr record;

    splice->ttl_seconds = response->ttl_count > 0 ? UINT32_MAX : 0;
    for (int section = 0; section < SECTION_COUNT; section++)
        for (unsigned i = 0; i < response->counts[section]; i++)
            if (!reply_is_cut(splice->reply) && read_record(splice, &records, &record, &owner))
                write_record(&state, &record, &owner, (enum reply_section)section);
}
