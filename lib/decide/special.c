#include "decide/special.h"

#include <string.h>

#include "base/address.h"
#include "decide/reverse.h"
#include "wire/types.h"

enum { ARPA_LABELS = 2, NIBBLES = 32, BITS_PER_LABEL = 8 };

/* A label in wire form and what it means at this level. */
struct entry {
    const char *label;
    enum special_kind kind;
};

/* The last label; is_usual knows the ends of these. */
static const struct entry tops[] = {
    {"\11localhost", SPECIAL_LOCALHOST}, {"\7invalid", SPECIAL_INVALID},
    {"\5local", SPECIAL_NOWHERE},        {"\10internal", SPECIAL_NOWHERE},
    {"\5onion", SPECIAL_NOWHERE},        {"\4test", SPECIAL_NOWHERE},
    {"\3alt", SPECIAL_NOWHERE},          {"\12localspace", SPECIAL_NOWHERE},
};

/* The label in front of arpa. */
static const struct entry arpa_tops[] = {
    {"\4home", SPECIAL_EMPTY},
    {"\10resolver", SPECIAL_NO_DATA},
};

/* Below in-addr.arpa; a zone ends at the label that holds the block's last bit. */
static const struct cidr blocks[] = {
    {0x0a000000, 8},  /* 10.0.0.0/8, RFC 1918 */
    {0xac100000, 12}, /* 172.16.0.0/12 */
    {0xc0a80000, 16}, /* 192.168.0.0/16 */
    {0x64400000, 10}, /* 100.64.0.0/10, shared (RFC 7793) */
    {0x00000000, 8},  /* 0.0.0.0/8, this network */
    {0x7f000000, 8},  /* 127.0.0.0/8, loopback */
    {0xa9fe0000, 16}, /* 169.254.0.0/16, link-local */
    {0xc0000200, 24}, /* 192.0.2.0/24, documentation */
    {0xc6336400, 24}, /* 198.51.100.0/24 */
    {0xcb007100, 24}, /* 203.0.113.0/24 */
    {0xffffffff, 32}, /* 255.255.255.255, broadcast */
};

/* Below ip6.arpa, the address's first nibble first. */
static const char *const prefixes[] = {
    "00000000000000000000000000000000", /* ::, unspecified */
    "00000000000000000000000000000001", /* ::1, loopback */
    "fd",                               /* fd00::/8, unique local */
    "fe8",                              /* fe80::/10, link-local */
    "fe9",
    "fea",
    "feb",
    "20010db8", /* 2001:db8::/32, documentation */
};

static bool label_equals(const uint8_t *label, const char *wanted)
{
    return *label == (uint8_t)wanted[0] && memcmp(label, wanted, 1U + *label) == 0;
}

static bool find_entry(const struct entry *entries, size_t count, const uint8_t *label,
                       enum special_kind *kind)
{
    for (size_t i = 0; i < count; i++)
        if (label_equals(label, entries[i].label)) {
            *kind = entries[i].kind;
            return true;
        }
    return false;
}

static void set_empty(struct special *special, size_t labels)
{
    *special =
        (struct special){.kind = SPECIAL_EMPTY, .label_count = (uint8_t)(ARPA_LABELS + labels)};
}

static bool find_block(const struct name *name, struct special *special)
{
    struct reverse reverse;

    if (!reverse_read(name, &reverse))
        return false;
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        unsigned octets = (blocks[i].bits + BITS_PER_LABEL - 1U) / BITS_PER_LABEL;
        if (reverse.octets < octets || !cidr_contains(blocks[i], reverse.address))
            continue;
        set_empty(special, octets);
        return true;
    }
    return false;
}

/* Reads the nibbles in front of ip6.arpa, outwards; returns how many. At most 127 labels. */
static unsigned read_nibbles(const struct name *name, char *nibbles)
{
    unsigned labels = name->label_count - ARPA_LABELS, count = labels;
    const uint8_t *label = name->octets;

    for (unsigned left = labels; left > 0; left--, label += *label + 1U) {
        if (*label != 1)
            count = left - 1; /* the labels further out can still be read */
        else if (left <= NIBBLES)
            nibbles[left - 1] = (char)label[1];
    }
    return count < NIBBLES ? count : NIBBLES;
}

static bool find_prefix(const struct name *name, struct special *special)
{
    char nibbles[NIBBLES];
    unsigned count = read_nibbles(name, nibbles);

    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        size_t length = strlen(prefixes[i]);
        if (count < length || memcmp(nibbles, prefixes[i], length) != 0)
            continue;
        set_empty(special, length);
        return true;
    }
    return false;
}

static bool find_in_arpa(const struct name *name, struct special *special)
{
    if (name->label_count < ARPA_LABELS)
        return false;
    const uint8_t *label = name_suffix(name, name->label_count - ARPA_LABELS);
    if (label_equals(label, "\7in-addr"))
        return find_block(name, special);
    if (label_equals(label, "\3ip6"))
        return find_prefix(name, special);
    special->label_count = ARPA_LABELS;
    return find_entry(arpa_tops, sizeof arpa_tops / sizeof arpa_tops[0], label, &special->kind);
}

/*
 * True when no name of `tops`, nor arpa, ends like this one. Most names that are not ours end in
 * com, net, org or io, and need no look at the table.
 */
static bool is_usual(const struct name *name)
{
    const uint8_t *end = name->octets + name->length - 1;

    if (name->length < 4) /* a label of one octet and the two around it */
        return false;
    switch (end[-2] << 8 | end[-1]) {
    case 's' << 8 | 't': /* localhost, test */
    case 'i' << 8 | 'd': /* invalid */
    case 'a' << 8 | 'l': /* local, internal */
    case 'o' << 8 | 'n': /* onion */
    case 'l' << 8 | 't': /* alt */
    case 'c' << 8 | 'e': /* localspace */
    case 'p' << 8 | 'a': /* arpa */
        return false;
    default: /* octets */
        return true;
    }
}

bool special_find(const struct name *name, struct special *special)
{
    if (name->label_count == 0 || is_usual(name))
        return false;
    const uint8_t *last = name_suffix(name, name->label_count - 1U);
    if (label_equals(last, "\4arpa"))
        return find_in_arpa(name, special);
    special->label_count = 1;
    return find_entry(tops, sizeof tops / sizeof tops[0], last, &special->kind);
}

static bool is_fixed(const struct special *special)
{
    return special->kind == SPECIAL_LOCALHOST || special->kind == SPECIAL_INVALID;
}

bool special_is_fixed(const struct name *zone)
{
    struct special special;
    return special_find(zone, &special) && is_fixed(&special);
}

static void answer(enum answer_kind kind, struct verdict *verdict)
{
    verdict_set(verdict, SITUATION_SPECIAL_DATA, RCODE_NOERROR, REASON_NONE);
    verdict->is_authoritative = true;
    verdict->answer = kind;
}

static void decide_localhost(const struct query *query, struct verdict *verdict)
{
    if (query->type == TYPE_A || query->type == TYPE_AAAA || query->type == TYPE_ANY)
        answer(ANSWER_LOCALHOST, verdict);
    else
        verdict_negative(verdict, SITUATION_SPECIAL_NO_DATA, RCODE_NOERROR, REASON_NONE);
}

bool special_decide(const struct route *route, const struct query *query, struct verdict *verdict)
{
    struct special special;

    if (!special_find(&query->name, &special))
        return false;
    /* Both hold the name, so the one with more labels lies inside the other. */
    if (route->zone.label_count >= special.label_count && !is_fixed(&special))
        return false;
    bool is_top = query->name.label_count == special.label_count;
    bool has_name = special.kind == SPECIAL_NO_DATA || (special.kind == SPECIAL_EMPTY && is_top);
    verdict->host = NULL; /* it belongs to a non-internal app, which answers nothing here */
    verdict->soa_label = (uint8_t)(query->name.label_count - special.label_count);
    if (special.kind == SPECIAL_LOCALHOST)
        decide_localhost(query, verdict);
    else if (special.kind == SPECIAL_EMPTY && is_top && query->type == TYPE_SOA)
        answer(ANSWER_SOA, verdict);
    else if (has_name)
        verdict_negative(verdict, SITUATION_SPECIAL_NO_DATA, RCODE_NOERROR, REASON_SPECIAL_USE);
    else
        verdict_negative(verdict, SITUATION_SPECIAL, RCODE_NXDOMAIN, REASON_SPECIAL_USE);
    return true;
}
