#include <stdlib.h>
#include <string.h>

#include "forward/rr.h"
#include "support/suite.h"
#include "wire/types.h"

/* Data of a type behind a header, the name "test." at offset 12 and the head of a record. */
static const char front[] = "............\4test\0\0\0\0\0\0\0\0\0\0\0";

enum { FRONT = sizeof front - 1 };

#define OCTETS(text) text, sizeof(text) - 1
#define TWENTY "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"
#define SIXTEEN "0123456789abcdef"
#define RRSIG_HEAD "\0\1\x0d\2\0\0\0\x3c\0\0\0\1\0\0\0\2\0\7"

static const struct {
    uint16_t type;
    const char *data;
    size_t length;
    bool is_sound;
} rows[] = {
    {TYPE_A, OCTETS("\xc0\0\2\1"), true},
    {TYPE_A, OCTETS("\xc0\0\2"), false},
    {TYPE_A, OCTETS("\xc0\0\2\1\0\0"), false},
    {TYPE_A, OCTETS(""), false},
    {TYPE_AAAA, OCTETS(SIXTEEN), true},
    {TYPE_AAAA, OCTETS("\xc0\0\2\1"), false},
    {TYPE_AAAA, OCTETS(SIXTEEN "0"), false},
    {TYPE_NS, OCTETS("\2ns\xc0\x0c"), true},
    {TYPE_NS, OCTETS("\2ns\0"), true},
    {TYPE_NS, OCTETS("\2ns\0x"), false},
    {TYPE_NS, OCTETS(""), false},
    {TYPE_CNAME, OCTETS("\xc0\x0c"), true},
    {TYPE_CNAME, OCTETS("\xc0\xff"), false},
    {TYPE_DNAME, OCTETS("\xc0\x0c"), true},
    {TYPE_DNAME, OCTETS("\xc0"), false},
    {TYPE_PTR, OCTETS("\1a"), false},
    {TYPE_SOA, OCTETS("\xc0\x0c\1a\xc0\x0c" TWENTY), true},
    {TYPE_SOA, OCTETS("\xc0\x0c\1a\xc0\x0c" TWENTY "\0"), false},
    {TYPE_SOA, OCTETS("\xc0\x0c" TWENTY), false},
    {TYPE_MX, OCTETS("\0\1\xc0\x0c"), true},
    {TYPE_MX, OCTETS("\0\1"), false},
    {TYPE_SRV, OCTETS("\0\1\0\1\0\1\0"), true},
    {TYPE_SRV, OCTETS("\0\1\0\1\0\1"), false},
    {TYPE_KX, OCTETS("\0\1\1a\0"), true},
    {TYPE_RP, OCTETS("\xc0\x0c\0"), true},
    {TYPE_RP, OCTETS("\xc0\x0c"), false},
    {TYPE_TXT, OCTETS("\3abc\0\1x"), true},
    {TYPE_TXT, OCTETS("\0"), true},
    {TYPE_TXT,
     OCTETS("\x14"
            "abc"),
     false},
    {TYPE_TXT, OCTETS(""), false},
    {TYPE_SPF, OCTETS("\3abc"), true},
    {TYPE_SPF, OCTETS("\4abc"), false},
    {TYPE_HINFO, OCTETS("\1a\1b"), true},
    {TYPE_HINFO, OCTETS("\1a"), false},
    {TYPE_HINFO, OCTETS("\1a\1b\0"), false},
    {TYPE_NAPTR, OCTETS("\0\1\0\2\1S\3sip\0\4_sip\xc0\x0c"), true},
    {TYPE_NAPTR, OCTETS("\0\1\0\2\1S\3sip\0"), false},
    {TYPE_CAA, OCTETS("\0\5issueca.test"), true},
    {TYPE_CAA, OCTETS("\0\5issue"), true},
    {TYPE_CAA, OCTETS("\0\0x"), false},
    {TYPE_CAA, OCTETS("\0\6issue"), false},
    {TYPE_CAA, OCTETS("\0"), false},
    {TYPE_URI, OCTETS("\0\1\0\1x"), true},
    {TYPE_URI, OCTETS("\0\1\0\1"), false},
    {TYPE_NID,
     OCTETS("\0\1"
            "01234567"),
     true},
    {TYPE_NID,
     OCTETS("\0\1"
            "0123456"),
     false},
    {TYPE_L32,
     OCTETS("\0\1"
            "0123"),
     true},
    {TYPE_L32,
     OCTETS("\0\1"
            "01234"),
     false},
    {TYPE_L64,
     OCTETS("\0\1"
            "01234567"),
     true},
    {TYPE_L64, OCTETS("\0\1"), false},
    {TYPE_LP, OCTETS("\0\1\1a\0"), true},
    {TYPE_LP, OCTETS("\0\1\1a"), false},
    {TYPE_GPOS, OCTETS("\1a\1b\1c"), true},
    {TYPE_GPOS, OCTETS("\1a\1b"), false},
    {TYPE_X25, OCTETS("\3abc"), true},
    {TYPE_X25,
     OCTETS("\4"
            "123"),
     false},
    {TYPE_ISDN, OCTETS("\1a\1b"), true},
    {TYPE_ISDN, OCTETS("\1a\2b"), false},
    {TYPE_LOC, OCTETS(SIXTEEN), true},
    {TYPE_LOC, OCTETS("0"), false},
    {TYPE_CERT, OCTETS("\0\1\0\1\5x"), true},
    {TYPE_CERT, OCTETS("\0\1\0\1"), false},
    {TYPE_SSHFP, OCTETS("\1\1x"), true},
    {TYPE_SSHFP, OCTETS("\1\1"), false},
    {TYPE_TLSA, OCTETS("\3\1\1x"), true},
    {TYPE_TLSA, OCTETS("\3\1\1"), false},
    {TYPE_OPENPGPKEY, OCTETS("x"), true},
    {TYPE_OPENPGPKEY, OCTETS(""), false},
    {TYPE_EUI48, OCTETS("123456"), true},
    {TYPE_EUI48, OCTETS("1234567"), false},
    {TYPE_EUI64, OCTETS("12345678"), true},
    {TYPE_EUI64, OCTETS("123456"), false},
    {TYPE_ZONEMD, OCTETS("\0\0\0\1\1\1x"), true},
    {TYPE_ZONEMD, OCTETS("\0\0\0\1\1\1"), false},
    {TYPE_DS, OCTETS("\0\1\x8\2x"), true},
    {TYPE_DS, OCTETS("\0\1\x8\2"), false},
    {TYPE_CDS, OCTETS("\0\0\0\0\0"), true},
    {TYPE_DNSKEY, OCTETS("\1\1\3\x8k"), true},
    {TYPE_DNSKEY, OCTETS("\1\1\3\x8"), false},
    {TYPE_CDNSKEY, OCTETS("\0\0\3\0\0"), true},
    {TYPE_RRSIG, OCTETS(RRSIG_HEAD "\4test\0s"), true},
    {TYPE_RRSIG, OCTETS(RRSIG_HEAD "\4test\0"), false},
    {TYPE_RRSIG, OCTETS(RRSIG_HEAD "\xc0\x0cs"), false},
    {TYPE_RRSIG, OCTETS(RRSIG_HEAD), false},
    {TYPE_NSEC, OCTETS("\1b\0\0\1\x40"), true},
    {TYPE_NSEC, OCTETS("\1b\0"), true},
    {TYPE_NSEC, OCTETS("\1b\0\0\1\x40\1\1\x40"), true},
    {TYPE_NSEC, OCTETS("\1b\0\1\1\x40\0\1\x40"), false},
    {TYPE_NSEC, OCTETS("\1b\0\0\0"), false},
    {TYPE_NSEC, OCTETS("\1b\0\0\2\x40"), false},
    {TYPE_NSEC, OCTETS("\1b\0\0\x21" SIXTEEN SIXTEEN "0"), false},
    {TYPE_NSEC, OCTETS("\xc0\x0c\0\1\x40"), false},
    {TYPE_NSEC3, OCTETS("\1\0\0\1\2sa\3has\0\1\x40"), true},
    {TYPE_NSEC3, OCTETS("\1\0\0\1\2sa"), false},
    {TYPE_NSEC3PARAM, OCTETS("\1\0\0\1\0"), true},
    {TYPE_NSEC3PARAM, OCTETS("\1\0\0\1"), false},
    {TYPE_CSYNC, OCTETS("\0\0\0\1\0\3\0\1\x40"), true},
    {TYPE_CSYNC, OCTETS("\0\0\0\1\0"), false},
    {TYPE_A6, OCTETS("\0" SIXTEEN), true},
    {TYPE_A6,
     OCTETS("\x40"
            "01234567\1a\0"),
     true},
    {TYPE_A6,
     OCTETS("\x40"
            "01234567"),
     false},
    {TYPE_A6, OCTETS("\x80\1a\0"), true},
    {TYPE_A6, OCTETS("\x81\1a\0"), false},
    {TYPE_HTTPS, OCTETS("\0\1\0"), true},
    {TYPE_HTTPS, OCTETS("\0\1"), false},
    {TYPE_HTTPS, OCTETS("\0\1\xc0\x0c"), false},
    {TYPE_HTTPS, OCTETS("\0\1\0\0\1\0\3\2h2\0\3\0\2\1\xbb\0\4\0\4\x0a\0\0\1"), true},
    {TYPE_HTTPS, OCTETS("\0\1\0\0\4\0\4\x0a\0\0\1\0\1\0\3\2h2"), false}, /* out of order */
    {TYPE_HTTPS, OCTETS("\0\1\0\0\1\0\3\2h2\0\1\0\3\2h3"), false},       /* twice */
    {TYPE_HTTPS, OCTETS("\0\1\0\0\1\0\3\3h2"), false},                   /* alpn cut short */
    {TYPE_HTTPS, OCTETS("\0\1\0\0\1\0\0"), false},
    {TYPE_HTTPS, OCTETS("\0\1\0\0\2\0\0"), true},
    {TYPE_HTTPS, OCTETS("\0\1\0\0\2\0\1x"), false},
    {TYPE_HTTPS, OCTETS("\0\1\0\0\3\0\1x"), false},
    {TYPE_HTTPS, OCTETS("\0\1\0\0\4\0\3\x0a\0\0"), false},
    {TYPE_HTTPS, OCTETS("\0\1\0\0\6\0\4\x0a\0\0\1"), false},
    {TYPE_SVCB, OCTETS("\0\1\0\0\6\0\x10" SIXTEEN), true},
    {TYPE_SVCB, OCTETS("\0\1\0\0\0\0\2\0\1"), true},
    {TYPE_SVCB, OCTETS("\0\1\0\0\0\0\1\0"), false},
    {TYPE_SVCB, OCTETS("\0\1\0\xff\0\0\5hello"), true},
    {TYPE_SVCB, OCTETS("\0\1\0\xff\0\0\6hello"), false},
    /* Without a form: anything. */
    {65280, OCTETS("\xc0\xff"), true},
    {65280, OCTETS(""), true},
};

TEST_OVER(data_has_the_form_of_its_type_to_the_last_octet, rows)
{
    size_t length = FRONT + rows[_i].length;
    uint8_t *message = malloc(length);
    struct rr record = {
        .data = message + FRONT, .type = rows[_i].type, .length = (uint16_t)rows[_i].length};

    memcpy(message, front, FRONT);
    memcpy(message + FRONT, rows[_i].data, rows[_i].length);
    ck_assert(rr_is_sound(message, &record) == rows[_i].is_sound);
    free(message);
}

static const struct {
    uint16_t type;
    const char *data;
    size_t length;
    struct rr_names names;
} places[] = {
    {TYPE_A, OCTETS("\xc0\0\2\1"), {.before = 4}},
    {TYPE_CNAME, OCTETS("\xc0\x0c"), {.count = 1, .may_point = true}},
    {TYPE_SOA, OCTETS("\xc0\x0c\1a\xc0\x0c" TWENTY), {.count = 2, .may_point = true}},
    {TYPE_MX, OCTETS("\0\1\xc0\x0c"), {.before = 2, .count = 1, .may_point = true}},
    {TYPE_SRV, OCTETS("\0\1\0\1\0\1\0"), {.before = 6, .count = 1}},
    {TYPE_NAPTR, OCTETS("\0\1\0\2\1S\3sip\0\4_sip\xc0\x0c"), {.before = 11, .count = 1}},
    {TYPE_RRSIG, OCTETS(RRSIG_HEAD "\4test\0s"), {.before = 18}},
    {65280, OCTETS("\xc0\xff"), {.before = 0}},
};

TEST_OVER(names_that_may_be_compressed_are_found, places)
{
    struct rr record = {.data = (const uint8_t *)places[_i].data,
                        .type = places[_i].type,
                        .length = (uint16_t)places[_i].length};
    struct rr_names names = rr_names(&record);

    ck_assert_uint_eq(names.count, places[_i].names.count);
    ck_assert(names.count == 0 || names.before == places[_i].names.before);
    ck_assert(names.may_point == places[_i].names.may_point);
}
