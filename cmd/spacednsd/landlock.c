#include "spacednsd/landlock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- the interface, which headers older than the kernel lack ---- */

enum { CREATE_RULESET_VERSION = 1, RULE_PATH_BENEATH = 1 };
enum { NAMES_OF_FOLDER = 2 }; /* its own and "."; and one ".." in each folder in it */

static const uint64_t execute = 1U << 0, write_file = 1U << 1, read_file = 1U << 2,
                      read_dir = 1U << 3, remove_dir = 1U << 4, remove_file = 1U << 5,
                      make_char = 1U << 6, make_dir = 1U << 7, make_reg = 1U << 8,
                      make_sock = 1U << 9, make_fifo = 1U << 10, make_block = 1U << 11,
                      make_sym = 1U << 12, refer = 1U << 13, truncate_file = 1U << 14,
                      ioctl_dev = 1U << 15;
static const uint64_t net_bind_tcp = 1U << 0;
/* Abstract sockets are left open: the service manager may listen on one. */
static const uint64_t scope_signal = 1U << 1;

struct ruleset {
    uint64_t files, net, scoped;
};

struct path_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

/* ---- what a version knows ---- */

static uint64_t files_of(unsigned abi)
{
    uint64_t files = execute | write_file | read_file | read_dir | remove_dir | remove_file |
                     make_char | make_dir | make_reg | make_sock | make_fifo | make_block |
                     make_sym;

    return files | (abi >= 2 ? refer : 0) | (abi >= 3 ? truncate_file : 0) |
           (abi >= 5 ? ioctl_dev : 0);
}

static bool fail(const char *what, struct err *err)
{
    switch (errno) {
    case ENOSYS:
        return err_set(err, ERR_SYSTEM, "the kernel has no Landlock (Linux 5.13 and later)");
    case EOPNOTSUPP:
        return err_set(
            err, ERR_SYSTEM,
            "Landlock is switched off in the kernel (add landlock to its parameter lsm=)");
    case EPERM:
        return err_set(err, ERR_SYSTEM,
                       "the container or the service manager does not allow Landlock");
    default: /* errno */
        return err_set(err, ERR_SYSTEM, "%s: %s", what, strerror(errno));
    }
}

bool landlock_begin(struct landlock *landlock, struct err *err)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

    if (abi < 1)
        return fail("landlock_create_ruleset", err);
    *landlock = (struct landlock){.abi = (unsigned)abi, .handled = files_of((unsigned)abi)};
    const struct ruleset ruleset = {
        .files = landlock->handled,
        .net = abi >= 4 ? net_bind_tcp : 0,
        .scoped = abi >= 6 ? scope_signal : 0,
    };
    /* Older kernels accept members that they do not know as long as these are zero. */
    landlock->ruleset = (int)syscall(SYS_landlock_create_ruleset, &ruleset, sizeof ruleset, 0);
    return landlock->ruleset >= 0 || fail("landlock_create_ruleset", err);
}

static uint64_t allowed(const struct landlock *landlock, enum landlock_use use, mode_t mode)
{
    const uint64_t of_files = write_file | read_file | truncate_file;
    uint64_t bits = read_file | read_dir;

    if (use == LANDLOCK_OWN)
        bits |=
            write_file | truncate_file | make_reg | make_dir | make_sock | remove_file | remove_dir;
    if (!S_ISDIR(mode))
        bits &= of_files;
    return bits & landlock->handled;
}

void landlock_allow(const struct landlock *landlock, const char *path, enum landlock_use use)
{
    struct path_rule rule = {.parent = open(path, O_PATH | O_CLOEXEC)};
    struct stat status;

    if (rule.parent < 0)
        return;
    if (fstat(rule.parent, &status) == 0) {
        rule.allowed = allowed(landlock, use, status.st_mode);
        syscall(SYS_landlock_add_rule, landlock->ruleset, RULE_PATH_BENEATH, &rule, 0);
    }
    close(rule.parent);
}

/* Another thread would stay as it is, with its capabilities. */
static bool is_only_thread(void)
{
    struct stat threads;

    return stat("/proc/self/task", &threads) != 0 || threads.st_nlink == NAMES_OF_FOLDER + 1;
}

bool landlock_enforce(struct landlock *landlock, struct err *err)
{
    assert(is_only_thread());
    bool is_enforced = syscall(SYS_landlock_restrict_self, landlock->ruleset, 0) == 0 ||
                       fail("landlock_restrict_self", err);

    close(landlock->ruleset);
    return is_enforced;
}
