#pragma once
/**
 * Messages to the service manager, over the datagram socket that NOTIFY_SOCKET names.
 *
 *     started    EXTEND_TIMEOUT_USEC ... READY ─► STATUS, WATCHDOG, ... ─► STOPPING
 *     reloading                  RELOADING, MONOTONIC_USEC ─► READY
 *     replaced                                MAINPID of the process that goes on
 *
 * The socket is a path, or an abstract name behind @. A message is one datagram of the process that
 * sends it. No call waits: where the socket is full, the last message about the state (READY,
 * RELOADING, STOPPING, MAINPID) is kept and goes out before the next one; other messages are
 * repeated by their nature, and are dropped. A socket that is gone is logged once, as
 * notify_failed, until a message arrives again.
 *
 * Without NOTIFY_SOCKET every call does nothing.
 *
 * Sources: sd_notify(3), systemd.service(5).
 * Threads: one at a time.  Memory: none; one descriptor.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

enum { NOTIFY_OCTETS_MOST = 1024, NOTIFY_STATUS_MOST = 512 };

struct notify {
    int descriptor; /* -1: there is no manager */
    struct sockaddr_un address;
    socklen_t address_size;
    char kept[NOTIFY_OCTETS_MOST]; /* about the state, not sent yet; empty: none */
    bool has_failed;               /* and that is logged */
};

/**
 * Reads NOTIFY_SOCKET; a value that is no socket's is logged and then as good as none. To be called
 * when the process has read its settings, for it may log.
 */
void notify_open(struct notify *notify);

/** Closes the descriptor; later calls do nothing. */
void notify_close(struct notify *notify);

/** True if there is a manager to notify. */
bool notify_is_used(const struct notify *notify);

/* The `status` below is one line for people, or NULL to leave the last one. */

/** The server answers, and a reload has ended. */
void notify_ready(struct notify *notify, const char *status);

/** A reload begins; notify_ready ends it. */
void notify_reloading(struct notify *notify, const char *status);

/** The server stops. */
void notify_stopping(struct notify *notify, const char *status);

/** Another process serves from now on: MAINPID and READY in one message. */
void notify_main_pid(struct notify *notify, pid_t pid, const char *status);

/** Nothing but the status. */
void notify_status(struct notify *notify, const char *status);

/** The server works: the manager's watchdog begins again. */
void notify_alive(struct notify *notify);

/** The start, the reload or the stop goes on; the manager may give up only after this time. */
void notify_extend(struct notify *notify, uint64_t us);

/**
 * Gives the manager a copy of a descriptor, which it hands to the next start of the service
 * (FileDescriptorStoreMax=). One that it has already it does not take twice.
 */
void notify_store(struct notify *notify, const char *name, int descriptor);

/** The manager lets go of all descriptors of that name. */
void notify_unstore(struct notify *notify, const char *name);

/** Sends what is kept. Returns true when nothing is. */
bool notify_flush(struct notify *notify);

/**
 * The time within which the manager wants notify_alive, from WATCHDOG_USEC and WATCHDOG_PID; 0 when
 * it wants none of this process.
 */
uint64_t notify_watchdog_us(void);
