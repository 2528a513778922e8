#include "source/overlay.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct overlay_text *find(const struct overlay *overlay, const char *name)
{
    for (size_t i = 0; i < overlay->text_count; i++)
        if (strcmp(overlay->texts[i].name, name) == 0)
            return &overlay->texts[i];
    return NULL;
}

static bool list(struct source *source, struct arena *arena, struct source_names *names,
                 struct err *err)
{
    const struct overlay *overlay = (struct overlay *)source;
    struct source_names base = {.count = 0};
    struct err cause; /* an empty base is no error */

    if (!overlay->base->list(overlay->base, arena, &base, &cause) && cause.code != ERR_RULE) {
        *err = cause;
        return false;
    }
    const char **all = arena_take(arena, (base.count + overlay->text_count + 1) * sizeof *all);
    if (all == NULL)
        return err_set(err, ERR_MEMORY, "out of memory while listing %s", source->root);
    size_t count = 0;
    for (size_t i = 0; i < base.count; i++)
        if (find(overlay, base.names[i]) == NULL)
            all[count++] = base.names[i];
    for (size_t i = 0; i < overlay->text_count; i++)
        if (overlay->texts[i].octets != NULL)
            all[count++] = overlay->texts[i].name;
    if (count == 0)
        return err_set(
            err, ERR_RULE,
            "%s would hold no zone file, and a server needs one; create another space first",
            source->root);
    *names = (struct source_names){.names = all, .count = count};
    source_names_sort(names);
    return true;
}

static struct source_stamp stamp(struct source *source, const char *name)
{
    const struct overlay *overlay = (struct overlay *)source;

    return find(overlay, name) == NULL ? overlay->base->stamp(overlay->base, name)
                                       : (struct source_stamp){.words = {0}};
}

static bool read_text(struct source *source, const char *name, struct source_text *text,
                      struct report *report)
{
    const struct overlay *overlay = (struct overlay *)source;
    const struct overlay_text *own = find(overlay, name);

    if (own == NULL)
        return overlay->base->read(overlay->base, name, text, report);
    assert(own->octets != NULL); /* a removed text is not listed */
    char *octets = malloc(own->length + 1);
    if (octets == NULL) {
        report_add(report, FINDING_MEMORY, name, (struct location){.line = 1},
                   "out of memory while the text was read");
        return false;
    }
    memcpy(octets, own->octets, own->length);
    *text = (struct source_text){.octets = octets, .length = own->length};
    return true;
}

void overlay_init(struct overlay *overlay, struct source *base, const struct overlay_text *texts,
                  size_t text_count)
{
    *overlay = (struct overlay){
        .source = {.root = base->root, .list = list, .stamp = stamp, .read = read_text},
        .base = base,
        .texts = texts,
        .text_count = text_count,
    };
}
