#include "spacedns/support_archive.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "spacedns/support_program.h"

enum { FILE_MODE = 0600, NAME_OCTETS = 512, US_PER_SECOND = 1000000 };

/* ---- ustar ---- */

struct ustar {
    char name[USTAR_NAME_MOST];
    char mode[8];
    char user[8];
    char group[8];
    char size[12];
    char time[12];
    char checksum[8];
    char type;
    char link[100];
    char magic[6];
    char version[2];
    char names[64];
    char device[16];
    char prefix[155];
    char padding[12];
};

_Static_assert(sizeof(struct ustar) == USTAR_BLOCK_OCTETS, "a header is one block");

/* The sum counts the field itself as blanks. */
static unsigned sum_of(const struct ustar *header)
{
    const unsigned char *octets = (const unsigned char *)header;
    unsigned sum = 0;

    for (size_t i = 0; i < sizeof *header; i++)
        sum += octets[i];
    return sum;
}

void support_archive_header(const char *name, size_t length, long long at_s,
                            unsigned char block[USTAR_BLOCK_OCTETS])
{
    struct ustar header = {.mode = "0000600",
                           .user = "0000000",
                           .group = "0000000",
                           .checksum = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '},
                           .type = '0',
                           .magic = "ustar",
                           .version = {'0', '0'}};
    size_t name_length = strnlen(name, sizeof header.name);

    memcpy(header.name, name, name_length);
    snprintf(header.size, sizeof header.size, "%011llo", (unsigned long long)length);
    snprintf(header.time, sizeof header.time, "%011llo", (unsigned long long)at_s);
    snprintf(header.checksum, sizeof header.checksum, "%06o", sum_of(&header));
    header.checksum[7] = ' ';
    memcpy(block, &header, sizeof header);
}

/* ---- writing ---- */

static bool write_all(int to, const void *octets, size_t length)
{
    const char *next = octets;

    while (length > 0) {
        ssize_t written = write(to, next, length);
        if (written < 0 && errno != EINTR)
            return false;
        next += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

static bool write_part(int to, const struct support_part *part, const char *folder, long long at_s)
{
    static const char padding[USTAR_BLOCK_OCTETS];
    unsigned char block[USTAR_BLOCK_OCTETS];
    char name[NAME_OCTETS];
    size_t rest = part->length % USTAR_BLOCK_OCTETS;

    snprintf(name, sizeof name, "%s/%s", folder, part->name);
    support_archive_header(name, part->length, at_s, block);
    return write_all(to, block, sizeof block) && write_all(to, part->octets, part->length) &&
           write_all(to, padding, rest == 0 ? 0 : USTAR_BLOCK_OCTETS - rest);
}

static bool write_parts(int to, const struct support_parts *parts, const char *folder)
{
    static const char end[2 * USTAR_BLOCK_OCTETS];
    long long at_s = clock_wall_us() / US_PER_SECOND;
    bool done = true;

    for (size_t i = 0; i < parts->count && done; i++)
        done = parts->items[i].octets == NULL || write_part(to, &parts->items[i], folder, at_s);
    return done && write_all(to, end, sizeof end);
}

/* gzip says nothing of why it fails, and it has nothing else to do than to write. */
static bool compress(int file, const struct support_parts *parts, const char *folder,
                     struct err *err)
{
    char *const words[] = {"gzip", "-c", NULL};
    struct support_filter gzip;

    if (!support_filter_start(&gzip, words, file, err))
        return false;
    bool is_written = write_parts(gzip.input, parts, folder);
    if (support_filter_finish(&gzip, err) && is_written && fsync(file) == 0)
        return true;
    return err_set(err, ERR_SYSTEM,
                   "cannot be written completely; make room on the disk, or name "
                   "a file elsewhere");
}

static bool fail_to_open(int number, struct err *err)
{
    if (number == EEXIST)
        return err_set(err, ERR_SYSTEM, "exists already; name another file, or remove it");
    return err_set(err, ERR_SYSTEM, "cannot be written: %s; name a file elsewhere",
                   strerror(number));
}

bool support_archive_write(const struct support_parts *parts, const char *path, const char *folder,
                           struct err *err)
{
    struct sigaction before;
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);

    if (file < 0)
        return fail_to_open(errno, err);
    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, &before);
    bool done = fchmod(file, FILE_MODE) == 0 && compress(file, parts, folder, err);
    sigaction(SIGPIPE, &before, NULL);
    done = close(file) == 0 && done;
    if (!done)
        unlink(path);
    return done;
}
