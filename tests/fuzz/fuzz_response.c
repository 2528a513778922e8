/**
 * Any octets, read as an upstream's response: as they are, and as flags, counts and records after
 * the question that was asked, so that most inputs get to the records.
 *
 * A response that is read must be consistent and be relayed to clients of every size. Oracles: the
 * reply reads again as the same response, and ldns sees a chain of records from the question and
 * nothing else.
 */
#include "fuzz/fuzz.h"

#include <ldns/ldns.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "forward/relay.h"
#include "forward/rr.h"

enum { ID = 0x2b67, FRAME_OCTETS = 8, CLIENT_MOST = 64 };

static const uint8_t question_octets[] = "\3www\7example\3com\0\0\1\0\1";

enum { QUESTION_OCTETS = sizeof question_octets - 1, NAME_OCTETS = QUESTION_OCTETS - 4 };

/* The same question from clients with and without OPT; with AD and DO. */
static const struct {
    uint16_t flags;
    bool has_opt;
    bool dnssec_ok;
    size_t most;
} clients[] = {
    {0x0100, false, false, 512},   {0x0120, true, false, 512},   {0x0100, true, true, 1232},
    {0x0100, false, false, 65535}, {0x0120, true, false, 65535}, {0x0110, true, true, 65535},
};

struct response_room {
    alignas(struct response) uint8_t room[RESPONSE_OCTETS_MOST];
};

static struct response_room first, again;
static uint8_t message[UINT16_MAX], reply[UINT16_MAX];

static struct response *response_in(struct response_room *room)
{
    return (struct response *)(void *)room->room;
}

static void must(bool holds)
{
    if (!holds)
        abort();
}

static enum response_status read_response(const uint8_t *octets, size_t length,
                                          struct response_room *room)
{
    static struct name name;
    static struct question question;
    struct reader in = reader_over(question_octets, QUESTION_OCTETS);
    struct expected expected = {
        .question = &question, .id = ID, .name = question_octets, .is_exact = true};

    must(name_read(&in, &name));
    question = (struct question){.name = &name, .type = 1, .class = 1};
    return response_read(octets, length, &expected, response_in(room));
}

static bool note_private(void *context, uint32_t address)
{
    *(bool *)context |= ipv4_is_private(address);
    return false;
}

static void check_whole(const struct response *response)
{
    static const uint8_t nat64_bits[] = {0, 32, 40, 48, 56, 64, 96};
    const uint16_t *offsets = (const uint16_t *)(const void *)response->data;
    bool has_private = false;
    size_t count = (size_t)response->counts[0] + response->counts[1] + response->counts[2];

    must(response->octets == sizeof *response + 2U * response->ttl_count + response->ede_octets +
                                 response->body_octets);
    must(response->octets <= RESPONSE_OCTETS_MOST && response->ttl_count == count);
    must(response->ttl_seconds <= RESPONSE_TTL_MOST_SECONDS);
    must((response->bits & RESPONSE_NEGATIVE) == 0 ||
         response->ttl_seconds <= RESPONSE_NEGATIVE_TTL_MOST_SECONDS);
    for (size_t i = 0; i < count; i++) {
        must(offsets[i] + RR_TTL_OCTETS <= response->body_octets);
        must(load32(response_body(response) + offsets[i]) <= RESPONSE_TTL_MOST_SECONDS);
    }
    for (size_t i = 0; i < sizeof nat64_bits; i++)
        response_find_address(response, &(struct nat64_prefix){.bits = nat64_bits[i]}, note_private,
                              &has_private);
    must(!has_private || (response->bits & RESPONSE_PRIVATE_ADDRESS) != 0);
}

static size_t relay_to(size_t client, uint32_t age_seconds, bool is_stale)
{
    uint8_t request[CLIENT_MOST] = {ID >> 8, ID & 255, 0, 0, 0, 1};
    struct query query;
    struct reply_options options = {
        .has_ede = is_stale, .ede_code = 3, .ede_text = "Q23", .ede_length = 3};

    memcpy(request + HEADER_OCTETS, question_octets, QUESTION_OCTETS);
    must(query_read(request, HEADER_OCTETS + QUESTION_OCTETS, &query) == QUERY_READ);
    query.flags = clients[client].flags;
    query.has_opt = clients[client].has_opt;
    query.dnssec_ok = clients[client].dnssec_ok;
    struct relay relay = {.response = response_in(&first),
                          .age_seconds = age_seconds,
                          .is_stale = is_stale,
                          .request = request,
                          .query = &query,
                          .options = &options};
    size_t length = relay_write(&relay, reply, clients[client].most);
    must(length <= clients[client].most);
    must(relay.ttl_seconds <= RESPONSE_TTL_MOST_SECONDS);
    return length;
}

/* Relayed at once, a response is still the same. */
static void check_same(size_t length, bool has_opt)
{
    const struct response *response = response_in(&first), *reread = response_in(&again);
    enum response_status status = read_response(reply, length, &again);

    if ((load16(reply + 2) & FLAG_TC) != 0) {
        must(status == RESPONSE_TRUNCATED);
        return;
    }
    must(status == RESPONSE_READ);
    must(reread->rcode == response->rcode || (response->rcode > 15 && !has_opt));
    must(reread->body_octets == response->body_octets);
    must(memcmp(response_body(reread), response_body(response), response->body_octets) == 0);
    must(memcmp(reread->counts, response->counts, sizeof reread->counts) == 0);
    must(reread->ede_octets == 0 || reread->ede_octets == response->ede_octets || has_opt);
    must(reread->ttl_seconds == response->ttl_seconds || reread->rcode != response->rcode);
}

static ldns_rdf *target_of(const ldns_rr *record)
{
    return ldns_rr_rdf(record, 0);
}

/*
 * Every record of the answer is of the class asked and at the current name of the chain; a CNAME
 * leads to the next. Authority holds an SOA above the last name, if any.
 */
static void check_chain(const ldns_pkt *packet)
{
    const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(packet), 0);
    const ldns_rr_list *answer = ldns_pkt_answer(packet), *authority = ldns_pkt_authority(packet);
    const ldns_rdf *at = ldns_rr_owner(question), *next = at;

    for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
        const ldns_rr *record = ldns_rr_list_rr(answer, i);
        must(ldns_rr_get_class(record) == LDNS_RR_CLASS_IN);
        if (ldns_rr_get_type(record) == LDNS_RR_TYPE_RRSIG &&
            ldns_dname_compare(ldns_rr_owner(record), at) == 0)
            continue;
        must(ldns_dname_compare(ldns_rr_owner(record), next) == 0);
        at = next;
        if (ldns_rr_get_type(record) == LDNS_RR_TYPE_CNAME)
            next = target_of(record);
        else
            must(ldns_rr_get_type(record) == LDNS_RR_TYPE_A ||
                 ldns_rr_get_type(record) == LDNS_RR_TYPE_RRSIG);
    }
    for (size_t i = 0; i < ldns_rr_list_rr_count(authority); i++) {
        const ldns_rr *record = ldns_rr_list_rr(authority, i);
        must(ldns_rr_get_class(record) == LDNS_RR_CLASS_IN);
        must(ldns_rr_get_type(record) == LDNS_RR_TYPE_SOA);
        must(ldns_dname_compare(ldns_rr_owner(record), next) == 0 ||
             ldns_dname_is_subdomain(next, ldns_rr_owner(record)));
    }
    must(ldns_rr_list_rr_count(authority) <= 1);
    must(ldns_pkt_arcount(packet) == 0);
}

/* ldns can read the reply. */
static void ask_ldns(size_t reply_length)
{
    ldns_pkt *packet = NULL;

    must(ldns_wire2pkt(&packet, reply, reply_length) == LDNS_STATUS_OK);
    if (!ldns_pkt_tc(packet))
        check_chain(packet);
    ldns_pkt_free(packet);
}

static void try_octets(const uint8_t *octets, size_t length)
{
    enum response_status status = read_response(octets, length, &first);

    if (status == RESPONSE_MISMATCHED)
        return;
    must(length >= HEADER_OCTETS && load16(octets) == ID && (octets[2] & 0xf8) == 0x80);
    if (status != RESPONSE_READ)
        return;
    check_whole(response_in(&first));
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
        relay_to(i, 17, true);
        relay_to(i, UINT32_MAX, false);
        size_t reply_length = relay_to(i, 0, false);
        check_same(reply_length, clients[i].has_opt);
        ask_ldns(reply_length);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { RECORDS = HEADER_OCTETS + QUESTION_OCTETS };

    if (size <= sizeof message)
        try_octets(data, size);
    if (size < FRAME_OCTETS || size - FRAME_OCTETS > sizeof message - RECORDS)
        return 0;
    memcpy(message, "\x2b\x67..\0\1", 6);
    memcpy(message + 2, data, 2);
    memcpy(message + 6, data + 2, 6);
    memcpy(message + HEADER_OCTETS, question_octets, QUESTION_OCTETS);
    memcpy(message + RECORDS, data + FRAME_OCTETS, size - FRAME_OCTETS);
    try_octets(message, RECORDS + size - FRAME_OCTETS);
    return 0;
}
