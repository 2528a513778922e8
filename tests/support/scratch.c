#include "support/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void must(bool worked, const char *what)
{
    if (worked)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    abort();
}

static void join(char path[SCRATCH_PATH_MOST], const char *folder, const char *name)
{
    int length = snprintf(path, SCRATCH_PATH_MOST, "%s/%s", folder, name);
    must(length > 0 && length < SCRATCH_PATH_MOST, name);
}

void scratch_init(struct scratch *folder)
{
    const char *base = getenv("TMPDIR");

    join(folder->path, base != NULL && base[0] != '\0' ? base : "/tmp", "spacedns-test-XXXXXX");
    must(mkdtemp(folder->path) != NULL, folder->path);
}

static int is_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Locks and drafts, too. */
static int is_any(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int is_zone_file(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 5 && strcmp(entry->d_name + length - 5, ".yaml") == 0;
}

static void clear(struct scratch *folder, int (*is_meant)(const struct dirent *))
{
    struct dirent **entries = NULL;
    int count = scandir(folder->path, &entries, is_meant, alphasort);

    must(count >= 0, folder->path);
    for (int i = 0; i < count; i++) {
        scratch_remove(folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

void scratch_clear(struct scratch *folder)
{
    clear(folder, is_file);
}

void scratch_close(struct scratch *folder)
{
    clear(folder, is_any);
    must(rmdir(folder->path) == 0, folder->path);
}

void scratch_remove_folder(const char *path)
{
    char command[SCRATCH_PATH_MOST + 64];
    int length = snprintf(command, sizeof command, "rm -rf '%s'", path);

    must(length > 0 && (size_t)length < sizeof command, path);
    must(system(command) == 0, path); // NOLINT: a folder of the test's own
}

void scratch_write(struct scratch *folder, const char *name, const char *text, size_t length)
{
    char path[SCRATCH_PATH_MOST], half[SCRATCH_PATH_MOST];

    join(path, folder->path, name);
    join(half, folder->path, ".half-written");
    FILE *file = fopen(half, "wb");
    must(file != NULL && fwrite(text, 1, length, file) == length, half);
    must(fclose(file) == 0 && rename(half, path) == 0, path);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static void copy_file(struct scratch *folder, const char *path)
{
    size_t length;
    char *text = file_read(path, &length);

    must(text != NULL, path);
    scratch_write(folder, base_name(path), text, length);
    free(text);
}

void scratch_copy(struct scratch *folder, const char *path)
{
    struct stat status;
    struct dirent **entries = NULL;

    must(stat(path, &status) == 0, path);
    if (!S_ISDIR(status.st_mode)) {
        copy_file(folder, path);
        return;
    }
    int count = scandir(path, &entries, is_zone_file, alphasort);
    must(count > 0, path);
    for (int i = 0; i < count; i++) {
        char from[SCRATCH_PATH_MOST];
        join(from, path, entries[i]->d_name);
        copy_file(folder, from);
        free(entries[i]);
    }
    free(entries);
}

void scratch_remove(struct scratch *folder, const char *name)
{
    char path[SCRATCH_PATH_MOST];

    join(path, folder->path, name);
    must(unlink(path) == 0, path);
}

bool scratch_edit(struct scratch *folder, const char *name, const char *old, const char *new)
{
    char path[SCRATCH_PATH_MOST];
    size_t length;

    join(path, folder->path, name);
    char *text = file_read(path, &length);
    must(text != NULL, path);
    char *found = strstr(text, old);
    if (found != NULL) {
        size_t front = (size_t)(found - text);
        size_t edited_length = length - strlen(old) + strlen(new);
        char *edited = malloc(edited_length + 1);
        must(edited != NULL, path);
        memcpy(edited, text, front);
        memcpy(edited + front, new, strlen(new));
        memcpy(edited + front + strlen(new), found + strlen(old), length - front - strlen(old));
        scratch_write(folder, name, edited, edited_length);
        free(edited);
    }
    free(text);
    return found != NULL;
}

char *file_read(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    struct stat status;

    if (file == NULL)
        return NULL;
    must(fstat(fileno(file), &status) == 0, path);
    char *text = malloc((size_t)status.st_size + 1);
    must(text != NULL, path);
    *length = fread(text, 1, (size_t)status.st_size, file);
    must(*length == (size_t)status.st_size, path);
    text[*length] = '\0';
    fclose(file);
    return text;
}
