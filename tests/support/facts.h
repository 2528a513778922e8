#pragma once
/**
 * The records that responders serve in a test, and the responses made from them, by ldns and
 * never by the code under test.
 *
 * One fact is a line:
 *
 *     NAME TYPE TTL DATA...             a record; NAME may be a pattern (see fnmatch)
 *     NAME NODATA TTL [MINIMUM]         no record, with a SOA of this TTL and minimum
 *     NAME NXDOMAIN [TTL [MINIMUM]]     no such name; without TTL there is no SOA
 *     NAME RCODE [EDE [TEXT...]]        SERVFAIL and the like, with an extended error
 *
 * CNAMEs are followed. RRSIG records are sent with the records that they cover, to clients that set
 * DO. An error code beside records is a failed validation, which CD suppresses. Other names are
 * REFUSED.
 *
 * Threads: one at a time.  Memory: from malloc; facts_close frees it.
 */
#include <ldns/ldns.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FACT_MESSAGE_MOST = 65535 };

struct fact {
    char *name;      /* lower case, absolute */
    ldns_rr *record; /* NULL: a code */
    unsigned rcode;
    bool has_soa;
    uint32_t soa_ttl, soa_minimum;
    int ede; /* -1: none */
    char *text;
};

struct facts {
    struct fact *items;
    size_t count, capacity;
};

/** Takes a line in. Returns false, with nothing learnt, when it cannot be read. */
bool facts_learn(struct facts *facts, const char *line);

/** Forgets everything about a name, as it was written. */
void facts_forget(struct facts *facts, const char *name);

void facts_close(struct facts *facts);

/**
 * Answers a query. Returns the length of the response, which is cut to nothing with TC when it is
 * longer than `most`.
 */
size_t facts_answer(const struct facts *facts, const ldns_pkt *query, size_t most,
                    uint8_t out[FACT_MESSAGE_MOST]);
