/**
 * Any octets, read as a name. Oracle: ldns.
 *
 * Both must agree on which octets form a name and where it ends, except for compression pointers,
 * which name_read refuses by contract. A name that was read is folded, padded and prints as text
 * that ldns reads back as the same octets.
 */
#include "fuzz/fuzz.h"

#include <ctype.h>
#include <ldns/ldns.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "wire/name.h"

enum { TEXT_MOST = 4 * NAME_MAX_OCTETS + 1 };

/* A pointer or a reserved label type where a length octet is due. */
static bool has_pointer(const uint8_t *data, size_t size)
{
    size_t at = 0;

    while (at < size && data[at] != 0 && data[at] <= LABEL_MAX_OCTETS)
        at += data[at] + 1U;
    return at < size && data[at] > LABEL_MAX_OCTETS;
}

static void check_folding(const uint8_t *data, const struct name *name)
{
    for (size_t i = 0; i < name->length; i++)
        if (name->octets[i] != (isupper(data[i]) ? data[i] + ('a' - 'A') : data[i]))
            abort();
    for (size_t i = name->length; i % 16 != 0; i++)
        if (name->octets[i] != 0)
            abort();
    if (name_measure(name->octets) != name->length)
        abort();
}

static void check_text(const struct name *name)
{
    char buffer[TEXT_MOST];
    struct text text = text_over(buffer, sizeof buffer - 1);
    ldns_rdf *read = NULL;

    name_add(&text, name->octets);
    *text.next = '\0';
    if (text.cut || ldns_str2rdf_dname(&read, buffer) != LDNS_STATUS_OK ||
        ldns_rdf_size(read) != name->length ||
        memcmp(ldns_rdf_data(read), name->octets, name->length) != 0)
        abort();
    ldns_rdf_deep_free(read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader in = reader_over(data, size);
    struct reader skipping = reader_over(data, size);
    struct name name;
    bool ours = name_read(&in, &name);
    ldns_rdf *oracle = NULL;
    size_t position = 0;

    if (has_pointer(data, size)) {
        if (ours)
            abort();
        return 0;
    }
    bool theirs = ldns_wire2dname(&oracle, data, size, &position) == LDNS_STATUS_OK;
    if (ours != theirs || in.failed == ours || (ours && position != name.length))
        abort();
    ldns_rdf_deep_free(oracle);
    if (!ours)
        return 0;
    check_folding(data, &name);
    check_text(&name);
    name_skip(&skipping);
    if (skipping.next != in.next)
        abort();
    return 0;
}
