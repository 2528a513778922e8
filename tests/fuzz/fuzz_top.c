/**
 * Any octets as what a server sends for top.
 *
 * Invariants: no crash; what is printed is printable ASCII or DEL, which JSON leaves as it is and
 * no terminal obeys; printing what was read and reading it again changes nothing.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "inspect/top.h"

static char *print(const struct top *top)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    top_print_json(top, true, out);
    fclose(out);
    return text;
}

static void check_printable(const char *text)
{
    for (size_t i = 0; text[i] != '\0'; i++) {
        unsigned char octet = (unsigned char)text[i];
        if ((octet < ' ' || octet > 0x7f) && (octet != '\n' || text[i + 1] != '\0'))
            abort();
    }
}

static void check(const json_t *json)
{
    struct top top, again;

    if (!top_read(json, &top))
        return;
    char *printed = print(&top);
    check_printable(printed);
    json_t *read = json_loads(printed, 0, NULL);
    if (!top_read(read, &again))
        abort();
    char *reprinted = print(&again);
    if (strcmp(printed, reprinted) != 0)
        abort();
    free(printed);
    free(reprinted);
    json_decref(read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *json = json_loadb((const char *)data, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

    check(json);
    json_decref(json);
    return 0;
}
