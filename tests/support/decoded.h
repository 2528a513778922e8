#pragma once
/**
 * Replies, read by ldns and never by the code under test.
 *
 * A reply that ldns cannot read ends the program.
 *
 * Memory: decoded_close frees what ldns made.
 */
#include <ldns/ldns.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DECODED_TEXT_MOST = 256,
    DECODED_RECORD_MOST = 4096,
    DECODED_EDES_MOST = 8,
    DECODED_COOKIE_OCTETS = 40,
    NO_EDE = -1
};

/** An extended error. */
struct decoded_ede {
    int code;
    char text[DECODED_TEXT_MOST];
};

struct decoded {
    ldns_pkt *packet; /* OPT is taken out of its additional section */
    size_t length;    /* octets */
    uint16_t id;
    unsigned rcode; /* with the extension of OPT */
    bool qr, aa, tc, rd, ra, ad, cd;
    unsigned question_count, answer_count, authority_count, additional_count;
    bool has_opt;
    uint16_t udp_octets;
    int ede_code; /* of the first one; NO_EDE: none */
    char ede_text[DECODED_TEXT_MOST];
    struct decoded_ede edes[DECODED_EDES_MOST]; /* all, in their order */
    unsigned ede_count;
    char nsid[DECODED_TEXT_MOST]; /* empty: none */
    int keepalive_100ms;          /* -1: none */
    unsigned cookie_octets;       /* 0: none */
    uint8_t cookie[DECODED_COOKIE_OCTETS];
};

/** Reads a reply, or ends the program. */
void decode(const uint8_t *octets, size_t length, struct decoded *decoded);

void decoded_close(struct decoded *decoded);

/** The n-th record of a section. */
const ldns_rr *decoded_record(const struct decoded *decoded, ldns_pkt_section section, size_t n);

/** Writes "owner TTL class type data" with single spaces and a closing zero octet. */
void record_print(const ldns_rr *record, char out[DECODED_RECORD_MOST]);

/** True when some record of the section, printed as above, matches the pattern (see fnmatch). */
bool decoded_has(const struct decoded *decoded, ldns_pkt_section section, const char *pattern);

/** Copies the addresses of the answer section's A records, in their order; returns their count. */
size_t decoded_addresses(const struct decoded *decoded, uint32_t *addresses, size_t most);

/** True when a character string of the answer's TXT records matches the pattern. */
bool decoded_says(const struct decoded *decoded, const char *pattern);

/** "NOERROR", "BADVERS"; for messages and stories. */
const char *rcode_name(unsigned rcode);
