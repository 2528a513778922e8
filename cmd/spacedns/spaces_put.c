#include "spacedns/spaces_put.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "space/zone_text.h"
#include "spacedns/spaces_apps_text.h"
#include "yaml/yaml_marks.h"

/* The new text: the old one with another value of `apps`. */
static bool write_spliced(struct arena *arena, const struct topology *topology,
                          const struct edit *edit, FILE *out, struct err *err)
{
    const struct yaml_mark *root = yaml_marks_read(arena, edit->text, edit->length, err);
    size_t start = zone_text_content(edit->text, edit->length), end = start;

    if (root == NULL)
        return false;
    if (root->is_flow)
        return err_set(
            err, ERR_RULE,
            "the zone file is written in braces; nothing was changed; write it in lines");
    const struct yaml_mark *key = yaml_marks_find(root, "apps");
    if (key != NULL) {
        const char *rest = edit->text + key->next->end;
        const char *stop = memchr(rest, '\n', edit->length - key->next->end);
        start = key->start;
        end = stop == NULL ? edit->length : (size_t)(stop - edit->text) + 1;
    }
    fwrite(edit->text, 1, start, out);
    if (start > 0 && edit->text[start - 1] != '\n')
        fputc('\n', out);
    apps_write(topology->apps, topology->app_count, out);
    fwrite(edit->text + end, 1, edit->length - end, out);
    return true;
}

bool topology_put(struct arena *arena, const struct topology *topology, struct edit *edit,
                  struct err *err)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    if (out == NULL)
        return err_set(err, ERR_MEMORY,
                       "out of memory; nothing was changed; free some, then try again");
    bool is_written = write_spliced(arena, topology, edit, out, err);
    is_written = fclose(out) == 0 && is_written;
    const char *kept = is_written ? arena_text(arena, text, length) : NULL;
    free(text);
    if (kept == NULL)
        return is_written &&
               err_set(err, ERR_MEMORY,
                       "out of memory; nothing was changed; free some, then try again");
    edit->text = kept;
    edit->length = length;
    return true;
}
