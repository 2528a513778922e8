#include "spacednsd/seccomp.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SOCKET_TYPE = 0xf, /* without SOCK_NONBLOCK and SOCK_CLOEXEC */
    NEW_THREAD = CLONE_VM | CLONE_THREAD,
    BINARY_TREE = 2, /* of SCMP_FLTATR_CTL_OPTIMIZE */
};

const char *seccomp_library(void)
{
    return "libseccomp";
}

/* Returns 0 or a negative error number, like libseccomp. A call that the architecture does not
 * have, or libseccomp does not know, cannot be made either. */
static int add_rule(scmp_filter_ctx filter, const char *name, uint32_t action, unsigned count,
                    const struct scmp_arg_cmp *tests)
{
    int call = seccomp_syscall_resolve_name(name);
    int status =
        call == __NR_SCMP_ERROR ? 0 : seccomp_rule_add_array(filter, action, call, count, tests);

    return status == -EDOM ? 0 : status;
}

#define IS(argument, value)                                                                        \
    {                                                                                              \
        argument, SCMP_CMP_EQ, value, 0                                                            \
    }
#define HAS(argument, mask, bits)                                                                  \
    {                                                                                              \
        argument, SCMP_CMP_MASKED_EQ, mask, bits                                                   \
    }

/* Adds a rule with tests, unless one before has failed. */
#define ADD_IF(call, action, ...)                                                                  \
    {                                                                                              \
        const struct scmp_arg_cmp tests[] = {__VA_ARGS__};                                         \
        if (status == 0)                                                                           \
            status = add_rule(filter, #call, action, sizeof tests / sizeof *tests, tests);         \
    }
#define ADD(call, action)                                                                          \
    if (status == 0)                                                                               \
        status = add_rule(filter, #call, action, 0, NULL);

// NOLINTNEXTLINE(readability-function-size): a list
static int add_rules(scmp_filter_ctx filter, enum seccomp_mode mode, bool may_listen)
{
    const scmp_datum_t own_process = (scmp_datum_t)getpid();
    int status = 0;

#define ALLOW(call) ADD(call, SCMP_ACT_ALLOW)
#define ALLOW_WHEN(condition, call)                                                                \
    if (condition)                                                                                 \
    ADD(call, SCMP_ACT_ALLOW)
#define ALLOW_IF(call, ...) ADD_IF(call, SCMP_ACT_ALLOW, __VA_ARGS__)
#define FAIL(call, number) ADD(call, SCMP_ACT_ERRNO(number))
#define FAIL_IF(call, number, ...)                                                                 \
    if (mode == SECCOMP_KILLS)                                                                     \
    ADD_IF(call, SCMP_ACT_ERRNO(number), __VA_ARGS__)
#include "spacednsd/syscalls.def"
#undef ALLOW
#undef ALLOW_WHEN
#undef ALLOW_IF
#undef FAIL
#undef FAIL_IF
    return status;
}

bool seccomp_enter(enum seccomp_mode mode, bool may_listen, struct err *err)
{
    scmp_filter_ctx filter =
        seccomp_init(mode == SECCOMP_KILLS ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_LOG);

    if (filter == NULL)
        return err_set(err, ERR_SYSTEM, "libseccomp knows no filter for this kernel");
    /* What cannot be set is not needed: the tree is faster, and there is one thread. */
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, BINARY_TREE);
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    int status = add_rules(filter, mode, may_listen);
    if (status == 0)
        status = seccomp_load(filter);
    seccomp_release(filter);
    return status == 0 ||
           err_set(err, ERR_SYSTEM,
                   "the kernel, the container or the service manager allows no filter: %s",
                   strerror(-status));
}
