#pragma once
/**
 * What an upstream said: responses made by ldns from records in text, never by the code under test.
 *
 *     uint8_t octets[SAID_OCTETS_MOST];
 *     size_t length = said_write(&(struct said){.name = "www.example.com.",
 *                                               .answer = "www.example.com. 60 IN A 192.0.2.1"},
 *                                octets);
 *
 * A member left at zero means the usual: type A, class IN, NOERROR, no OPT. Records are separated
 * by newlines; names are compressed as ldns does. A text that ldns cannot read ends the program.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SAID_OCTETS_MOST = 65535, SAID_ID = 0x2b67 };

struct said {
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

/** Writes the response, with the id SAID_ID. Returns its length. */
size_t said_write(const struct said *said, uint8_t *out);
