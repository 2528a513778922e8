#include "answer/own_secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer/stored.h"

#define FILE_NAME "cookie-secrets"
#define DRAFT_NAME FILE_NAME ".new"

enum { FILE_MODE = 0600, FILE_OCTETS_MOST = 256, MODE_OF_OTHERS = 077 };

static const char first_line[] = "spacedns cookie-secrets 1\n";

bool own_secrets_roll_over(struct own_secrets *own, int64_t now_s)
{
    if (own->made_s > now_s) /* the clock was set back */
        own->made_s = now_s;
    if (own->secrets.count > 0 && now_s - own->made_s < OWN_SECRET_SECONDS)
        return false;
    memcpy(own->secrets.octets[1], own->secrets.octets[0], COOKIE_SECRET_OCTETS);
    arc4random_buf(own->secrets.octets[0], COOKIE_SECRET_OCTETS);
    own->secrets.count = own->secrets.count == 0 ? 1 : COOKIE_SECRETS_MOST;
    own->made_s = now_s;
    return true;
}

/* ---- the file ---- */

static int format_secret(char *out, size_t size, const uint8_t *secret)
{
    char digits[2 * COOKIE_SECRET_OCTETS + 1];

    for (size_t i = 0; i < COOKIE_SECRET_OCTETS; i++)
        snprintf(digits + 2 * i, 3, "%02x", secret[i]);
    return snprintf(out, size, "secret %s\n", digits);
}

/* Writes the whole file. Returns its length. */
static size_t format(const struct own_secrets *own, char out[FILE_OCTETS_MOST])
{
    size_t length =
        (size_t)snprintf(out, FILE_OCTETS_MOST, "%smade %" PRId64 "\n", first_line, own->made_s);

    for (uint32_t i = 0; i < own->secrets.count; i++)
        length +=
            (size_t)format_secret(out + length, FILE_OCTETS_MOST - length, own->secrets.octets[i]);
    uint64_t sum = stored_checksum(out, length);
    return length + (size_t)snprintf(out + length, FILE_OCTETS_MOST - length,
                                     "checksum %016" PRIx64 "\n", sum);
}

/* Reads "secret" and 32 digits. Returns what follows, NULL when it is not there. */
static const char *read_secret(const char *text, uint8_t *secret)
{
    int read = 0;

    if (strncmp(text, "secret ", 7) != 0)
        return NULL;
    text += 7;
    for (size_t i = 0; i < COOKIE_SECRET_OCTETS; i++, text += read)
        if (sscanf(text, "%2" SCNx8 "%n", &secret[i], &read) != 1 || read != 2)
            return NULL;
    return *text == '\n' ? text + 1 : NULL;
}

/* Whatever was read, the file is sound only if it would be written in the same way. */
static bool parse(const char *text, size_t length, struct own_secrets *own)
{
    char again[FILE_OCTETS_MOST];
    int read = 0;

    *own = (struct own_secrets){.made_s = 0};
    if (strncmp(text, first_line, sizeof first_line - 1) != 0)
        return false;
    text += sizeof first_line - 1;
    if (sscanf(text, "made %" SCNd64 "%n", &own->made_s, &read) != 1 || text[read] != '\n')
        return false;
    const char *next = text + read + 1;
    while (own->secrets.count < COOKIE_SECRETS_MOST && next != NULL && *next == 's')
        next = read_secret(next, own->secrets.octets[own->secrets.count++]);
    text -= sizeof first_line - 1;
    return next != NULL && own->secrets.count > 0 && format(own, again) == length &&
           memcmp(text, again, length) == 0;
}

static bool refuse(struct err *err, const char *why)
{
    return err_set(err, ERR_SYNTAX,
                   FILE_NAME
                   " in state_dir %s: a new secret was made; clients learn new cookies by "
                   "themselves",
                   why);
}

/* Reads an open file. */
static bool read_file(int descriptor, struct own_secrets *own, struct err *err)
{
    char text[FILE_OCTETS_MOST + 1];
    struct stat facts;

    if (fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode))
        return refuse(err, "is no regular file");
    if (facts.st_uid != geteuid())
        return refuse(err, "belongs to another user");
    if ((facts.st_mode & MODE_OF_OTHERS) != 0)
        return refuse(err, "was open to others (its mode must be 0600)");
    ssize_t length = read(descriptor, text, sizeof text - 1);
    if (length < 0)
        return refuse(err, "cannot be read");
    text[length] = '\0';
    return parse(text, (size_t)length, own) || refuse(err, "is damaged, or of another version");
}

bool own_secrets_read(int folder, struct own_secrets *own, struct err *err)
{
    int descriptor = openat(folder, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct own_secrets found;

    err->code = ERR_NONE;
    if (descriptor < 0)
        return errno != ENOENT && refuse(err, strerror(errno));
    bool is_sound = read_file(descriptor, &found, err);
    close(descriptor);
    if (is_sound)
        *own = found;
    return is_sound;
}

/* Leaves errno on failure. */
static bool write_draft(int folder, const char *text, size_t length)
{
    unlinkat(folder, DRAFT_NAME, 0);
    int descriptor =
        openat(folder, DRAFT_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);

    if (descriptor < 0)
        return false;
    errno = EIO; /* of a write that is cut short */
    bool is_written = write(descriptor, text, length) == (ssize_t)length && fsync(descriptor) == 0;
    int number = errno;
    close(descriptor);
    errno = number;
    return is_written;
}

bool own_secrets_write(int folder, const struct own_secrets *own, struct err *err)
{
    char text[FILE_OCTETS_MOST];
    size_t length = format(own, text);

    if (write_draft(folder, text, length) && renameat(folder, DRAFT_NAME, folder, FILE_NAME) == 0 &&
        fsync(folder) == 0)
        return true;
    err_set(err, ERR_SYSTEM,
            FILE_NAME " in state_dir cannot be written: %s; a restart makes a new secret",
            strerror(errno));
    unlinkat(folder, DRAFT_NAME, 0);
    return false;
}
