#include "space/checking.h"

#include <stdlib.h>
#include <string.h>

#include "wire/name.h"

enum { HOSTNAME_MAX = 253 };

void checking_close_seen(struct checking *checking, struct seen *seen)
{
    if (seen->is_out_of_memory)
        FIND(checking, MEMORY, (struct location){0}, "out of memory while the file was checked");
    seen_close(seen);
}

bool location_is_before(struct location a, struct location b)
{
    return a.line != b.line ? a.line < b.line : a.column < b.column;
}

static int compare_spans(const void *left, const void *right)
{
    const struct cidr_span *a = left;
    const struct cidr_span *b = right;
    uint32_t a_first = cidr_first(a->cidr);
    uint32_t b_first = cidr_first(b->cidr);

    if (a_first != b_first)
        return a_first < b_first ? -1 : 1;
    if (a->cidr.bits != b->cidr.bits)
        return a->cidr.bits < b->cidr.bits ? -1 : 1;
    return location_is_before(b->at, a->at) - location_is_before(a->at, b->at);
}

void spans_sort(struct cidr_span *spans, size_t count)
{
    if (count > 0)
        qsort(spans, count, sizeof *spans, compare_spans);
}

bool spans_cover(const struct cidr_span *spans, size_t count, struct cidr block)
{
    uint64_t uncovered = cidr_first(block);

    for (size_t i = 0; i < count && cidr_first(spans[i].cidr) <= uncovered; i++) {
        uint64_t end = (uint64_t)cidr_last(spans[i].cidr) + 1;
        if (end > uncovered)
            uncovered = end;
    }
    return uncovered > cidr_last(block);
}

const struct block *blocks_find(const struct blocks *blocks, uint32_t address)
{
    for (size_t i = 0; i < blocks->count; i++)
        if (cidr_contains(blocks->items[i].cidr, address))
            return &blocks->items[i];
    return NULL;
}

void text_add_cidr(struct text *text, struct cidr cidr)
{
    text_add_ipv4(text, cidr.address);
    text_add_string(text, "/");
    text_add_number(text, cidr.bits);
}

void blocks_list(const struct blocks *blocks, char *out, size_t size)
{
    struct text text = text_over(out, size - 1);

    for (size_t i = 0; i < blocks->count; i++) {
        text_add_separator(&text, i, blocks->count);
        text_add_cidr(&text, blocks->items[i].cidr);
    }
    *text.next = '\0';
}

bool label_is_ldh(const char *label, size_t length)
{
    if (length == 0 || length > LABEL_MAX_OCTETS || label[0] == '-' || label[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++) {
        char octet = label[i];
        bool is_letter = octet >= 'a' && octet <= 'z';
        if (!is_letter && !(octet >= '0' && octet <= '9') && octet != '-')
            return false;
    }
    return true;
}

/* Finds an octet that host names cannot contain; the label checks do not apply then. */
static const char *bad_octet(const char *name)
{
    if (strstr(name, "://") != NULL)
        return "is a URL; write its host name alone, as www.example.com";
    for (const char *octet = name; *octet != '\0'; octet++) {
        if ((unsigned char)*octet >= 0x80)
            return "is not ASCII; write it in Punycode (xn--...)";
        if (*octet == '*')
            return "has a * inside; a wildcard is one leading `*.`";
        if (*octet == '_')
            return "has an underscore, which host names do not; remove it";
    }
    return NULL;
}

static const char *label_flaw(const char *label, size_t length)
{
    if (length == 0)
        return "has an empty label; remove the extra dot";
    if (length > LABEL_MAX_OCTETS)
        return "has a label of more than 63 octets; shorten it";
    if (!label_is_ldh(label, length))
        return "has a label that is not letters, digits and inner hyphens; correct it";
    return NULL;
}

const char *hostname_flaw(const char *name)
{
    const char *flaw = bad_octet(name);
    const char *label = name;
    uint32_t address;

    if (flaw != NULL)
        return flaw;
    if (ipv4_read(name, &address))
        return "is an IP address; a domain needs a name";
    if (strlen(name) > HOSTNAME_MAX)
        return "is longer than 253 octets; shorten it";
    if (strchr(name, '.') == NULL)
        return "has one label only; write it in full, as api.example.com";
    while (flaw == NULL) {
        size_t length = strcspn(label, ".");
        flaw = label_flaw(label, length);
        if (label[length] == '\0')
            break;
        label += length + 1;
    }
    return flaw;
}
