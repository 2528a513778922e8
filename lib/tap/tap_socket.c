#include "tap/tap_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum { SLICE_MS = 50, CAUSE_OCTETS = 128 };

static const uint64_t ns_per_ms = 1000000;

bool tap_socket_init(struct tap_socket *socket, const char *path)
{
    *socket = (struct tap_socket){.address.sun_family = AF_UNIX, .descriptor = -1};
    if (strlen(path) >= sizeof socket->address.sun_path)
        return false;
    strcpy(socket->address.sun_path, path); // NOLINT: measured above
    return true;
}

static bool is_stopping(const struct tap_socket *socket)
{
    return atomic_load(&socket->stops_ns) != 0;
}

static void report_connected(struct tap_socket *socket)
{
    struct log_line line;

    socket->is_reported = false;
    log_start(&line, LOG_INFO, "dnstap_connected");
    log_string(&line, "path", socket->address.sun_path);
    log_send(&line);
}

static void report_unconnected(struct tap_socket *socket, const char *what, int error)
{
    struct log_line line;
    char cause[CAUSE_OCTETS];

    if (socket->is_reported || is_stopping(socket))
        return;
    socket->is_reported = true;
    snprintf(cause, sizeof cause, "%s: %s", what, strerror(error));
    log_start(&line, LOG_WARNING, "dnstap_unconnected");
    log_string(&line, "path", socket->address.sun_path);
    log_string(&line, "cause", cause);
    log_string(&line, "text",
               "no dnstap messages are sent; start the receiver, and let the server's user write "
               "to its socket: it is connected to as soon as that works");
    log_send(&line);
}

/* Closes because of a problem. Returns false. */
static bool give_up(struct tap_socket *socket, const char *what, int error)
{
    tap_socket_close(socket);
    report_unconnected(socket, what, error);
    return false;
}

void tap_socket_close(struct tap_socket *socket)
{
    atomic_store_explicit(&socket->has_receiver, false, memory_order_relaxed);
    if (socket->descriptor >= 0)
        close(socket->descriptor);
    socket->descriptor = -1;
    socket->has_spoken = false;
}

bool tap_socket_open(struct tap_socket *tap)
{
    if (tap->descriptor >= 0)
        give_up(tap, "handshake", EPROTO);
    tap->descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (tap->descriptor < 0)
        return give_up(tap, "socket", errno);
    if (connect(tap->descriptor, (const struct sockaddr *)&tap->address, sizeof tap->address) != 0)
        return give_up(tap, "connect", errno);
    return true;
}

/* When waiting ends that began at `begun_ns`. */
static uint64_t end_of_patience(const struct tap_socket *socket, uint64_t begun_ns)
{
    uint64_t stops_ns = atomic_load(&socket->stops_ns);
    uint64_t end_ns = begun_ns + TAP_PATIENCE_MS * ns_per_ms;

    return stops_ns != 0 && stops_ns < end_ns ? stops_ns : end_ns;
}

/* In slices, for the server may begin to stop meanwhile. Returns false when patience ends. */
static bool wait_for(const struct tap_socket *socket, short events)
{
    struct pollfd ready = {.fd = socket->descriptor, .events = events};
    uint64_t begun_ns = clock_monotonic_ns();

    while (poll(&ready, 1, SLICE_MS) <= 0)
        if (clock_monotonic_ns() >= end_of_patience(socket, begun_ns))
            return false;
    return true;
}

/* The time for the rest is over; the receiver may be reading all the while. */
static bool has_stopped(const struct tap_socket *socket)
{
    uint64_t stops_ns = atomic_load(&socket->stops_ns);

    return stops_ns != 0 && clock_monotonic_ns() >= stops_ns;
}

/* After a call that did nothing: true to try again. */
static bool may_continue(const struct tap_socket *socket, short events, int *error)
{
    if (*error == EINTR)
        return true;
    if (*error != EAGAIN)
        return false;
    *error = ETIMEDOUT;
    return wait_for(socket, events);
}

bool tap_socket_read(struct tap_socket *socket, void *out, size_t length)
{
    for (size_t done = 0; done < length && socket->descriptor >= 0;) {
        ssize_t count = recv(socket->descriptor, (uint8_t *)out + done, length - done, 0);
        int error = count == 0 ? ECONNRESET : errno;
        if (count > 0)
            done += (size_t)count;
        else if (!may_continue(socket, POLLIN, &error))
            return give_up(socket, "read", error);
    }
    socket->has_spoken = socket->descriptor >= 0;
    return socket->has_spoken;
}

/* The library goes on to write only to one whose words it has understood. */
static void note_receiver(struct tap_socket *socket)
{
    if (!socket->has_spoken || tap_socket_has_receiver(socket))
        return;
    if (!is_stopping(socket))
        report_connected(socket);
    atomic_store_explicit(&socket->has_receiver, true, memory_order_relaxed);
}

/* Takes what was written off the parts. */
static void advance(struct msghdr *message, size_t written)
{
    while (message->msg_iovlen > 0 && written >= message->msg_iov->iov_len) {
        written -= message->msg_iov->iov_len;
        message->msg_iov++;
        message->msg_iovlen--;
    }
    if (message->msg_iovlen == 0)
        return;
    message->msg_iov->iov_base = (uint8_t *)message->msg_iov->iov_base + written;
    message->msg_iov->iov_len -= written;
}

bool tap_socket_write(struct tap_socket *socket, const struct iovec *parts, int count)
{
    struct iovec rest[TAP_PARTS_MOST];
    struct msghdr message = {.msg_iov = rest, .msg_iovlen = (size_t)count};

    if (count < 0 || count > TAP_PARTS_MOST)
        return give_up(socket, "write", E2BIG);
    memcpy(rest, parts, (size_t)count * sizeof *rest);
    while (message.msg_iovlen > 0 && socket->descriptor >= 0) {
        if (has_stopped(socket))
            return give_up(socket, "write", ETIMEDOUT);
        ssize_t written = sendmsg(socket->descriptor, &message, MSG_NOSIGNAL);
        int error = errno;
        if (written >= 0)
            advance(&message, (size_t)written);
        else if (!may_continue(socket, POLLOUT, &error))
            return give_up(socket, "write", error);
    }
    if (socket->descriptor >= 0)
        note_receiver(socket);
    return socket->descriptor >= 0;
}

void tap_socket_stop(struct tap_socket *socket)
{
    atomic_store(&socket->stops_ns, clock_monotonic_ns() + TAP_STOP_MS * ns_per_ms);
}
