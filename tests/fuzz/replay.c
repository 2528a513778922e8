#include "fuzz/fuzz.h"

#include <assert.h>
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/**
 * Runs one fuzz target over its corpus, as an ordinary test: replay FOLDER | FILE...
 *
 * Each name is printed before its input runs, so that the last line is the one that crashed.
 */

__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

/* An allocation of exactly the input's size: a sanitizer then sees a read past its end. */
static void run(const uint8_t *octets, size_t length)
{
    uint8_t *input = malloc(length > 0 ? length : 1);
    assert(input != NULL);
    if (length > 0)
        memcpy(input, octets, length);
    LLVMFuzzerTestOneInput(input, length);
    free(input);
}

static bool replay_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *octets = malloc(size + 1);
    assert(octets != NULL);
    size_t length = file != NULL ? fread(octets, 1, size, file) : 0;
    bool complete = file != NULL && length == size;
    if (file != NULL)
        fclose(file);
    if (complete) {
        printf("%s\n", path);
        fflush(stdout);
        run(octets, length);
    } else {
        fprintf(stderr, "%s: cannot be read\n", path);
    }
    free(octets);
    return complete;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool replay_folder(const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_visible, alphasort);
    bool complete = count >= 0;
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];
        struct stat status;
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (stat(path, &status) != 0 || !replay_file(path, (size_t)status.st_size))
            complete = false;
        free(entries[i]);
    }
    free(entries);
    printf("%d inputs of %s\n", count, folder);
    return complete;
}

int main(int argc, char **argv)
{
    bool complete = true;

    LLVMFuzzerInitialize(&argc, &argv);
    run(NULL, 0);
    for (int i = 1; i < argc; i++) {
        struct stat status;
        if (stat(argv[i], &status) != 0)
            printf("%s: no corpus yet\n", argv[i]);
        else if (S_ISDIR(status.st_mode))
            complete = replay_folder(argv[i]) && complete;
        else
            complete = replay_file(argv[i], (size_t)status.st_size) && complete;
    }
    return complete ? EXIT_SUCCESS : EXIT_FAILURE;
}
