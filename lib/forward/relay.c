#include "forward/relay.h"

#include <assert.h>

#include "wire/types.h"

/* Counts the TTLs down in the records just written. Returns the least; bounded by the records. */
static uint32_t count_down(const struct relay *relay, uint8_t *body)
{
    const struct response *response = relay->response;
    const uint16_t *offsets = (const uint16_t *)(const void *)response->data;
    uint32_t least = response->ttl_count > 0 ? UINT32_MAX : 0;

    for (size_t i = 0; i < response->ttl_count; i++) {
        uint32_t ttl = load32(body + offsets[i]);
        ttl = ttl > relay->age_seconds ? ttl - relay->age_seconds : 0;
        if (relay->is_stale)
            ttl = RELAY_STALE_TTL_SECONDS;
        store32(body + offsets[i], ttl);
        least = ttl < least ? ttl : least;
    }
    return least;
}

static void write_body(struct relay *relay, struct reply *reply)
{
    const struct response *response = relay->response;
    uint8_t *body = write_span(&reply->out, response->body_octets);

    if (body == NULL)
        return;
    octets_copy(body, response_body(response), response->body_octets);
    for (int i = 0; i < SECTION_COUNT; i++)
        reply->counts[i] = response->counts[i];
    relay->ttl_seconds = count_down(relay, body);
}

size_t relay_write(struct relay *relay, uint8_t *buffer, size_t most)
{
    const struct response *response = relay->response;
    const struct query *query = relay->query;
    bool wants_ad = (query->flags & FLAG_AD) != 0 || query->dnssec_ok;
    bool has_ad = wants_ad && (response->bits & RESPONSE_AUTHENTIC) != 0;
    uint16_t rcode = response->rcode > 15 && !query->has_opt ? RCODE_SERVFAIL : response->rcode;
    struct reply reply;

    /* The body's compression pointers count on a question of this length in front of it. */
    assert(query->question_end == HEADER_OCTETS + query->name.length + 4U);
    relay->options->passed = response_ede(response);
    relay->options->passed_length = response->ede_octets;
    relay->ttl_seconds = 0;
    reply_start(&reply, relay->request, query, relay->options, buffer, most);
    write_body(relay, &reply);
    size_t length = reply_finish(&reply, (uint16_t)(FLAG_RA | (has_ad ? FLAG_AD : 0)), rcode);
    relay->answer_count = reply.counts[SECTION_ANSWER];
    return length;
}
