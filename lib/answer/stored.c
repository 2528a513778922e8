#include "answer/stored.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Digits of pi: the checksum detects corruption, not forgery. */
static const struct hash_key checksum_key = {.first = 0x243f6a8885a308d3,
                                             .second = 0x13198a2e03707345};

uint64_t stored_checksum(const void *octets, size_t length)
{
    return hash_octets(&checksum_key, octets, length);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(((const struct stored_text *)a)->name, ((const struct stored_text *)b)->name);
}

bool stored_has_other_suffixes(const struct stored *stored, const struct suffixes *suffixes)
{
    return stored->suffixes.apps[0] != '\0' &&
           (strcmp(stored->suffixes.apps, suffixes->apps) != 0 ||
            strcmp(stored->suffixes.discovery, suffixes->discovery) != 0);
}

const struct stored_text *stored_find(const struct stored *stored, const char *name)
{
    const struct stored_text key = {.name = name};

    if (stored->text_count == 0)
        return NULL;
    return bsearch(&key, stored->texts, stored->text_count, sizeof key, compare_texts);
}

const char *stored_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static bool read_all(int descriptor, char *octets, size_t size, size_t *length)
{
    *length = 0;
    while (*length < size) {
        ssize_t got = read(descriptor, octets + *length, size - *length);
        if (got < 0 && errno != EINTR)
            return false;
        if (got == 0)
            break;
        *length += got > 0 ? (size_t)got : 0;
    }
    return true;
}

char *stored_read(const struct stored_text *text, size_t *length, bool *is_sound)
{
    int descriptor = open(text->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    char *octets = descriptor < 0 ? NULL : malloc(text->length + 1);

    if (octets != NULL && (lseek(descriptor, (off_t)text->skip, SEEK_SET) < 0 ||
                           !read_all(descriptor, octets, text->length, length))) {
        free(octets);
        octets = NULL;
    }
    if (descriptor >= 0)
        close(descriptor);
    *is_sound = octets != NULL && *length == text->length &&
                stored_checksum(octets, *length) == text->checksum;
    return octets;
}
