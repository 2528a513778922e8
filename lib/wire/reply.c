#include "wire/reply.h"

#include <assert.h>

enum { RECORD_HEAD_OCTETS = 12 }; /* pointer, type, class, TTL, length of data */

static bool sends_nsid(const struct reply *reply)
{
    return reply->query->wants_nsid && reply->options->nsid != NULL;
}

static bool sends_keepalive(const struct reply *reply)
{
    return reply->query->wants_keepalive && reply->options->keepalive_100ms > 0;
}

static bool sends_cookie(const struct reply *reply)
{
    return reply->query->cookie_octets > 0 && reply->options->cookie != NULL;
}

/* Our own options, for which room is reserved. */
static bool has_options(const struct reply *reply)
{
    return reply->query->has_options || reply->options->has_ede;
}

/* The octets of OPT without the text of EDE. */
static size_t opt_octets(const struct reply *reply)
{
    if (!reply->query->has_opt)
        return 0;
    size_t octets = OPT_OCTETS;
    if (!has_options(reply))
        return octets;
    if (sends_nsid(reply))
        octets += OPTION_HEAD_OCTETS + reply->options->nsid_length;
    if (sends_keepalive(reply))
        octets += OPTION_HEAD_OCTETS + 2;
    if (sends_cookie(reply))
        octets += OPTION_HEAD_OCTETS + COOKIE_OCTETS;
    if (reply->options->has_ede)
        octets += OPTION_HEAD_OCTETS + 2;
    return octets;
}

void reply_start(struct reply *reply, const uint8_t *request, const struct query *query,
                 const struct reply_options *options, uint8_t *buffer, size_t most)
{
    assert(most >= UDP_OCTETS_PLAIN);
    reply->query = query;
    reply->options = options;
    reply->counts[SECTION_ANSWER] = 0;
    reply->counts[SECTION_AUTHORITY] = 0;
    reply->counts[SECTION_ADDITIONAL] = 0;
    reply->section = SECTION_ANSWER;
    reply->limit = buffer + most;
    reply->out = writer_over(buffer, most - opt_octets(reply));
    assert(query->question_end <= reply->out.end - reply->out.start);
    reply->out.next += query->question_end;
    reply_copy_question(buffer, request, query);
}

uint8_t *reply_record(struct reply *reply, uint16_t owner, uint16_t type, uint32_t ttl_seconds,
                      size_t length)
{
    return reply_record_of_class(reply, owner, type, CLASS_IN, ttl_seconds, length);
}

uint8_t *reply_record_of_class(struct reply *reply, uint16_t owner, uint16_t type, uint16_t class,
                               uint32_t ttl_seconds, size_t length)
{
    uint8_t *record = write_span(&reply->out, RECORD_HEAD_OCTETS + length);

    if (record == NULL)
        return NULL;
    store16(record, (uint16_t)(0xc000 | owner));
    store16(record + 2, type);
    store16(record + 4, class);
    store32(record + 6, ttl_seconds);
    store16(record + 10, (uint16_t)length);
    reply->counts[reply->section]++;
    return record + RECORD_HEAD_OCTETS;
}

void reply_close_record(struct reply *reply, uint8_t *data)
{
    if (!reply->out.failed) {
        store16(data - 2, (uint16_t)(reply->out.next - data));
        return;
    }
    if (data == NULL)
        return;
    reply->out.next = data - RECORD_HEAD_OCTETS;
    reply->counts[reply->section]--;
}

size_t reply_ready_records(struct reply *reply, const uint8_t *octets, size_t size, size_t count)
{
    struct writer *out = &reply->out;
    size_t room = (size_t)(out->end - out->next);

    if (out->failed)
        return 0;
    if (room < size * count) {
        count = room / size;
        out->failed = true;
    }
    if (count == 0)
        return 0;
    octets_copy(out->next, octets, size * count);
    out->next += size * count;
    reply->counts[reply->section] = (uint16_t)(reply->counts[reply->section] + count);
    return count;
}

static void write_ede(struct reply *reply)
{
    const struct reply_options *options = reply->options;
    size_t room = (size_t)(reply->limit - reply->out.next);
    size_t text = OPTION_HEAD_OCTETS + 2 + options->ede_length <= room ? options->ede_length : 0;

    write16(&reply->out, OPTION_EDE);
    write16(&reply->out, (uint16_t)(2 + text));
    write16(&reply->out, options->ede_code);
    write_octets(&reply->out, options->ede_text, text);
}

/* Each option whole or not at all; bounded by their length, four octets or more at a time. */
static void write_passed(struct reply *reply)
{
    struct reader passed = reader_over(reply->options->passed, reply->options->passed_length);

    while (reader_left(&passed) > 0) {
        const uint8_t *option = passed.next;
        read16(&passed);
        read_span(&passed, read16(&passed));
        assert(!passed.failed);
        size_t length = (size_t)(passed.next - option);
        if (length <= (size_t)(reply->limit - reply->out.next))
            write_octets(&reply->out, option, length);
    }
}

static void write_cookie(struct writer *out, const uint8_t *cookie)
{
    uint8_t *option = write_span(out, OPTION_HEAD_OCTETS + COOKIE_OCTETS);

    if (option == NULL)
        return;
    store16(option, OPTION_COOKIE);
    store16(option + 2, COOKIE_OCTETS);
    memcpy(option + OPTION_HEAD_OCTETS, cookie, COOKIE_OCTETS);
}

static void write_options(struct reply *reply)
{
    struct writer *out = &reply->out;

    if (sends_nsid(reply)) {
        write16(out, OPTION_NSID);
        write16(out, (uint16_t)reply->options->nsid_length);
        write_octets(out, reply->options->nsid, reply->options->nsid_length);
    }
    if (sends_keepalive(reply)) {
        write16(out, OPTION_KEEPALIVE);
        write16(out, 2);
        write16(out, reply->options->keepalive_100ms);
    }
    if (sends_cookie(reply))
        write_cookie(out, reply->options->cookie);
    if (reply->options->has_ede)
        write_ede(reply);
    if (reply->options->passed_length > 0)
        write_passed(reply);
}

static void write_opt(struct reply *reply, uint16_t rcode)
{
    uint8_t *opt = write_span(&reply->out, OPT_OCTETS);

    assert(opt != NULL); /* room was reserved */
    reply_write_plain_opt(opt, reply->query);
    opt[5] = (uint8_t)(rcode >> 4);
    if (!has_options(reply) && reply->options->passed_length == 0)
        return;
    write_options(reply);
    store16(opt + OPT_OCTETS - 2, (uint16_t)(reply->out.next - opt - OPT_OCTETS));
}

size_t reply_finish(struct reply *reply, uint16_t flags, uint16_t rcode)
{
    const struct query *query = reply->query;

    if (reply->out.failed) {
        reply->out.failed = false; /* for the OPT record, whose room is reserved */
        flags |= FLAG_TC;
    }
    if (query->has_opt) {
        reply->out.end = reply->limit;
        write_opt(reply, rcode);
        assert(!reply->out.failed);
        reply->counts[SECTION_ADDITIONAL]++;
    } else if (rcode > 15) {
        rcode = RCODE_FORMERR;
    }
    bool is_query = (query->flags & FLAG_OPCODE) == 0;
    flags |= (is_query ? reply_echoed_flags(query) : query->flags & FLAG_OPCODE) | (rcode & 15);
    reply_write_header(reply->out.start, query, flags, reply->counts);
    return writer_length(&reply->out);
}
