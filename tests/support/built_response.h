#pragma once
/**
 * Responses of upstreams, made by ldns from records in text and never by the code under test.
 *
 *     uint8_t octets[BUILT_RESPONSE_OCTETS_MOST];
 *     size_t length = built_response_write(
 *         &(struct built_response){.name = "www.example.com.",
 *                                  .answer = "www.example.com. 60 IN A 192.0.2.1"},
 *         octets);
 *
 * A member left at zero means the usual: type A, class IN, NOERROR, no OPT. Records are separated
 * by newlines; names are compressed as ldns does. A text that ldns cannot read ends the program.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BUILT_RESPONSE_OCTETS_MOST = 65535, BUILT_RESPONSE_ID = 0x2b67 };

struct built_response {
    const char *name; /* presentation form, case kept */
    uint16_t type;    /* 0: A */
    uint16_t class;   /* 0: IN */
    uint16_t rcode;   /* codes above 15 need has_opt */
    const char *answer;
    const char *authority;
    const char *additional;
    bool tc;
    bool ad;
    bool has_opt;
    const char *options; /* of the OPT record, in hexadecimal; NULL: none */
    const char *behind;  /* records of the additional section behind OPT */
};

/** Writes the response, with the id BUILT_RESPONSE_ID. Returns its length. */
size_t built_response_write(const struct built_response *sent, uint8_t *out);
