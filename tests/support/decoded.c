#include "support/decoded.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void copy_text(char out[DECODED_TEXT_MOST], const uint8_t *octets, size_t length)
{
    if (length >= DECODED_TEXT_MOST)
        length = DECODED_TEXT_MOST - 1;
    memcpy(out, octets, length);
    out[length] = '\0';
}

static void read_ede(const uint8_t *data, size_t size, struct decoded *decoded)
{
    if (size < 2 || decoded->ede_count == DECODED_EDES_MOST)
        abort();
    struct decoded_ede *ede = &decoded->edes[decoded->ede_count++];
    ede->code = data[0] << 8 | data[1];
    copy_text(ede->text, data + 2, size - 2);
    if (decoded->ede_count == 1) {
        decoded->ede_code = ede->code;
        copy_text(decoded->ede_text, data + 2, size - 2);
    }
}

static void read_option(const ldns_edns_option *option, struct decoded *decoded)
{
    const uint8_t *data = ldns_edns_get_data(option);
    size_t size = ldns_edns_get_size(option);

    switch (ldns_edns_get_code(option)) {
    case LDNS_EDNS_EDE:
        read_ede(data, size, decoded);
        break;
    case LDNS_EDNS_NSID:
        copy_text(decoded->nsid, data, size);
        break;
    case LDNS_EDNS_KEEPALIVE:
        if (size != 2)
            abort();
        decoded->keepalive_100ms = data[0] << 8 | data[1];
        break;
    case LDNS_EDNS_COOKIE:
        if (size > sizeof decoded->cookie || decoded->cookie_octets > 0)
            abort();
        decoded->cookie_octets = (unsigned)size;
        memcpy(decoded->cookie, data, size);
        break;
    default:
        fprintf(stderr, "unexpected EDNS option %d\n", (int)ldns_edns_get_code(option));
        abort();
    }
}

static void read_edns(struct decoded *decoded)
{
    ldns_pkt *packet = decoded->packet;

    decoded->has_opt = ldns_pkt_edns(packet);
    if (!decoded->has_opt)
        return;
    decoded->udp_octets = ldns_pkt_edns_udp_size(packet);
    decoded->rcode |= (unsigned)ldns_pkt_edns_extended_rcode(packet) << 4;
    ldns_edns_option_list *options = ldns_pkt_edns_get_option_list(packet);
    for (size_t i = 0; options != NULL && i < ldns_edns_option_list_get_count(options); i++)
        read_option(ldns_edns_option_list_get_option(options, i), decoded);
}

static void show_octets(const uint8_t *octets, size_t length)
{
    for (size_t i = 0; i < length; i++)
        fprintf(stderr, "%02x", octets[i]);
    fprintf(stderr, "\n");
}

void decode(const uint8_t *octets, size_t length, struct decoded *decoded)
{
    ldns_pkt *packet = NULL;
    ldns_status status = ldns_wire2pkt(&packet, octets, length);

    if (status != LDNS_STATUS_OK) {
        fprintf(stderr, "ldns cannot read a reply: %s\n", ldns_get_errorstr_by_id(status));
        show_octets(octets, length);
        abort();
    }
    *decoded = (struct decoded){
        .packet = packet,
        .length = length,
        .id = ldns_pkt_id(packet),
        .rcode = ldns_pkt_get_rcode(packet),
        .qr = ldns_pkt_qr(packet),
        .aa = ldns_pkt_aa(packet),
        .tc = ldns_pkt_tc(packet),
        .rd = ldns_pkt_rd(packet),
        .ra = ldns_pkt_ra(packet),
        .ad = ldns_pkt_ad(packet),
        .cd = ldns_pkt_cd(packet),
        .question_count = ldns_pkt_qdcount(packet),
        .answer_count = (unsigned)ldns_rr_list_rr_count(ldns_pkt_answer(packet)),
        .authority_count = (unsigned)ldns_rr_list_rr_count(ldns_pkt_authority(packet)),
        .additional_count = (unsigned)ldns_rr_list_rr_count(ldns_pkt_additional(packet)),
        .ede_code = NO_EDE,
        .keepalive_100ms = -1,
    };
    read_edns(decoded);
}

void decoded_close(struct decoded *decoded)
{
    ldns_pkt_free(decoded->packet);
    decoded->packet = NULL;
}

static ldns_rr_list *section_of(const struct decoded *decoded, ldns_pkt_section section)
{
    switch (section) {
    case LDNS_SECTION_QUESTION:
        return ldns_pkt_question(decoded->packet);
    case LDNS_SECTION_ANSWER:
        return ldns_pkt_answer(decoded->packet);
    case LDNS_SECTION_AUTHORITY:
        return ldns_pkt_authority(decoded->packet);
    default:
        return ldns_pkt_additional(decoded->packet);
    }
}

const ldns_rr *decoded_record(const struct decoded *decoded, ldns_pkt_section section, size_t n)
{
    return ldns_rr_list_rr(section_of(decoded, section), n);
}

void record_print(const ldns_rr *record, char out[DECODED_RECORD_MOST])
{
    char *text = ldns_rr2str(record);
    size_t length = 0;

    for (const char *at = text; *at != '\0' && *at != '\n' && length < DECODED_RECORD_MOST - 1;
         at++) {
        bool is_blank = *at == ' ' || *at == '\t';
        if (!is_blank)
            out[length++] = *at;
        else if (length > 0 && out[length - 1] != ' ')
            out[length++] = ' ';
    }
    while (length > 0 && out[length - 1] == ' ')
        length--;
    out[length] = '\0';
    free(text);
}

bool decoded_has(const struct decoded *decoded, ldns_pkt_section section, const char *pattern)
{
    const ldns_rr_list *records = section_of(decoded, section);
    char text[DECODED_RECORD_MOST];

    for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++) {
        record_print(ldns_rr_list_rr(records, i), text);
        if (fnmatch(pattern, text, FNM_NOESCAPE) == 0)
            return true;
    }
    return false;
}

size_t decoded_addresses(const struct decoded *decoded, uint32_t *addresses, size_t most)
{
    const ldns_rr_list *records = ldns_pkt_answer(decoded->packet);
    size_t count = 0;

    for (size_t i = 0; i < ldns_rr_list_rr_count(records) && count < most; i++) {
        const ldns_rr *record = ldns_rr_list_rr(records, i);
        if (ldns_rr_get_type(record) == LDNS_RR_TYPE_A)
            addresses[count++] = ldns_read_uint32(ldns_rdf_data(ldns_rr_rdf(record, 0)));
    }
    return count;
}

static bool record_says(const ldns_rr *record, const char *pattern)
{
    for (size_t i = 0; i < ldns_rr_rd_count(record); i++) {
        const uint8_t *string = ldns_rdf_data(ldns_rr_rdf(record, i));
        char text[DECODED_TEXT_MOST];
        copy_text(text, string + 1, string[0]);
        if (fnmatch(pattern, text, FNM_NOESCAPE) == 0)
            return true;
    }
    return false;
}

bool decoded_says(const struct decoded *decoded, const char *pattern)
{
    const ldns_rr_list *records = ldns_pkt_answer(decoded->packet);

    for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++) {
        const ldns_rr *record = ldns_rr_list_rr(records, i);
        if (ldns_rr_get_type(record) == LDNS_RR_TYPE_TXT && record_says(record, pattern))
            return true;
    }
    return false;
}

const char *rcode_name(unsigned rcode)
{
    static const char *const names[] = {"NOERROR",  "FORMERR", "SERVFAIL",
                                        "NXDOMAIN", "NOTIMP",  "REFUSED"};

    if (rcode == 16)
        return "BADVERS";
    if (rcode == 23)
        return "BADCOOKIE";
    return rcode < sizeof names / sizeof names[0] ? names[rcode] : "RCODE?";
}
