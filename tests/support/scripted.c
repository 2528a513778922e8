#include "support/scripted.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

enum { HEADER = 12, TYPE_A = 1, TYPE_NS = 2, TYPE_SOA = 6, TYPE_OPT = 41, OPTION_EDE = 15 };

void scripted_must(bool holds, const char *what)
{
    if (!holds)
        ck_abort_msg("%s", what);
}

/* ---- The link ---- */

static bool link_send(struct link *link, const struct link_query *query)
{
    struct scripted *scripted = (struct scripted *)(void *)link;

    scripted_must(query->ticket < scripted->tickets, "the ticket is one of the pool");
    scripted_must(scripted->by_ticket[query->ticket] == 0, "a ticket is sent when it is not open");
    scripted_must(query->length <= UPSTREAM_QUERY_OCTETS_MOST, "a query has its bounds");
    if (scripted->is_exhausted ||
        (scripted->open_most > 0 && scripted->open >= scripted->open_most))
        return false;
    scripted_must(scripted->count < scripted->capacity, "there is room for queries");
    struct scripted_query *sent = &scripted->queries[scripted->count++];
    *sent = (struct scripted_query){.ticket = query->ticket,
                                    .server = query->server,
                                    .over_stream = query->over_stream,
                                    .client = query->client,
                                    .is_open = true,
                                    .length = query->length};
    memcpy(sent->octets, query->octets, query->length);
    scripted->by_ticket[query->ticket] = scripted->count;
    scripted->open++;
    return true;
}

static void link_forget(struct link *link, link_ticket ticket)
{
    struct scripted *scripted = (struct scripted *)(void *)link;

    scripted_must(ticket < scripted->tickets, "the ticket is one of the pool");
    scripted_must(scripted->by_ticket[ticket] != 0, "a ticket is forgotten once");
    scripted->queries[scripted->by_ticket[ticket] - 1].is_open = false;
    scripted->by_ticket[ticket] = 0;
    scripted->open--;
}

void scripted_init(struct scripted *scripted, size_t capacity, size_t tickets)
{
    *scripted = (struct scripted){
        .link = {.send = link_send, .forget = link_forget},
        .queries = calloc(capacity, sizeof scripted->queries[0]),
        .capacity = capacity,
        .by_ticket = calloc(tickets, sizeof scripted->by_ticket[0]),
        .tickets = tickets,
    };
    scripted_must(scripted->queries != NULL, "there is memory");
    scripted_must(scripted->by_ticket != NULL, "there is memory");
}

void scripted_close(struct scripted *scripted)
{
    free(scripted->queries);
    free(scripted->by_ticket);
}

/* ---- Replies ---- */

static uint8_t *put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
    return put16(put16(at, value >> 16), value & 0xffff);
}

/* The fixed part of a record whose owner is the name asked. */
static uint8_t *put_record(uint8_t *at, unsigned type, uint32_t ttl, unsigned data_length)
{
    at = put16(at, 0xc00c);
    at = put16(at, type);
    at = put16(at, 1);
    at = put32(at, ttl);
    return put16(at, data_length);
}

static uint8_t *put_soa(uint8_t *at, uint32_t ttl)
{
    at = put_record(at, TYPE_SOA, ttl, 2 + 5 * 4);
    *at++ = 0; /* primary server and mailbox: the root */
    *at++ = 0;
    for (int i = 0; i < 4; i++)
        at = put32(at, 1);
    return put32(at, ttl);
}

static uint8_t *put_opt(uint8_t *at, const struct scripted_reply *reply)
{
    size_t ede = reply->ede == NULL ? 0 : strlen(reply->ede);

    *at++ = 0;
    at = put16(at, TYPE_OPT);
    at = put16(at, 1232);
    at = put32(at, (uint32_t)(reply->rcode >> 4) << 24);
    at = put16(at, reply->ede == NULL ? 0 : (unsigned)(6 + ede));
    if (reply->ede == NULL)
        return at;
    at = put16(at, OPTION_EDE);
    at = put16(at, (unsigned)(2 + ede));
    at = put16(at, 22);
    memcpy(at, reply->ede, ede);
    return at + ede;
}

static size_t question_length(const struct scripted_query *query)
{
    size_t at = HEADER;

    while (query->octets[at] != 0)
        at += query->octets[at] + 1U;
    return at + 5 - HEADER;
}

static uint8_t *put_question(uint8_t *at, const struct scripted_query *query,
                             const struct scripted_reply *reply)
{
    size_t length = question_length(query);

    memcpy(at, query->octets + HEADER, length);
    for (size_t i = 0; reply->folds_case && i < length; i++)
        at[i] = (uint8_t)tolower(at[i]);
    if (reply->has_wrong_question)
        at[1] = at[1] == 'x' ? 'y' : 'x';
    return at + length;
}

size_t scripted_write(const struct scripted_query *query, const struct scripted_reply *reply,
                      uint8_t *out)
{
    bool has_opt = (scripted_has_edns(query) && !reply->has_no_question) || reply->rcode > 15;
    unsigned answers = (reply->address != 0) + (unsigned)reply->is_cut_short;
    uint8_t *at = put16(out, scripted_id(query) ^ (reply->has_wrong_id ? 0x0101U : 0));

    at = put16(at, 0x8180U | (reply->is_truncated ? 0x0200U : 0) | (reply->rcode & 15U));
    at = put16(at, !reply->has_no_question);
    at = put16(at, answers);
    at = put16(at, reply->has_soa);
    at = put16(at, has_opt);
    if (!reply->has_no_question)
        at = put_question(at, query, reply);
    if (reply->address != 0)
        at = put32(put_record(at, TYPE_A, reply->ttl_seconds, 4), reply->address);
    if (reply->is_cut_short)
        return (size_t)(at - out);
    if (reply->has_soa)
        at = put_soa(at, reply->ttl_seconds);
    if (has_opt)
        at = put_opt(at, reply);
    return (size_t)(at - out);
}

void scripted_reply(struct scripted *scripted, size_t number, const struct scripted_reply *reply)
{
    uint8_t octets[SCRIPTED_REPLY_OCTETS_MOST];

    scripted_must(number < scripted->count, "the query was sent");
    scripted_deliver(scripted, number, octets,
                     scripted_write(&scripted->queries[number], reply, octets));
}

void scripted_deliver(struct scripted *scripted, size_t number, const uint8_t *octets,
                      size_t length)
{
    const struct link_listener *listener = &scripted->link.listener;

    scripted_must(number < scripted->count, "the query was sent");
    scripted_must(scripted->queries[number].is_open, "nothing comes after forget");
    listener->on_response(listener->context, scripted->queries[number].ticket, octets, length);
}

void scripted_fail(struct scripted *scripted, size_t number, enum link_failure failure)
{
    const struct link_listener *listener = &scripted->link.listener;

    scripted_must(number < scripted->count, "the query was sent");
    scripted_must(scripted->queries[number].is_open, "nothing comes after forget");
    listener->on_failure(listener->context, scripted->queries[number].ticket, failure);
}

const struct question *scripted_ask(struct scripted_question *asked, const char *name)
{
    static const struct hash_key key = {.first = 0x0123456789abcdef, .second = 0xfedcba9876543211};

    asked->query = (struct query){.type = TYPE_A, .class = 1};
    scripted_must(name_from_text(name, &asked->query.name), name);
    uint64_t hash = hash_padded(&key, asked->query.name.octets, asked->query.name.length);
    asked->question = question_of(&asked->query, hash);
    return &asked->question;
}

uint16_t scripted_id(const struct scripted_query *query)
{
    return (uint16_t)(query->octets[0] << 8 | query->octets[1]);
}

bool scripted_has_edns(const struct scripted_query *query)
{
    return query->octets[11] == 1;
}

bool scripted_is_probe(const struct scripted_query *query)
{
    size_t type = HEADER + question_length(query) - 4;

    return query->octets[type] == 0 &&
           (query->octets[type + 1] == TYPE_NS || query->octets[type + 1] == TYPE_SOA);
}
