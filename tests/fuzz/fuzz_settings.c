/**
 * Any octets, read as a settings file (first octet odd) or as a command line (even; words end at
 * zero octets).
 *
 * Invariants: no crash; what is refused says why; what is accepted has every number within its
 * range, at least one worker and one address to listen at.
 */
#include "fuzz/fuzz.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/settings.h"

enum { WORDS_MOST = 32, WORD_MOST = 512, PROBLEMS_OCTETS = 1 << 16 };

static void check(const struct settings *settings, enum settings_status status,
                  const char *problems)
{
    if (status != SETTINGS_READY) {
        if (problems[0] == '\0')
            abort();
        return;
    }
    if (problems[0] != '\0')
        abort();
    if (settings->help || settings->version)
        return;
    if (settings->workers < 1 || settings->workers > 256 || settings->listen.count < 1 ||
        settings->zones == NULL || settings->tcp_idle_ms < 100 || settings->external > 1 ||
        settings->localspace_to > 7 || settings->suffix_targets.count < 1)
        abort();
}

static void read_settings(int argc, char **argv)
{
    static char problems[PROBLEMS_OCTETS];
    FILE *out = fmemopen(problems, sizeof problems, "w");
    struct settings settings;

    problems[0] = '\0';
    enum settings_status status = settings_init(&settings, argc, argv, out);
    fclose(out);
    check(&settings, status, problems);
    settings_close(&settings);
}

static void read_as_file(const uint8_t *data, size_t size)
{
    char program[] = "spacednsd", flag[] = "--settings", path[64];
    char *argv[] = {program, flag, path, NULL};
    int descriptor = memfd_create("settings", MFD_CLOEXEC);

    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    if (descriptor < 0 || write(descriptor, data, size) != (ssize_t)size)
        abort();
    read_settings(3, argv);
    close(descriptor);
}

static void read_as_flags(const uint8_t *data, size_t size)
{
    static char words[WORDS_MOST][WORD_MOST];
    char program[] = "spacednsd";
    char *argv[WORDS_MOST + 1] = {program};
    int argc = 1;

    while (size > 0 && argc < WORDS_MOST) {
        size_t length = strnlen((const char *)data, size);
        snprintf(words[argc], WORD_MOST, "%.*s", (int)length, (const char *)data);
        argv[argc] = words[argc];
        argc++;
        size_t taken = length < size ? length + 1 : length;
        data += taken;
        size -= taken;
    }
    read_settings(argc, argv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if ((data[0] & 1) != 0)
        read_as_file(data + 1, size - 1);
    else
        read_as_flags(data + 1, size - 1);
    return 0;
}
