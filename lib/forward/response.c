#include "forward/response.h"

#include <assert.h>

#include "base/utf8.h"
#include "forward/rr.h"
#include "forward/scrub.h"
#include "wire/edns.h"
#include "wire/types.h"

enum { ANSWER, AUTHORITY, ADDITIONAL, SECTIONS };

/* The state of response_read. */
struct response_reading {
    struct reader in;
    const struct question *question;
    struct response *room;
    bool has_opt;
    struct reader options;
    struct scrub scrub;
    unsigned dropped; /* records of other classes */
};

static uint16_t *ttl_offsets(struct response *response)
{
    return (uint16_t *)(void *)response->data;
}

/* The notes about records lie behind the largest response. */
static struct scrub_note *notes_in(struct response *room)
{
    enum { OFFSET = RESPONSE_OCTETS_MOST - RESPONSE_RECORDS_MOST * sizeof(struct scrub_note) };

    _Static_assert(OFFSET % alignof(struct scrub_note) == 0, "notes are aligned");
    return (struct scrub_note *)(void *)((uint8_t *)room + OFFSET);
}

/* Options fill their record; bounded by it, four octets or more at a time. */
static bool has_good_options(const struct rr *opt)
{
    struct reader in = reader_over(opt->data, opt->length);

    while (reader_left(&in) > 0) {
        read16(&in);
        read_span(&in, read16(&in));
    }
    return !in.failed;
}

/* The one OPT record (RFC 6891 section 6.1.1). */
static bool read_opt(struct response_reading *reading, int section, const struct rr *opt)
{
    if (section != ADDITIONAL || reading->has_opt || *opt->start != 0 || !has_good_options(opt))
        return false;
    reading->has_opt = true;
    reading->options = reader_over(opt->data, opt->length);
    reading->room->rcode |= (uint16_t)(opt->ttl[0] << 4);
    return true;
}

static void note_record(struct response_reading *reading, int section, const struct rr *record)
{
    struct scrub *scrub = &reading->scrub;
    struct name owner __attribute__((uninitialized));

    if (section == ADDITIONAL)
        return;
    if (record->class != reading->question->class || record->type == SCRUB_TAKEN) {
        reading->dropped++;
        return;
    }
    unsigned count = scrub->note_counts[ANSWER] + scrub->note_counts[AUTHORITY];
    assert(count < RESPONSE_RECORDS_MOST);
    rr_read_name(reading->in.start, record->start, &owner);
    scrub->notes[count] = (struct scrub_note){
        .owner = scrub_hash(reading->question, &owner),
        .start = (uint16_t)(record->start - reading->in.start),
        .type = record->type,
    };
    scrub->note_counts[section]++;
}

/* Bounded by the message: a record takes 11 octets or more, and a failed cursor ends the loop. */
static bool read_section(struct response_reading *reading, int section, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct rr record;
        if (!rr_read(&reading->in, &record))
            return false;
        if (record.type != TYPE_OPT)
            note_record(reading, section, &record);
        else if (!read_opt(reading, section, &record))
            return false;
    }
    return true;
}

/*
 * Writes an EDE option. Text that is not printable is left out, and the code stays. A NUL at the
 * end is allowed and left out (RFC 8914 section 2).
 */
static void write_ede(struct response *room, uint8_t *out, const uint8_t *data, uint16_t length)
{
    const uint8_t *text = data + EDE_CODE_OCTETS;
    size_t text_length = length - EDE_CODE_OCTETS;

    if (text_length > 0 && text[text_length - 1] == 0)
        text_length--;
    if (!utf8_is_printable(text, text_length))
        text_length = 0;
    size_t kept = EDE_CODE_OCTETS + text_length;
    if (room->ede_octets + OPTION_HEAD_OCTETS + kept > RESPONSE_EDE_OCTETS_MOST)
        return;
    out += room->ede_octets;
    store16(out, OPTION_EDE);
    store16(out + 2, (uint16_t)kept);
    memcpy(out + OPTION_HEAD_OCTETS, data, kept);
    room->ede_octets = (uint16_t)(room->ede_octets + OPTION_HEAD_OCTETS + kept);
}

/* Copies the EDE options that fit. */
static void copy_ede(struct response_reading *reading)
{
    struct response *room = reading->room;
    struct reader *in = &reading->options;
    uint8_t *out = room->data + 2 * (size_t)room->ttl_count;

    while (reading->has_opt && reader_left(in) > 0) {
        bool is_ede = read16(in) == OPTION_EDE;
        uint16_t length = read16(in);
        const uint8_t *data = read_span(in, length);
        if (is_ede && length >= EDE_CODE_OCTETS)
            write_ede(room, out, data, length);
    }
}

static uint32_t lesser(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Moves the records down, behind the TTL offsets and EDE options. */
static void place_body(struct response_reading *reading)
{
    struct response *room = reading->room;
    const struct writer *body = &reading->scrub.writer.out;
    uint8_t *out = room->data + 2 * (size_t)room->ttl_count + room->ede_octets;

    room->body_octets = (uint16_t)writer_length(body);
    memmove(out, body->start, room->body_octets);
    room->octets = (uint32_t)(out + room->body_octets - (uint8_t *)room);
}

/* Writes the records to pass on. Returns false when one is malformed or they do not fit. */
static bool scrub(struct response_reading *reading)
{
    struct response *room = reading->room;
    struct scrub *scrub = &reading->scrub;
    unsigned most = scrub->note_counts[ANSWER] + scrub->note_counts[AUTHORITY];

    scrub->question = reading->question;
    scrub->message = reading->in.start;
    scrub->length = (size_t)(reading->in.end - reading->in.start);
    scrub->ttls = ttl_offsets(room);
    scrub->body = room->data + 2 * (size_t)most + RESPONSE_EDE_OCTETS_MOST;
    if (!scrub_records(scrub))
        return false;
    room->counts[ANSWER] = scrub->counts[ANSWER];
    room->counts[AUTHORITY] = scrub->counts[AUTHORITY];
    room->ttl_count = (uint16_t)(scrub->counts[ANSWER] + scrub->counts[AUTHORITY]);
    room->dropped = (uint8_t)lesser(reading->dropped + scrub->dropped, UINT8_MAX);
    room->bits |= scrub->has_alias ? RESPONSE_HAS_ALIAS : 0;
    return true;
}

static uint32_t cut_ttl(uint32_t seconds, uint32_t most)
{
    return seconds > INT32_MAX ? 0 : lesser(seconds, most); /* RFC 2181 section 8 */
}

/* Cuts the body's TTLs to our limits, and returns the least. */
static uint32_t cut_ttls(const struct response_reading *reading, bool is_negative)
{
    struct response *room = reading->room;
    uint8_t *body = room->data + 2 * (size_t)room->ttl_count + room->ede_octets;
    uint32_t least = RESPONSE_TTL_MOST_SECONDS;

    for (uint16_t i = 0; i < room->ttl_count; i++) {
        uint8_t *ttl = body + ttl_offsets(room)[i];
        uint32_t seconds = cut_ttl(load32(ttl), RESPONSE_TTL_MOST_SECONDS);
        if (is_negative && i == reading->scrub.soa) /* RFC 2308 section 5 */
            seconds = lesser(
                seconds, cut_ttl(reading->scrub.soa_minimum, RESPONSE_NEGATIVE_TTL_MOST_SECONDS));
        store32(ttl, seconds);
        least = lesser(least, seconds);
    }
    return least;
}

/* Decides whether this is an answer, a negative answer, or nothing that may be cached. */
static void conclude(struct response_reading *reading)
{
    struct response *room = reading->room;
    bool has_soa = reading->scrub.soa != SCRUB_NO_SOA;
    bool is_answer = room->rcode == RCODE_NOERROR && reading->scrub.has_answer;
    bool is_negative =
        room->rcode == RCODE_NXDOMAIN || (room->rcode == RCODE_NOERROR && !is_answer && has_soa);
    uint32_t least = cut_ttls(reading, is_negative);

    room->bits |= is_negative ? RESPONSE_NEGATIVE : 0;
    room->ttl_seconds = is_answer || (is_negative && has_soa) ? least : 0;
}

static enum response_status read_records(struct response_reading *reading)
{
    const uint8_t *header = reading->in.start;
    struct response *room = reading->room;

    reading->scrub.notes = notes_in(room);
    for (int i = 0; i < SECTIONS; i++)
        if (!read_section(reading, i, load16(header + 6 + 2 * (ptrdiff_t)i)))
            return RESPONSE_MALFORMED;
    if (!scrub(reading))
        return RESPONSE_MALFORMED;
    room->bits |= reading->has_opt ? RESPONSE_HAS_OPT : 0;
    copy_ede(reading);
    place_body(reading);
    conclude(reading);
    if (response_may_hold_private(room))
        room->bits |= RESPONSE_PRIVATE_ADDRESS;
    return RESPONSE_READ;
}

/* RFC 5452 section 4.2: the question must be the one asked; all servers send it uncompressed. */
static bool has_asked_question(struct reader *in, const struct question *question)
{
    struct name name;

    return name_read(in, &name) && name_equals(question->name, name.octets, name.length) &&
           read16(in) == question->type && read16(in) == question->class && !in->failed;
}

static bool is_refusal_to_read(uint16_t rcode)
{
    return rcode == RCODE_FORMERR || rcode == RCODE_SERVFAIL || rcode == RCODE_NOTIMP ||
           rcode == RCODE_REFUSED || rcode == RCODE_BADVERS;
}

/*
 * The reply of a server that could not or would not read the question: a header, perhaps with OPT
 * (RFC 6891 section 7). Its records are ignored.
 */
static enum response_status read_without_question(struct response_reading *reading)
{
    const uint8_t *header = reading->in.start;

    if (load32(header + 6) != 0 || !read_section(reading, ADDITIONAL, load16(header + 10)) ||
        !is_refusal_to_read(reading->room->rcode))
        return RESPONSE_MISMATCHED;
    reading->room->octets = sizeof *reading->room;
    return RESPONSE_READ;
}

enum response_status response_read(const uint8_t *octets, size_t length,
                                   const struct expected *expected, struct response *room)
{
    struct response_reading reading = {.question = expected->question, .room = room};

    assert(length <= UINT16_MAX);
    if (length < HEADER_OCTETS || load16(octets) != expected->id)
        return RESPONSE_MISMATCHED;
    uint16_t flags = load16(octets + 2);
    if ((flags & (FLAG_QR | FLAG_OPCODE)) != FLAG_QR)
        return RESPONSE_MISMATCHED;
    *room = (struct response){.rcode = flags & 15U,
                              .bits = (flags & FLAG_AD) != 0 ? RESPONSE_AUTHENTIC : 0};
    reading.in = reader_over(octets, length);
    reading.in.next += HEADER_OCTETS;
    uint16_t questions = load16(octets + 4);
    if (questions == 0)
        return read_without_question(&reading);
    if (questions != 1 || !has_asked_question(&reading.in, expected->question))
        return RESPONSE_MISMATCHED;
    if (expected->is_exact &&
        memcmp(octets + HEADER_OCTETS, expected->name, expected->question->name->length) != 0)
        return RESPONSE_OTHER_CASE;
    if ((flags & FLAG_TC) != 0)
        return RESPONSE_TRUNCATED;
    return read_records(&reading);
}

size_t response_write_query(const struct question *question, uint16_t id, const uint8_t *name,
                            bool is_plain, uint8_t *out)
{
    struct writer query = writer_over(out, UPSTREAM_QUERY_OCTETS_MOST);
    bool checking_disabled = (question->bits & QUESTION_CD) != 0;

    write16(&query, id);
    write16(&query, (uint16_t)(FLAG_RD | FLAG_AD | (checking_disabled ? FLAG_CD : 0)));
    write16(&query, 1);
    write32(&query, 0);
    write16(&query, !is_plain);
    write_octets(&query, name, question->name->length);
    write16(&query, question->type);
    write16(&query, question->class);
    if (!is_plain) { /* owner, type, size, extended code and version, flags, no options */
        write8(&query, 0);
        write16(&query, TYPE_OPT);
        write16(&query, UDP_OCTETS_MOST);
        write16(&query, 0);
        write16(&query, (question->bits & QUESTION_DO) != 0 ? OPT_FLAG_DO : 0);
        write16(&query, 0);
    }
    assert(!query.failed);
    return writer_length(&query);
}
