/* Dyno keys that are kept out for their own errors, and why. */
#include <stdlib.h>
#include <string.h>

#include "registry/mirror.h"

static struct mirror_reason *find_reason(struct mirror *mirror, const char *file)
{
    for (size_t i = 0; i < MIRROR_REASONS_MOST; i++)
        if (mirror->reasons[i].file != NULL && strcmp(mirror->reasons[i].file, file) == 0)
            return &mirror->reasons[i];
    return NULL;
}

static void free_reason(struct mirror_reason *reason)
{
    free(reason->file);
    free(reason->sentence);
    *reason = (struct mirror_reason){.file = NULL};
}

/* The oldest goes: what is told of many keys is told of some. */
static void add_reason(struct mirror *mirror, const struct finding *finding)
{
    struct mirror_reason *reason = &mirror->reasons[mirror->reason_next];

    if (find_reason(mirror, finding->file) != NULL)
        return;
    free_reason(reason);
    *reason = (struct mirror_reason){.file = strdup(finding->file),
                                     .sentence = strdup(finding->sentence),
                                     .code = finding->code};
    if (reason->file == NULL || reason->sentence == NULL)
        free_reason(reason);
    else
        mirror->reason_next = (mirror->reason_next + 1) % MIRROR_REASONS_MOST;
}

void mirror_note_findings(struct mirror *mirror, const struct report *report)
{
    const struct finding *findings = report_findings(report);

    for (size_t i = 0; i < report_total(report); i++)
        if (finding_level(findings[i].code) == FINDING_ERROR && findings[i].file != NULL &&
            strncmp(findings[i].file, "d/", 2) == 0)
            add_reason(mirror, &findings[i]);
}

void mirror_close_reasons(struct mirror *mirror)
{
    for (size_t i = 0; i < MIRROR_REASONS_MOST; i++)
        free_reason(&mirror->reasons[i]);
}

/* A key of an app that is there does not wait for one: it was refused. */
static bool is_bad(const struct mirror *mirror, const struct dyno_key *key)
{
    return key->is_bad || mirror_has_app(mirror, key->space, key->app);
}

size_t mirror_list_bad(struct mirror *mirror, struct mirror_bad *items, size_t most)
{
    size_t count = 0;

    for (size_t i = 0; i < mirror->waiting.used; i++) {
        const struct dyno_key *key = mirror->waiting.slots[i].key;
        if (key == NULL || !is_bad(mirror, key))
            continue;
        if (count < most) {
            dyno_key_file(key, items[count].file);
            items[count].reason = find_reason(mirror, items[count].file);
        }
        count++;
    }
    return count;
}
