#include "forward/relay.h"

#include <assert.h>

#include "forward/rr.h"
#include "wire/types.h"

/*
 * Counts the TTLs down in the records just written, the first `octets` of the body. Returns the
 * least; bounded by the records.
 */
static uint32_t count_down(const struct relay *relay, uint8_t *body, size_t octets)
{
    const struct response *response = relay->response;
    const uint16_t *offsets = (const uint16_t *)(const void *)response->data;
    uint32_t least = response->ttl_count > 0 && octets > 0 ? UINT32_MAX : 0;

    for (size_t i = 0; i < response->ttl_count && offsets[i] < octets; i++) {
        uint32_t ttl = load32(body + offsets[i]);
        ttl = ttl > relay->age_seconds ? ttl - relay->age_seconds : 0;
        if (relay->is_stale)
            ttl = RELAY_STALE_TTL_SECONDS;
        store32(body + offsets[i], ttl);
        least = ttl < least ? ttl : least;
    }
    return least;
}

/* Counts the whole records that `room` holds. Returns their octets; bounded by the records. */
static size_t count_fitting(const struct response *response, size_t room, struct reply *reply)
{
    struct reader in = reader_over(response_body(response), response->body_octets);
    size_t fitting = 0;

    for (int section = 0; section < SECTION_COUNT; section++)
        for (unsigned i = 0; i < response->counts[section]; i++) {
            struct rr record;
            if (!rr_next(&in, &record) || (size_t)(in.next - in.start) > room)
                return fitting;
            fitting = (size_t)(in.next - in.start);
            reply->counts[section]++;
        }
    return fitting;
}

/* Pointers lead back only, so the first records of a body are valid without the rest. */
static void write_body(struct relay *relay, struct reply *reply)
{
    const struct response *response = relay->response;
    size_t room = (size_t)(reply->out.end - reply->out.next);
    size_t octets = response->body_octets;

    if (octets > room)
        octets = count_fitting(response, room, reply);
    else
        for (int i = 0; i < SECTION_COUNT; i++)
            reply->counts[i] = response->counts[i];
    uint8_t *body = write_span(&reply->out, octets);
    octets_copy(body, response_body(response), octets);
    relay->ttl_seconds = count_down(relay, body, octets);
    reply->out.failed = octets < response->body_octets; /* which sets TC */
}

/* AD is for clients that know what it means (RFC 6840 section 5.8). */
static uint16_t flags_of(const struct relay *relay)
{
    const struct query *query = relay->query;
    bool wants_ad = (query->flags & FLAG_AD) != 0 || query->dnssec_ok;
    bool has_ad = wants_ad && (relay->response->bits & RESPONSE_AUTHENTIC) != 0;

    return FLAG_RA | (has_ad ? FLAG_AD : 0);
}

/* The body's compression pointers rely on a question of this length in front of it. */
static void check_question(const struct query *query)
{
    assert(query->question_end == HEADER_OCTETS + query->name.length + 4U);
}

size_t relay_write_usual(struct relay *relay, uint8_t *buffer, size_t most)
{
    const struct response *response = relay->response;
    const struct query *query = relay->query;
    uint8_t *body = buffer + query->question_end, *end = body + response->body_octets;
    const uint16_t counts[SECTION_COUNT] = {response->counts[0], response->counts[1],
                                            (uint16_t)(response->counts[2] + query->has_opt)};

    check_question(query);
    assert(relay_is_usual(response) && !query->has_options);
    if ((size_t)query->question_end + response->body_octets + OPT_OCTETS > most)
        return 0;
    reply_write_header(buffer, query, flags_of(relay) | reply_echoed_flags(query) | response->rcode,
                       counts);
    reply_copy_question(buffer, relay->request, query);
    octets_copy(body, response_body(response), response->body_octets);
    relay->ttl_seconds = count_down(relay, body, response->body_octets);
    relay->answer_count = response->counts[SECTION_ANSWER];
    if (query->has_opt) {
        reply_write_plain_opt(end, query);
        end += OPT_OCTETS;
    }
    return (size_t)(end - buffer);
}

size_t relay_write(struct relay *relay, uint8_t *buffer, size_t most)
{
    const struct response *response = relay->response;
    const struct query *query = relay->query;
    uint16_t rcode = response->rcode > 15 && !query->has_opt ? RCODE_SERVFAIL : response->rcode;
    struct reply reply;

    check_question(query);
    relay->options->passed = response_ede(response);
    relay->options->passed_length = response->ede_octets;
    relay->ttl_seconds = 0;
    reply_start(&reply, relay->request, query, relay->options, buffer, most);
    write_body(relay, &reply);
    size_t length = reply_finish(&reply, flags_of(relay), rcode);
    relay->answer_count = reply.counts[SECTION_ANSWER];
    return length;
}
