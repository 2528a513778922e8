#pragma once
/**
 * A link without sockets: it records what is sent, and the test makes the servers reply.
 *
 *     fetch table ──send──► scripted.queries[0], [1], ...
 *     fetch table ◄──scripted_reply, _deliver, _fail── the test
 *
 * It checks the contract of link.h: a ticket is not reused before it is forgotten, is forgotten
 * once, and is not used after that; a violation ends the program. Replies are written octet by
 * octet after the RFCs and never by the code under test.
 *
 * Sources: RFC 1035 section 4.1; RFC 6891 section 6.1; RFC 8914 section 2.
 * Memory: scripted_init allocates everything.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forward/link.h"
#include "forward/response.h"

enum { SCRIPTED_REPLY_OCTETS_MOST = 1024 };

/** A query that was sent. */
struct scripted_query {
    link_ticket ticket;
    uint8_t server;
    bool over_stream;
    uint64_t client;
    bool is_open; /* not forgotten */
    size_t length;
    uint8_t octets[UPSTREAM_QUERY_OCTETS_MOST];
};

struct scripted {
    struct link link;
    struct scripted_query *queries;
    size_t count;
    size_t capacity;
    size_t open;
    size_t *by_ticket; /* 1 + number of the open query */
    size_t tickets;
    size_t open_most;  /* most open queries; 0: no bound */
    bool is_exhausted; /* nothing can be sent */
};

/** A reply. All zeros: NOERROR without records. */
struct scripted_reply {
    uint16_t rcode;
    uint32_t address; /* an A record for the name asked, in host order; 0: none */
    uint32_t ttl_seconds;
    const char *ede; /* text of an EDE option, code 22; NULL: none */
    bool has_soa;    /* in the authority section, with that TTL and minimum */
    bool is_truncated;
    bool has_wrong_id;
    bool has_wrong_question;
    bool has_no_question;
    bool folds_case;
    bool is_cut_short; /* the header counts one answer record more than there is */
};

/** `capacity` queries at most, `tickets` at most at once. */
void scripted_init(struct scripted *scripted, size_t capacity, size_t tickets);
void scripted_close(struct scripted *scripted);

/** Writes a reply to a query. Returns its length. */
size_t scripted_write(const struct scripted_query *query, const struct scripted_reply *reply,
                      uint8_t *out);

/** Has the server of a query reply; send these octets; fail. */
void scripted_reply(struct scripted *scripted, size_t number, const struct scripted_reply *reply);
void scripted_deliver(struct scripted *scripted, size_t number, const uint8_t *octets,
                      size_t length);
void scripted_fail(struct scripted *scripted, size_t number, enum link_failure failure);

/** Ends the program unless it holds. Unlike ck_assert it allocates nothing when it does. */
void scripted_must(bool holds, const char *what);

/** A question with its name; do not move it. */
struct scripted_question {
    struct query query;
    struct question question;
};

/** Makes the question for a name, of type A and class IN. */
const struct question *scripted_ask(struct scripted_question *asked, const char *name);

/** Fields of a query. */
uint16_t scripted_id(const struct scripted_query *query);
bool scripted_has_edns(const struct scripted_query *query);

/** True for a probe, which asks for NS or SOA; no test asks for these. */
bool scripted_is_probe(const struct scripted_query *query);
