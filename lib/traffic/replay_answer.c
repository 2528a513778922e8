#include "traffic/replay_answer.h"

#include <string.h>

#include "base/bytes.h"
#include "forward/rr.h"
#include "wire/edns.h"
#include "wire/types.h"

enum { ANSWERS_AT = 6, AUTHORITIES_AT = 8, ADDITIONALS_AT = 10 };

/* ---- asking ---- */

static size_t write_request(uint8_t *out, const struct replay_question *question)
{
    size_t length = question->name->length;
    uint8_t *next = out + HEADER_OCTETS;

    memset(out, 0, REPLAY_REQUEST_OCTETS);
    store16(out + 2, FLAG_RD);
    store16(out + 4, 1);
    store16(out + ADDITIONALS_AT, 1);
    memcpy(next, question->name->octets, length);
    store16(next + length, question->type);
    store16(next + length + 2, CLASS_IN);
    next += length + 4;
    store16(next + 1, TYPE_OPT); /* behind the root */
    store16(next + 3, UDP_OCTETS_MOST);
    return (size_t)(next + OPT_OCTETS - out);
}

static void ask_by(struct replay_ask *ask, const struct snapshot *snapshot,
                   const struct replay_question *question)
{
    ask->exchange = (struct exchange){.request = ask->request,
                                      .request_length = write_request(ask->request, question),
                                      .path = *question->path,
                                      .transport = TRANSPORT_TCP,
                                      .reply = ask->reply};
    respond(snapshot, &ask->exchange);
}

/* ---- the reply ---- */

static uint64_t mix(uint64_t state, const uint8_t *octets, size_t length)
{
    /* Both sides are hashed alike, and nobody outside sees it. */
    static const struct hash_key key = {0x2d358dccaa6c78a5, 0x8bb84b93962eacc9};

    return hash_mix(state ^ 0x9e3779b97f4a7c15, hash_octets(&key, octets, length) | 1);
}

/* The data with its names written out; a SOA's serial is no change. */
static uint64_t hash_data(const uint8_t *message, const struct rr *record, uint64_t state)
{
    const uint8_t *at = record->data;
    uint8_t octets[NAME_MAX_OCTETS];

    if (record->type == TYPE_SOA)
        return state;
    if (rr_is_sound(message, record)) {
        const struct rr_names names = rr_names(record);
        state = mix(state, at, names.before);
        at += names.before;
        for (unsigned i = 0; i < names.count; i++) {
            at += rr_copy_name(message, at, octets);
            state = mix(state, octets, name_measure(octets));
        }
    }
    return mix(state, at, (size_t)(record->data + record->length - at));
}

/* A sum, because the order does not matter. */
static void add_record(const uint8_t *message, const struct rr *record,
                       struct replay_answer *answer)
{
    uint8_t type[2];
    struct name owner;

    rr_read_name(message, record->start, &owner);
    store16(type, record->type);
    uint64_t hash = mix(mix(0, owner.octets, owner.length), type, sizeof type);
    hash = hash_data(message, record, hash);
    answer->content += hash;
    answer->ttls += mix(hash, record->ttl, RR_TTL_OCTETS);
}

/* The reply is our own, so it can be read. */
static void read_records(const struct replay_ask *ask, struct replay_answer *answer)
{
    struct reader in = reader_over(ask->reply, ask->exchange.reply_length);
    uint32_t answers = load16(ask->reply + ANSWERS_AT),
             authorities = load16(ask->reply + AUTHORITIES_AT);
    uint32_t addresses = 0, others = 0, number = 0;
    struct rr record;

    in.next += ask->exchange.query.question_end;
    for (; rr_read(&in, &record); number++) {
        if (number < answers || (number >= answers + authorities && record.type != TYPE_OPT))
            add_record(ask->reply, &record, answer);
        if (number >= answers)
            continue;
        addresses += record.type == TYPE_A;
        others += record.type != TYPE_A && record.type != TYPE_CNAME;
    }
    if (answers == 0)
        return;
    answer->kind = addresses > 0 && others == 0 ? REPLAY_ADDRESSES : REPLAY_RECORDS;
    answer->count = answer->kind == REPLAY_ADDRESSES ? addresses : answers;
}

/* Its aliases are in the reply; what follows comes from upstreams. */
static void set_forwarded(const struct snapshot *snapshot, const struct verdict *verdict,
                          struct replay_answer *answer)
{
    const struct route *route = &snapshot->policy.routes.items[verdict->route];
    const uint8_t allows = route->allow_rebind;

    answer->kind = REPLAY_FORWARDED;
    answer->reason = REASON_NONE;
    answer->rcode = RCODE_NOERROR;
    answer->content += mix(mix(0, (const uint8_t *)route->upstreams, strlen(route->upstreams)),
                           &allows, sizeof allows);
}

void replay_answer_find(struct replay_ask *ask, const struct snapshot *snapshot,
                        const struct replay_question *question, struct replay_answer *answer)
{
    const struct exchange *exchange = &ask->exchange;
    const struct verdict *verdict = &exchange->verdict;

    ask_by(ask, snapshot, question);
    *answer = (struct replay_answer){.kind = REPLAY_EMPTY,
                                     .reason = verdict->reason,
                                     .rcode = exchange->rcode,
                                     .ttl_seconds = exchange->ttl_seconds};
    if (verdict->situation == SITUATION_INTROSPECTION) {
        answer->kind = exchange->answer_count > 0 ? REPLAY_RECORDS : REPLAY_EMPTY;
        return;
    }
    read_records(ask, answer);
    if (verdict->situation == SITUATION_UPSTREAM_FAILED)
        set_forwarded(snapshot, verdict, answer);
}

/* ---- comparing ---- */

enum replay_difference replay_answer_compare(const struct replay_answer *before,
                                             const struct replay_answer *after)
{
    if (before->kind != after->kind || before->reason != after->reason ||
        before->rcode != after->rcode || before->count != after->count)
        return REPLAY_OTHER;
    if (before->content != after->content)
        return REPLAY_OTHER_CONTENT;
    return before->ttls != after->ttls || before->ttl_seconds != after->ttl_seconds
               ? REPLAY_OTHER_TTL
               : REPLAY_SAME;
}

/* ---- words ---- */

static void add_count(struct text *text, uint32_t count, const char *other, const char *thing,
                      const char *plural)
{
    text_add_number(text, count);
    text_add_string(text, other);
    text_add_string(text, thing);
    text_add_string(text, count == 1 ? "" : plural);
}

static void add_empty(struct text *text, const struct replay_answer *answer)
{
    if (answer->rcode != RCODE_NOERROR)
        rcode_add(text, answer->rcode);
    else if (answer->reason == REASON_NONE)
        text_add_string(text, "no record");
}

static void add_kind(struct text *text, const struct replay_answer *answer, bool is_other)
{
    const char *other = is_other ? " other " : " ";

    switch (answer->kind) {
    case REPLAY_EMPTY:
        add_empty(text, answer);
        break;
    case REPLAY_ADDRESSES:
        add_count(text, answer->count, other, "address", "es");
        break;
    case REPLAY_RECORDS:
        add_count(text, answer->count, other, "record", "s");
        break;
    case REPLAY_FORWARDED:
        text_add_string(text, is_other ? "the answer of other upstreams" : "an upstream's answer");
        break;
    }
}

static void add_answer(struct text *text, const struct replay_answer *answer, bool is_other)
{
    bool stands_alone = answer->kind == REPLAY_EMPTY && answer->rcode == RCODE_NOERROR;

    add_kind(text, answer, is_other);
    if (answer->reason == REASON_NONE)
        return;
    text_add_string(text, stands_alone ? "" : " with ");
    text_add_string(text, reason_entry(answer->reason)->code);
}

void replay_answer_add(struct text *text, const struct replay_answer *answer)
{
    add_answer(text, answer, false);
}

static void add_ttls(struct text *text, const struct replay_answer *before,
                     const struct replay_answer *after)
{
    text_add_string(text, "the same with ");
    if (before->ttl_seconds == after->ttl_seconds) {
        text_add_string(text, "other TTLs");
        return;
    }
    text_add_string(text, "TTL ");
    text_add_number(text, after->ttl_seconds);
    text_add_string(text, " instead of ");
    text_add_number(text, before->ttl_seconds);
}

void replay_answer_add_change(struct text *text, enum replay_difference difference,
                              const struct replay_answer *before, const struct replay_answer *after)
{
    switch (difference) {
    case REPLAY_SAME:
        text_add_string(text, "the same");
        break;
    case REPLAY_OTHER_TTL:
        add_ttls(text, before, after);
        break;
    case REPLAY_OTHER_CONTENT:
        add_answer(text, after, true);
        break;
    case REPLAY_OTHER:
        add_answer(text, after, false);
        text_add_string(text, " instead of ");
        add_answer(text, before, false);
        break;
    }
}
