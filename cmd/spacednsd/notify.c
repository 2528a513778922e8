#include "spacednsd/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/log.h"
#include "base/number.h"

enum { NS_PER_US = 1000 };

/* ---- the socket ---- */

/* Returns false for a name that no socket can have. */
static bool read_address(struct notify *notify, const char *name)
{
    size_t length = strlen(name);

    notify->address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if ((name[0] != '/' && name[0] != '@') || length < 2 ||
        length >= sizeof notify->address.sun_path)
        return false;
    memcpy(notify->address.sun_path, name, length);
    /* An abstract name begins with a zero octet and has no closing one (unix(7)). */
    if (name[0] == '@')
        notify->address.sun_path[0] = '\0';
    notify->address_size =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (name[0] == '/'));
    return true;
}

static void log_failure(struct notify *notify, const char *reason)
{
    struct log_line line;

    if (notify->has_failed)
        return;
    notify->has_failed = true;
    log_start(&line, LOG_WARNING, "notify_failed");
    log_string(&line, "socket", getenv("NOTIFY_SOCKET"));
    log_string(&line, "cause", reason);
    log_string(&line, "text",
               "the service manager gets no message; the server goes on, but the manager may take "
               "it for one that does not start or does not answer");
    log_send(&line);
}

void notify_open(struct notify *notify)
{
    const char *name = getenv("NOTIFY_SOCKET");

    *notify = (struct notify){.descriptor = -1};
    if (name == NULL || name[0] == '\0')
        return;
    if (!read_address(notify, name)) {
        log_failure(notify, "NOTIFY_SOCKET is neither a path nor an abstract name");
        return;
    }
    notify->descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (notify->descriptor < 0)
        log_failure(notify, strerror(errno));
}

void notify_close(struct notify *notify)
{
    if (notify->descriptor >= 0)
        close(notify->descriptor);
    notify->descriptor = -1;
}

bool notify_is_used(const struct notify *notify)
{
    return notify->descriptor >= 0;
}

/* ---- messages ---- */

enum sending { SENT, IS_FULL, IS_GONE };

/* `descriptor` goes along; -1: none. */
static ssize_t send_with(const struct notify *notify, const char *message, int descriptor)
{
    union {
        struct cmsghdr header;
        char octets[CMSG_SPACE(sizeof descriptor)];
    } control = {.octets = {0}};
    struct iovec part = {.iov_base = (void *)(uintptr_t)message, .iov_len = strlen(message)};
    struct msghdr header = {.msg_name = (void *)(uintptr_t)&notify->address,
                            .msg_namelen = notify->address_size,
                            .msg_iov = &part,
                            .msg_iovlen = 1};

    if (descriptor >= 0) {
        header.msg_control = &control;
        header.msg_controllen = sizeof control.octets;
        control.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                          .cmsg_type = SCM_RIGHTS,
                                          .cmsg_len = CMSG_LEN(sizeof descriptor)};
        memcpy(CMSG_DATA(&control.header), &descriptor, sizeof descriptor);
    }
    return sendmsg(notify->descriptor, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static enum sending send_passing(struct notify *notify, const char *message, int descriptor)
{
    if (send_with(notify, message, descriptor) >= 0) {
        notify->has_failed = false;
        return SENT;
    }
    if (errno == EAGAIN || errno == ENOBUFS)
        return IS_FULL;
    log_failure(notify, strerror(errno));
    return IS_GONE;
}

static enum sending send_message(struct notify *notify, const char *message)
{
    return send_passing(notify, message, -1);
}

bool notify_flush(struct notify *notify)
{
    if (notify->kept[0] == '\0')
        return true;
    if (!notify_is_used(notify) || send_message(notify, notify->kept) != IS_FULL)
        notify->kept[0] = '\0';
    return notify->kept[0] == '\0';
}

/* The newest message about the state says all that an older one would. */
static void send_state(struct notify *notify, const char *message)
{
    if (notify_is_used(notify) && send_message(notify, message) == IS_FULL)
        snprintf(notify->kept, sizeof notify->kept, "%s", message);
    else
        notify->kept[0] = '\0';
}

static void send_other(struct notify *notify, const char *message)
{
    if (notify_is_used(notify) && notify_flush(notify))
        send_message(notify, message);
}

/* Appends STATUS=; a newline in it would begin another assignment. */
static void add_status(char message[NOTIFY_OCTETS_MOST], const char *status)
{
    char escaped[NOTIFY_STATUS_MOST];
    size_t length = strlen(message);

    if (status == NULL)
        return;
    escape_string(escaped, sizeof escaped, status);
    snprintf(message + length, NOTIFY_OCTETS_MOST - length, "STATUS=%s\n", escaped);
}

void notify_ready(struct notify *notify, const char *status)
{
    char message[NOTIFY_OCTETS_MOST] = "READY=1\n";

    add_status(message, status);
    send_state(notify, message);
}

void notify_reloading(struct notify *notify, const char *status)
{
    char message[NOTIFY_OCTETS_MOST];

    snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%llu\n",
             (unsigned long long)(clock_monotonic_ns() / NS_PER_US));
    add_status(message, status);
    send_state(notify, message);
}

void notify_stopping(struct notify *notify, const char *status)
{
    char message[NOTIFY_OCTETS_MOST] = "STOPPING=1\n";

    add_status(message, status);
    send_state(notify, message);
}

void notify_main_pid(struct notify *notify, pid_t pid, const char *status)
{
    char message[NOTIFY_OCTETS_MOST];

    snprintf(message, sizeof message, "MAINPID=%ld\nREADY=1\n", (long)pid);
    add_status(message, status);
    send_state(notify, message);
}

void notify_status(struct notify *notify, const char *status)
{
    char message[NOTIFY_OCTETS_MOST] = "";

    add_status(message, status);
    send_other(notify, message);
}

void notify_alive(struct notify *notify)
{
    send_other(notify, "WATCHDOG=1\n");
}

void notify_extend(struct notify *notify, uint64_t us)
{
    char message[NOTIFY_OCTETS_MOST];

    snprintf(message, sizeof message, "EXTEND_TIMEOUT_USEC=%llu\n", (unsigned long long)us);
    send_other(notify, message);
}

/* ---- the store ---- */

void notify_store(struct notify *notify, const char *name, int descriptor)
{
    char message[NOTIFY_OCTETS_MOST];

    /* Without FDPOLL=0 the manager would let go of a socket that has an ICMP error pending. */
    snprintf(message, sizeof message, "FDSTORE=1\nFDNAME=%s\nFDPOLL=0\n", name);
    if (notify_is_used(notify) && notify_flush(notify))
        send_passing(notify, message, descriptor);
}

void notify_unstore(struct notify *notify, const char *name)
{
    char message[NOTIFY_OCTETS_MOST];

    snprintf(message, sizeof message, "FDSTOREREMOVE=1\nFDNAME=%s\n", name);
    send_other(notify, message);
}

/* ---- the watchdog ---- */

static bool read_number(const char *name, uint64_t *number)
{
    const char *value = getenv(name);

    return value != NULL && number_from_text(value, strlen(value), number);
}

uint64_t notify_watchdog_us(void)
{
    uint64_t us, pid;

    if (!read_number("WATCHDOG_USEC", &us))
        return 0;
    /* Without WATCHDOG_PID every process of the unit is meant. */
    if (getenv("WATCHDOG_PID") != NULL &&
        (!read_number("WATCHDOG_PID", &pid) || pid != (uint64_t)getpid()))
        return 0;
    return us;
}
