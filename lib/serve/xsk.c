#include "serve/xsk.h"

#include <assert.h>
#include <errno.h>
#include <linux/if_xdp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    FRAME_MASK = XSK_FRAME_OCTETS - 1,
    RING_MASK = XSK_RING - 1,
    SENDS_MOST = 128, /* calls, of which one sends 32 frames or more */
    BUSY_TRIES = 100,
    BUSY_WAIT_NS = 10000000,
};

_Static_assert((XSK_FRAME_OCTETS & FRAME_MASK) == 0 && (XSK_RING & RING_MASK) == 0,
               "powers of two, as the kernel wants");
_Static_assert(XSK_RESERVED + XSK_RING <= XSK_FRAMES, "the reserve is beside a full ring");

/* ---- opening ---- */

static bool fail(struct err *err, const char *what)
{
    int error = errno;

    switch (error) {
    case EPERM:
    case EACCES:
        return err_set(err, ERR_SYSTEM,
                       "%s: the right is missing (CAP_NET_RAW, CAP_NET_ADMIN, CAP_BPF); start the "
                       "server as root, or give it those (spacednsd(8), XDP)",
                       what);
    case ENOBUFS:
    case ENOMEM:
        return err_set(
            err, ERR_SYSTEM,
            "%s: not enough memory may be locked; give the server CAP_IPC_LOCK, or raise "
            "the limit to %u octets for each queue (LimitMEMLOCK=, ulimit -l)",
            what, 2U * XSK_FRAMES * XSK_FRAME_OCTETS);
    case EBUSY:
        return err_set(err, ERR_SYSTEM,
                       "%s: another program has an AF_XDP socket for this queue; stop that, or "
                       "leave the interface out of `xdp`",
                       what);
    case EAFNOSUPPORT:
    case EINVAL:
    case EOPNOTSUPP:
        return err_set(err, ERR_SYSTEM,
                       "%s: this kernel, or the service manager (RestrictAddressFamilies=), has no "
                       "AF_XDP: %s",
                       what, strerror(error));
    default: /* errno */
        return err_set(err, ERR_SYSTEM, "%s: %s", what, strerror(error));
    }
}

static bool set_size(int descriptor, int option)
{
    const int size = XSK_RING;

    return setsockopt(descriptor, SOL_XDP, option, &size, sizeof size) == 0;
}

/* Registers the frames and makes the rings. */
static bool set_up(const struct xsk *xsk)
{
    const struct xdp_umem_reg memory = {.addr = (uint64_t)(uintptr_t)xsk->frames,
                                        .len = (uint64_t)XSK_FRAMES * XSK_FRAME_OCTETS,
                                        .chunk_size = XSK_FRAME_OCTETS};

    return setsockopt(xsk->descriptor, SOL_XDP, XDP_UMEM_REG, &memory, sizeof memory) == 0 &&
           set_size(xsk->descriptor, XDP_UMEM_FILL_RING) &&
           set_size(xsk->descriptor, XDP_UMEM_COMPLETION_RING) &&
           set_size(xsk->descriptor, XDP_RX_RING) && set_size(xsk->descriptor, XDP_TX_RING);
}

static bool map_ring(int descriptor, const struct xdp_ring_offset *offsets, off_t which,
                     size_t item_octets, struct xsk_ring *ring)
{
    size_t octets = (size_t)offsets->desc + XSK_RING * item_octets;
    uint8_t *memory =
        mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, descriptor, which);

    if (memory == MAP_FAILED)
        return false;
    *ring = (struct xsk_ring){.producer = (uint32_t *)(void *)(memory + offsets->producer),
                              .consumer = (uint32_t *)(void *)(memory + offsets->consumer),
                              .flags = (uint32_t *)(void *)(memory + offsets->flags),
                              .items = memory + offsets->desc,
                              .memory = memory,
                              .octets = octets};
    return true;
}

static bool map_rings(struct xsk *xsk)
{
    struct xdp_mmap_offsets offsets;
    socklen_t octets = sizeof offsets;

    if (getsockopt(xsk->descriptor, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &octets) != 0)
        return false;
    if (octets != sizeof offsets) { /* before Linux 5.4, without flags */
        errno = EOPNOTSUPP;
        return false;
    }
    return map_ring(xsk->descriptor, &offsets.fr, (off_t)XDP_UMEM_PGOFF_FILL_RING, sizeof(uint64_t),
                    &xsk->fill) &&
           map_ring(xsk->descriptor, &offsets.cr, (off_t)XDP_UMEM_PGOFF_COMPLETION_RING,
                    sizeof(uint64_t), &xsk->completion) &&
           map_ring(xsk->descriptor, &offsets.rx, XDP_PGOFF_RX_RING, sizeof(struct xdp_desc),
                    &xsk->receive) &&
           map_ring(xsk->descriptor, &offsets.tx, XDP_PGOFF_TX_RING, sizeof(struct xdp_desc),
                    &xsk->send);
}

/* The kernel takes a moment to let go of a queue whose socket was closed, as that of a server which
 * ended just now. */
static bool bind_patiently(int descriptor, const struct sockaddr_xdp *address, unsigned tries)
{
    const struct timespec moment = {.tv_nsec = BUSY_WAIT_NS};
    const struct sockaddr *any = (const struct sockaddr *)(const void *)address;

    while (bind(descriptor, any, sizeof *address) != 0) {
        if (errno != EBUSY || --tries == 0)
            return false;
        nanosleep(&moment, NULL);
    }
    return true;
}

static bool bind_queue(struct xsk *xsk, unsigned interface, unsigned queue, enum xdp_mode mode,
                       bool is_patient)
{
    struct xdp_options options = {0};
    socklen_t octets = sizeof options;
    uint16_t flags = XDP_USE_NEED_WAKEUP | (mode == XDP_MODE_AUTO ? 0 : XDP_COPY);
    const struct sockaddr_xdp address = {.sxdp_family = AF_XDP,
                                         .sxdp_flags = flags,
                                         .sxdp_ifindex = interface,
                                         .sxdp_queue_id = queue};

    if (!bind_patiently(xsk->descriptor, &address, is_patient ? BUSY_TRIES : 1))
        return false;
    getsockopt(xsk->descriptor, SOL_XDP, XDP_OPTIONS, &options, &octets);
    xsk->is_zero_copy = (options.flags & XDP_OPTIONS_ZEROCOPY) != 0;
    return true;
}

static bool map_frames(struct xsk *xsk)
{
    void *memory = mmap(NULL, (size_t)XSK_FRAMES * XSK_FRAME_OCTETS, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (memory == MAP_FAILED)
        return false;
    xsk->frames = memory;
    for (uint32_t i = 0; i < XSK_FRAMES; i++)
        xsk->free[xsk->free_count++] = XSK_FRAMES - 1 - i;
    return true;
}

bool xsk_open(struct xsk *xsk, unsigned interface, unsigned queue, enum xdp_mode mode,
              bool is_patient, struct err *err)
{
    memset(xsk, 0, sizeof *xsk);
    xsk->descriptor = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool is_open = xsk->descriptor >= 0 && map_frames(xsk) && set_up(xsk) && map_rings(xsk);
    if (is_open)
        xsk_refill(xsk); /* before frames can come */
    if (is_open && bind_queue(xsk, interface, queue, mode, is_patient))
        return true;
    fail(err, "cannot open an AF_XDP socket");
    xsk_close(xsk);
    return false;
}

static void unmap_ring(struct xsk_ring *ring)
{
    if (ring->memory != NULL)
        munmap(ring->memory, ring->octets);
    *ring = (struct xsk_ring){.memory = NULL};
}

void xsk_close(struct xsk *xsk)
{
    unmap_ring(&xsk->fill);
    unmap_ring(&xsk->completion);
    unmap_ring(&xsk->receive);
    unmap_ring(&xsk->send);
    if (xsk->descriptor >= 0)
        close(xsk->descriptor);
    xsk->descriptor = -1;
    if (xsk->frames != NULL)
        munmap(xsk->frames, (size_t)XSK_FRAMES * XSK_FRAME_OCTETS);
    xsk->frames = NULL;
}

/* ---- rings ---- */

/* How far the kernel is: what it wrote before is visible. */
static uint32_t position_of_kernel(const uint32_t *position)
{
    return __atomic_load_n(position, __ATOMIC_ACQUIRE);
}

/* Shows the kernel how far we are, and what we wrote before. */
static void publish(uint32_t *position, uint32_t own)
{
    __atomic_store_n(position, own, __ATOMIC_RELEASE);
}

/* Items of the kernel's that we have not taken. The kernel's memory is no stranger's, but a count
 * above the ring's would lead past it. */
static uint32_t count_ready(const struct xsk_ring *ring)
{
    uint32_t count = position_of_kernel(ring->producer) - ring->own;

    assert(count <= XSK_RING);
    return count;
}

/* Items that the kernel has room for. */
static uint32_t count_room(const struct xsk_ring *ring)
{
    uint32_t used = ring->own - position_of_kernel(ring->consumer);

    assert(used <= XSK_RING);
    return XSK_RING - used;
}

static bool needs_wakeup(const struct xsk_ring *ring)
{
    return (__atomic_load_n(ring->flags, __ATOMIC_RELAXED) & XDP_RING_NEED_WAKEUP) != 0;
}

static void put_back(struct xsk *xsk, uint64_t address)
{
    assert(address < (uint64_t)XSK_FRAMES * XSK_FRAME_OCTETS && xsk->free_count < XSK_FRAMES);
    xsk->free[xsk->free_count++] = (uint32_t)(address / XSK_FRAME_OCTETS);
}

static uint64_t address_of(const struct xsk *xsk, const uint8_t *frame)
{
    return (uint64_t)(frame - xsk->frames);
}

/* ---- frames ---- */

unsigned xsk_receive(struct xsk *xsk, struct xsk_frame *frames, unsigned most)
{
    struct xsk_ring *ring = &xsk->receive;
    const struct xdp_desc *items = ring->items;
    uint32_t count = count_ready(ring);

    count = count < most ? count : most;
    for (uint32_t i = 0; i < count; i++) {
        const struct xdp_desc item = items[(ring->own + i) & RING_MASK];
        assert(item.addr < (uint64_t)XSK_FRAMES * XSK_FRAME_OCTETS &&
               (item.addr & FRAME_MASK) + item.len <= XSK_FRAME_OCTETS);
        frames[i] = (struct xsk_frame){.octets = xsk->frames + item.addr, .length = item.len};
    }
    ring->own += count;
    publish(ring->consumer, ring->own);
    return count;
}

void xsk_free(struct xsk *xsk, const uint8_t *frame)
{
    put_back(xsk, address_of(xsk, frame));
}

uint8_t *xsk_take(struct xsk *xsk)
{
    if (xsk->free_count == 0)
        return NULL;
    return xsk->frames + (size_t)xsk->free[--xsk->free_count] * XSK_FRAME_OCTETS;
}

bool xsk_queue(struct xsk *xsk, const uint8_t *frame, size_t length)
{
    struct xsk_ring *ring = &xsk->send;
    struct xdp_desc *items = ring->items;

    if (count_room(ring) == 0)
        return false;
    items[ring->own & RING_MASK] =
        (struct xdp_desc){.addr = address_of(xsk, frame), .len = (uint32_t)length};
    ring->own++; /* the kernel sees it with xsk_send */
    return true;
}

bool xsk_send(struct xsk *xsk)
{
    struct xsk_ring *ring = &xsk->send;

    publish(ring->producer, ring->own);
    for (unsigned i = 0; i < SENDS_MOST; i++) {
        if (count_room(ring) == XSK_RING || !needs_wakeup(ring))
            return true;
        if (sendto(xsk->descriptor, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 && errno != EAGAIN &&
            errno != EBUSY && errno != EINTR)
            return false;
    }
    return count_room(ring) == XSK_RING;
}

static void take_completed(struct xsk *xsk)
{
    struct xsk_ring *ring = &xsk->completion;
    const uint64_t *items = ring->items;
    uint32_t count = count_ready(ring);

    for (uint32_t i = 0; i < count; i++)
        put_back(xsk, items[(ring->own + i) & RING_MASK]);
    ring->own += count;
    publish(ring->consumer, ring->own);
}

void xsk_refill(struct xsk *xsk)
{
    struct xsk_ring *ring = &xsk->fill;
    uint64_t *items = ring->items;

    take_completed(xsk);
    uint32_t count = count_room(ring);
    uint32_t most = xsk->free_count > XSK_RESERVED ? xsk->free_count - XSK_RESERVED : 0;
    count = count < most ? count : most;
    for (uint32_t i = 0; i < count; i++)
        items[(ring->own + i) & RING_MASK] =
            (uint64_t)xsk->free[--xsk->free_count] * XSK_FRAME_OCTETS;
    ring->own += count;
    publish(ring->producer, ring->own);
    if (needs_wakeup(ring)) /* of drivers with zero copy */
        recvfrom(xsk->descriptor, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

struct xsk_statistics xsk_read_statistics(const struct xsk *xsk)
{
    struct xdp_statistics read = {0};
    socklen_t octets = sizeof read;

    if (xsk->descriptor < 0 ||
        getsockopt(xsk->descriptor, SOL_XDP, XDP_STATISTICS, &read, &octets) != 0)
        return (struct xsk_statistics){0};
    /* Where frames are copied, one that finds the fill ring empty is counted at both. */
    if (!xsk->is_zero_copy && read.rx_dropped >= read.rx_fill_ring_empty_descs)
        read.rx_dropped -= read.rx_fill_ring_empty_descs;
    return (struct xsk_statistics){.dropped = read.rx_dropped,
                                   .ring_full = read.rx_ring_full,
                                   .fill_empty = read.rx_fill_ring_empty_descs};
}
