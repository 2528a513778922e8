#include "support/built_response.h"

#include <assert.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 12, OPT = 41, UPSTREAM_UDP_OCTETS = 1232, LINE_MOST = 70000 };

static uint8_t *put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static void give_up(const char *what, const char *text)
{
    fprintf(stderr, "ldns cannot read the %s '%.80s'\n", what, text);
    abort();
}

static ldns_rr *read_record(const char *text)
{
    ldns_rr *record = NULL;

    if (ldns_rr_new_frm_str(&record, text, 0, NULL, NULL) != LDNS_STATUS_OK)
        give_up("record", text);
    return record;
}

static void push_records(ldns_pkt *packet, ldns_pkt_section section, const char *lines)
{
    static char line[LINE_MOST];

    while (lines != NULL && *lines != '\0') {
        size_t length = strcspn(lines, "\n");
        assert(length < sizeof line);
        memcpy(line, lines, length);
        line[length] = '\0';
        ldns_pkt_push_rr(packet, section, read_record(line));
        lines += length + (lines[length] == '\n');
    }
}

static void push_question(ldns_pkt *packet, const struct built_response *sent)
{
    ldns_rr *question = ldns_rr_new();
    ldns_rdf *name = NULL;

    if (ldns_str2rdf_dname(&name, sent->name) != LDNS_STATUS_OK)
        give_up("name", sent->name);
    ldns_rr_set_owner(question, name);
    ldns_rr_set_type(question, sent->type == 0 ? LDNS_RR_TYPE_A : sent->type);
    ldns_rr_set_class(question, sent->class == 0 ? LDNS_RR_CLASS_IN : sent->class);
    ldns_rr_set_question(question, true);
    ldns_pkt_push_rr(packet, LDNS_SECTION_QUESTION, question);
}

static ldns_pkt *make_packet(const struct built_response *sent)
{
    ldns_pkt *packet = ldns_pkt_new();

    ldns_pkt_set_id(packet, BUILT_RESPONSE_ID);
    ldns_pkt_set_qr(packet, true);
    ldns_pkt_set_rd(packet, true);
    ldns_pkt_set_ra(packet, true);
    ldns_pkt_set_ad(packet, sent->ad);
    ldns_pkt_set_tc(packet, sent->tc);
    ldns_pkt_set_rcode(packet, sent->rcode & 15);
    push_question(packet, sent);
    push_records(packet, LDNS_SECTION_ANSWER, sent->answer);
    push_records(packet, LDNS_SECTION_AUTHORITY, sent->authority);
    push_records(packet, LDNS_SECTION_ADDITIONAL, sent->additional);
    return packet;
}

static uint8_t *put_options(uint8_t *at, const char *hexadecimal)
{
    unsigned octet;
    int taken;

    for (; sscanf(hexadecimal, " %2x%n", &octet, &taken) == 1; hexadecimal += taken)
        *at++ = (uint8_t)octet;
    return at;
}

static uint8_t *put_opt(uint8_t *at, const struct built_response *sent)
{
    *at++ = 0;
    at = put16(at, OPT);
    at = put16(at, UPSTREAM_UDP_OCTETS);
    *at++ = (uint8_t)(sent->rcode >> 4);
    *at++ = 0; /* version */
    at = put16(at, 0);
    uint8_t *end = put_options(at + 2, sent->options != NULL ? sent->options : "");
    put16(at, (unsigned)(end - at - 2));
    return end;
}

static uint8_t *put_record(uint8_t *at, const char *text)
{
    ldns_rr *record = read_record(text);
    uint8_t *wire = NULL;
    size_t length = 0;

    if (ldns_rr2wire(&wire, record, LDNS_SECTION_ADDITIONAL, &length) != LDNS_STATUS_OK)
        give_up("record", text);
    memcpy(at, wire, length);
    free(wire);
    ldns_rr_free(record);
    return at + length;
}

size_t built_response_write(const struct built_response *sent, uint8_t *out)
{
    ldns_pkt *packet = make_packet(sent);
    unsigned additional = ldns_pkt_arcount(packet);
    uint8_t *wire = NULL;
    size_t length = 0;

    if (ldns_pkt2wire(&wire, packet, &length) != LDNS_STATUS_OK ||
        length > BUILT_RESPONSE_OCTETS_MOST)
        give_up("response about", sent->name);
    memcpy(out, wire, length);
    free(wire);
    ldns_pkt_free(packet);
    uint8_t *end = out + length;
    if (sent->has_opt) {
        end = put_opt(end, sent);
        additional++;
    }
    if (sent->behind != NULL) {
        end = put_record(end, sent->behind);
        additional++;
    }
    put16(out + HEADER - 2, additional);
    assert(end - out <= BUILT_RESPONSE_OCTETS_MOST);
    return (size_t)(end - out);
}
