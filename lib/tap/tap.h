#pragma once
/**
 * dnstap: copies of requests and replies for a receiver, without ever blocking a worker.
 *
 *     worker ─► room, queue ─┐
 *     worker ─► room, queue ─┴─► thread of libfstrm ─► unix socket ─► receiver
 *
 * A worker writes a message into its own room and queues it. While no receiver is connected
 * (tap_socket.h) nothing is written, and what a full room or queue has no place for is dropped: the
 * worker's part costs the same, or less. The thread sends what has come together, a second later at
 * most, and looks for a receiver every TAP_REOPEN_SECONDS. What it holds when the receiver goes
 * away is lost, and counted (tap_lost).
 *
 * Frame Streams acknowledges nothing but the end of a stream, so what is known of a message is
 * whether the kernel took it. The messages of the write that failed, TAP_PARTS_MOST / 2 at most,
 * all count as lost, though the receiver may have read some of them; what the kernel had taken in
 * writes before counts as sent, though the receiver may have gone without reading it.
 *
 * Built with libfstrm, or without it (without/tap.c).
 *
 * Sources: "Frame Streams" of farsightsec.com, in both directions (READY, ACCEPT, START, STOP,
 * FINISH); content type protobuf:dnstap.Dnstap.
 * Threads: a feed belongs to one worker; the rest on the control thread.  Memory: some megabytes
 * for each feed in tap_new, a queue in tap_start.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "tap/dnstap.h"

enum { TAP_REOPEN_SECONDS = 1 };

struct tap;
struct tap_feed;

/** "libfstrm", or NULL for a build without it. */
const char *tap_library(void);

/** What to tap. */
struct tap_options {
    const char *path; /* of the receiver's socket */
    uint32_t sample;  /* one in so many, at least 1 */
    size_t feeds;     /* number of workers */
};

/** Makes the feeds, without a thread. Returns NULL with *err. */
struct tap *tap_new(const struct tap_options *options, struct err *err);

/** Starts the thread. Returns false with *err. */
bool tap_start(struct tap *tap, struct err *err);

/** Messages that were queued and then lost, so far. */
uint64_t tap_lost(const struct tap *tap);

/**
 * Sends what is queued, for at most a second, ends the thread and frees everything; NULL: none.
 * Returns what tap_lost would at its end.
 */
uint64_t tap_stop(struct tap *tap);

/** The feed of one worker. */
struct tap_feed *tap_feed(struct tap *tap, size_t number);

/** True for one in `sample` requests, whose message is to be sent. */
bool tap_takes_next(struct tap_feed *feed);

/** True while a receiver is connected: without one, no message need be made. */
bool tap_has_receiver(const struct tap_feed *feed);

/** Queues a message, which is copied. Returns false when it is dropped. */
bool tap_send(struct tap_feed *feed, const struct dnstap_message *message);
