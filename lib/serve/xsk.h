#pragma once
/**
 * An AF_XDP socket: the frames of one queue of a network interface, in memory shared with the
 * kernel.
 *
 *                  ┌────────── fill ring ◄───────── free frames ◄──────────┐
 *     interface ───┴► frame ─► receive ring ─► ours ─┬─ xsk_free ──────────┤
 *               ◄───────────── send ring ◄───────────┴─ xsk_queue,         │
 *                                                       xsk_send           │
 *                              completion ring ─► frames that have left ───┘
 *
 * A frame belongs to one place at a time. XSK_RESERVED frames are never given to the kernel for
 * receiving, so that late replies find one.
 *
 * The rings are the kernel's interface itself, without libxdp: version 1.3.1, which Debian has,
 * leaves the positions of two rings unset.
 *
 * Where the driver can, frames are not copied (zero copy); elsewhere, as on a virtual cable, the
 * kernel copies them. Only the latter has been tested.
 *
 * Sources: Documentation/networking/af_xdp.rst of Linux; linux/if_xdp.h.
 * Threads: xsk_open and xsk_read_statistics on the control thread, the rest on the worker's.
 * Memory: the frames and rings, from xsk_open to xsk_close.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "serve/xdp_filter.h"

enum {
    XSK_FRAMES = 4096,
    XSK_FRAME_OCTETS = 2048,
    XSK_RING = 2048,
    XSK_RESERVED = 256,
};

/** One of the four rings: numbers and descriptors shared with the kernel. */
struct xsk_ring {
    uint32_t *producer;
    uint32_t *consumer;
    uint32_t *flags;
    void *items;
    uint32_t own; /* our position: of the producer or the consumer, whichever we are */
    void *memory;
    size_t octets;
};

struct xsk {
    int descriptor;  /* -1: closed */
    uint8_t *frames; /* NULL: none */
    struct xsk_ring fill;
    struct xsk_ring completion;
    struct xsk_ring receive;
    struct xsk_ring send;
    uint32_t free[XSK_FRAMES]; /* numbers of frames */
    uint32_t free_count;
    bool is_zero_copy;
};

/** A frame with its content, ours. */
struct xsk_frame {
    uint8_t *octets;
    uint32_t length;
};

/** What the kernel has counted of a socket. */
struct xsk_statistics {
    uint64_t dropped;    /* frames that did not fit, or for which there was no memory */
    uint64_t ring_full;  /* frames for which the receive ring had no room */
    uint64_t fill_empty; /* frames for which the fill ring had none */
};

/**
 * Opens a socket for a queue. A patient one waits up to a second for another socket to leave the
 * queue. Returns false with *err, a clause, and nothing open.
 */
bool xsk_open(struct xsk *xsk, unsigned interface, unsigned queue, enum xdp_mode mode,
              bool is_patient, struct err *err);

/** Closes it; the queue's frames go on to the kernel. */
void xsk_close(struct xsk *xsk);

/** Takes frames that have arrived, `most` at most. Returns how many. */
unsigned xsk_receive(struct xsk *xsk, struct xsk_frame *frames, unsigned most);

/** Gives a frame back that is not sent. */
void xsk_free(struct xsk *xsk, const uint8_t *frame);

/** Takes a frame that is free, or NULL. Its content begins where it points to. */
uint8_t *xsk_take(struct xsk *xsk);

/** Queues a frame of ours for sending; false when the ring is full: it is still ours. */
bool xsk_queue(struct xsk *xsk, const uint8_t *frame, size_t length);

/**
 * Has the kernel send what is queued. Returns false when something is left that it could not take
 * for now.
 */
bool xsk_send(struct xsk *xsk);

/** Takes back what has left, and hands free frames to the kernel for receiving. */
void xsk_refill(struct xsk *xsk);

/** Reads the kernel's counts; zero when it has none. */
struct xsk_statistics xsk_read_statistics(const struct xsk *xsk);
