/**
 * Any octets, read as the value of a registry key with dynos.
 *
 * Invariants: no crash, no leak; a key with errors has a finding and no dynos; one without is
 * written, read again without a finding, and has the same dynos.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "answer/dyno_key.h"
#include "space/model.h"

static void must(bool holds)
{
    if (!holds)
        abort();
}

static bool is_running(const struct dyno_line *dyno)
{
    return dyno->state == DYNO_UP || dyno->state == DYNO_STARTING;
}

static void check_lines(const struct dyno_key *key)
{
    for (size_t i = 0; i < key->count; i++) {
        const struct dyno_line *dyno = &key->lines[i];
        must(dyno->number > 0 && dyno->state <= DYNO_DOWN && dyno->line > 0);
        must(dyno->ip != 0 || !is_running(dyno));
        must(i == 0 || dyno->line > key->lines[i - 1].line);
        /* Long values would take long. */
        for (size_t j = 0; j < i && i < 100; j++)
            must(
                key->lines[j].number != dyno->number &&
                (key->lines[j].ip != dyno->ip || !is_running(dyno) || !is_running(&key->lines[j])));
    }
}

static void check_same(const struct dyno_key *a, const struct dyno_key *b)
{
    must(a->count == b->count && !b->is_bad);
    for (size_t i = 0; i < a->count; i++)
        must(a->lines[i].number == b->lines[i].number && a->lines[i].ip == b->lines[i].ip &&
             a->lines[i].state == b->lines[i].state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct report *report = report_new();
    must(report != NULL);
    struct dyno_key *key =
        dyno_key_read("test-space", "bench", "web", 88, (struct octets){data, size}, report);

    must(key != NULL && key->is_bad == !report_is_clean(report));
    must(!key->is_bad || key->count == 0);
    check_lines(key);
    if (!key->is_bad) {
        size_t length = 0;
        char *written = dyno_key_write(key, &length);
        must(written != NULL);
        struct dyno_key *again =
            dyno_key_read("test-space", "bench", "web", 88,
                          (struct octets){(const uint8_t *)written, length}, report);
        must(again != NULL);
        if (length <= DYNO_KEY_OCTETS_MOST)
            check_same(key, again);
        dyno_key_free(again);
        free(written);
    }
    dyno_key_free(key);
    report_free(report);
    return 0;
}
