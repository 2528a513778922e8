#include "serve/xdp_filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    PROGRAM_MOST = 96,
    UDP = 17,
    TYPE_V4 = 0x0800,
    TYPE_V6 = 0x86dd,
    FRAGMENT_MASK = 0x3fff,
    GROUPS_V4 = 224, /* and above */
    LOOPBACK_V4 = 127,
    GROUPS_V6 = 0xff,
};

/* An address as the map has it: IPv4 as mapped into IPv6; the port in network order. */
struct address_key {
    uint8_t address[16];
    uint16_t port;
    uint8_t rest[6]; /* 0 */
};

_Static_assert(sizeof(struct address_key) == 24, "as the program writes it");

const char *xdp_library(void)
{
    return "AF_XDP";
}

static int call(enum bpf_cmd command, union bpf_attr *attributes)
{
    return (int)syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

/* Returns false. */
static bool fail(struct err *err, const char *what)
{
    if (errno == EPERM || errno == EACCES)
        return err_set(err, ERR_SYSTEM,
                       "%s: the right is missing (CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF); start the "
                       "server as root, or give it those (spacednsd(8), XDP)",
                       what);
    if (errno == ENOSYS || errno == EINVAL)
        return err_set(err, ERR_SYSTEM, "%s: this kernel has no support for it (%s)", what,
                       strerror(errno));
    return err_set(err, ERR_SYSTEM, "%s: %s", what, strerror(errno));
}

/* ---- the program ---- */

/* Where jumps lead; each stands once in the text. */
enum label { PASS = 0x4000, V6, LOOK_UP };

enum { LABEL_CODE = 0 }; /* no instruction has it */

#define LABEL(label)                                                                               \
    {                                                                                              \
        .code = LABEL_CODE, .off = label                                                           \
    }
#define LOAD(octets, to, from, at)                                                                 \
    {                                                                                              \
        .code = BPF_LDX | BPF_MEM | octets, .dst_reg = to, .src_reg = from, .off = at              \
    }
#define STORE(octets, to, at, from)                                                                \
    {                                                                                              \
        .code = BPF_STX | BPF_MEM | octets, .dst_reg = to, .src_reg = from, .off = at              \
    }
#define STORE_NUMBER(octets, to, at, number)                                                       \
    {                                                                                              \
        .code = BPF_ST | BPF_MEM | octets, .dst_reg = to, .off = at, .imm = number                 \
    }
#define MOVE(to, from)                                                                             \
    {                                                                                              \
        .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = to, .src_reg = from                        \
    }
#define SET(to, number)                                                                            \
    {                                                                                              \
        .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = to, .imm = number                          \
    }
#define ADD(to, number)                                                                            \
    {                                                                                              \
        .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = to, .imm = number                          \
    }
#define AND(to, number)                                                                            \
    {                                                                                              \
        .code = BPF_ALU64 | BPF_AND | BPF_K, .dst_reg = to, .imm = number                          \
    }
/* Both compare 32 bits with a number, or 64 of two registers. */
#define GO_IF(left, test, number, label)                                                           \
    {                                                                                              \
        .code = BPF_JMP32 | test | BPF_K, .dst_reg = left, .imm = (int)(number), .off = label      \
    }
#define GO_IF_BOTH(left, test, right, label)                                                       \
    {                                                                                              \
        .code = BPF_JMP | test | BPF_X, .dst_reg = left, .src_reg = right, .off = label            \
    }
#define GO(label)                                                                                  \
    {                                                                                              \
        .code = BPF_JMP | BPF_JA, .off = label                                                     \
    }
#define SET_MAP(to, descriptor)                                                                    \
    {.code = BPF_LD | BPF_DW | BPF_IMM,                                                            \
     .dst_reg = to,                                                                                \
     .src_reg = BPF_PSEUDO_MAP_FD,                                                                 \
     .imm = descriptor},                                                                           \
    {                                                                                              \
        .code = LABEL_CODE, .off = LABEL_CODE                                                      \
    }
#define CALL(function)                                                                             \
    {                                                                                              \
        .code = BPF_JMP | BPF_CALL, .imm = function                                                \
    }
#define EXIT()                                                                                     \
    {                                                                                              \
        .code = BPF_JMP | BPF_EXIT                                                                 \
    }

/* Copies the text without its labels and has the jumps lead to them. Returns the length. */
static size_t resolve(const struct bpf_insn *text, size_t count, struct bpf_insn *out)
{
    short places[3] = {0};
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        if (text[i].code == LABEL_CODE && text[i].off != LABEL_CODE)
            places[text[i].off - PASS] = (short)length;
        else
            out[length++] = text[i];
    }
    for (size_t i = 0; i < length; i++)
        if (BPF_CLASS(out[i].code) >= BPF_JMP && BPF_CLASS(out[i].code) <= BPF_JMP32 &&
            out[i].off >= PASS)
            out[i].off = (short)(places[out[i].off - PASS] - (short)i - 1);
    return length;
}

/*
 * Register 2 is the frame, 3 its end, 6 the context; the key lies on the stack, 24 octets below its
 * top (register 10). Each part proves to the verifier that what it reads is there.
 */
// NOLINTNEXTLINE(readability-function-size): a list
static size_t write_program(const struct xdp_filter *filter, const uint8_t mac[6],
                            struct bpf_insn *out)
{
    uint32_t mac_first;
    uint16_t mac_last;

    memcpy(&mac_first, mac, sizeof mac_first);
    memcpy(&mac_last, mac + sizeof mac_first, sizeof mac_last);
    const struct bpf_insn text[] = {
        MOVE(6, 1),
        LOAD(BPF_W, 2, 1, offsetof(struct xdp_md, data)),
        LOAD(BPF_W, 3, 1, offsetof(struct xdp_md, data_end)),
        MOVE(4, 2),
        ADD(4, XDP_FRAME_MOST),
        GO_IF_BOTH(3, BPF_JGT, 4, PASS),
        MOVE(4, 2),
        ADD(4, 14 + 20 + 8),
        GO_IF_BOTH(4, BPF_JGT, 3, PASS),
        LOAD(BPF_W, 4, 2, 0),
        GO_IF(4, BPF_JNE, mac_first, PASS),
        LOAD(BPF_H, 4, 2, 4),
        GO_IF(4, BPF_JNE, mac_last, PASS),
        STORE_NUMBER(BPF_DW, 10, -24, 0),
        STORE_NUMBER(BPF_DW, 10, -16, 0),
        STORE_NUMBER(BPF_DW, 10, -8, 0),
        LOAD(BPF_H, 4, 2, 12),
        GO_IF(4, BPF_JEQ, htons(TYPE_V6), V6),
        GO_IF(4, BPF_JNE, htons(TYPE_V4), PASS),

        LOAD(BPF_B, 4, 2, 14), /* the version, and five words of head */
        GO_IF(4, BPF_JNE, 0x45, PASS),
        LOAD(BPF_H, 4, 2, 20),
        AND(4, htons(FRAGMENT_MASK)),
        GO_IF(4, BPF_JNE, 0, PASS),
        LOAD(BPF_B, 4, 2, 23),
        GO_IF(4, BPF_JNE, UDP, PASS),
        LOAD(BPF_B, 4, 2, 26), /* the source's first octet */
        GO_IF(4, BPF_JEQ, 0, PASS),
        GO_IF(4, BPF_JEQ, LOOPBACK_V4, PASS),
        GO_IF(4, BPF_JGE, GROUPS_V4, PASS),
        LOAD(BPF_W, 4, 2, 26),
        LOAD(BPF_W, 5, 2, 30),
        GO_IF_BOTH(4, BPF_JEQ, 5, PASS),
        STORE_NUMBER(BPF_H, 10, -14, 0xffff),
        STORE(BPF_W, 10, -12, 5),
        LOAD(BPF_H, 4, 2, 36), /* the destination's port */
        GO(LOOK_UP),

        LABEL(V6),
        MOVE(4, 2),
        ADD(4, 14 + 40 + 8),
        GO_IF_BOTH(4, BPF_JGT, 3, PASS),
        LOAD(BPF_B, 4, 2, 14),
        AND(4, 0xf0),
        GO_IF(4, BPF_JNE, 0x60, PASS),
        LOAD(BPF_B, 4, 2, 20),
        GO_IF(4, BPF_JNE, UDP, PASS),
        LOAD(BPF_B, 4, 2, 22),
        GO_IF(4, BPF_JEQ, GROUPS_V6, PASS),
        LOAD(BPF_DW, 4, 2, 22), /* the source's first half */
        SET(5, 0),
        GO_IF_BOTH(4, BPF_JEQ, 5, PASS),
        LOAD(BPF_DW, 5, 2, 38), /* the destination's */
        STORE(BPF_DW, 10, -24, 5),
        LOAD(BPF_DW, 0, 2, 46), /* and its second */
        STORE(BPF_DW, 10, -16, 0),
        LOAD(BPF_DW, 7, 2, 30), /* the source's */
        LOAD(BPF_H, 8, 2, 56),
        STORE(BPF_H, 10, -8, 8),
        {.code = BPF_JMP | BPF_JNE | BPF_X, .dst_reg = 4, .src_reg = 5, .off = 1},
        GO_IF_BOTH(7, BPF_JEQ, 0, PASS),
        MOVE(4, 8),

        LABEL(LOOK_UP),
        STORE(BPF_H, 10, -8, 4),
        SET_MAP(1, filter->addresses),
        MOVE(2, 10),
        ADD(2, -24),
        CALL(BPF_FUNC_map_lookup_elem),
        {.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 0, .imm = 0, .off = PASS},
        SET_MAP(1, filter->sockets),
        LOAD(BPF_W, 2, 6, offsetof(struct xdp_md, rx_queue_index)),
        SET(3, XDP_PASS), /* for a queue without a socket */
        CALL(BPF_FUNC_redirect_map),
        EXIT(),

        LABEL(PASS),
        SET(0, XDP_PASS),
        EXIT(),
    };
    _Static_assert(sizeof text / sizeof *text <= PROGRAM_MOST, "it fits");
    return resolve(text, sizeof text / sizeof *text, out);
}

/* ---- the kernel's objects ---- */

static int make_map(enum bpf_map_type type, size_t key_octets, unsigned most)
{
    union bpf_attr attributes;

    memset(&attributes, 0, sizeof attributes);
    attributes.map_type = type;
    attributes.key_size = (uint32_t)key_octets;
    attributes.value_size = sizeof(uint32_t);
    attributes.max_entries = most;
    return call(BPF_MAP_CREATE, &attributes);
}

static int load_program(const struct xdp_filter *filter, const uint8_t mac[6])
{
    struct bpf_insn program[PROGRAM_MOST];
    union bpf_attr attributes;

    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_XDP;
    attributes.insn_cnt = (uint32_t)write_program(filter, mac, program);
    attributes.insns = (uint64_t)(uintptr_t)program;
    attributes.license = (uint64_t)(uintptr_t) "";
    memcpy(attributes.prog_name, "spacedns_xdp", sizeof "spacedns_xdp");
    return call(BPF_PROG_LOAD, &attributes);
}

bool xdp_filter_open(struct xdp_filter *filter, const uint8_t mac[6], unsigned queues,
                     struct err *err)
{
    *filter = (struct xdp_filter){.program = -1, .addresses = -1, .sockets = -1, .link = -1};
    filter->addresses = make_map(BPF_MAP_TYPE_HASH, sizeof(struct address_key), XDP_ADDRESSES_MOST);
    if (filter->addresses >= 0)
        filter->sockets = make_map(BPF_MAP_TYPE_XSKMAP, sizeof(uint32_t), queues);
    if (filter->sockets >= 0)
        filter->program = load_program(filter, mac);
    if (filter->program >= 0)
        return true;
    fail(err, "cannot load the filter");
    xdp_filter_close(filter);
    return false;
}

static bool put(int map, const void *key, const uint32_t *value)
{
    union bpf_attr attributes;

    memset(&attributes, 0, sizeof attributes);
    attributes.map_fd = (uint32_t)map;
    attributes.key = (uint64_t)(uintptr_t)key;
    attributes.value = (uint64_t)(uintptr_t)value;
    return call(BPF_MAP_UPDATE_ELEM, &attributes) == 0;
}

bool xdp_filter_add_address(const struct xdp_filter *filter, const struct endpoint *endpoint,
                            struct err *err)
{
    struct address_key key = {.port = htons(endpoint_port(endpoint))};
    const uint32_t one = 1;

    if (endpoint->any.sa_family == AF_INET) {
        memset(key.address + 10, 0xff, 2);
        memcpy(key.address + 12, &endpoint->v4.sin_addr, 4);
    } else {
        memcpy(key.address, &endpoint->v6.sin6_addr, sizeof key.address);
    }
    return put(filter->addresses, &key, &one) || fail(err, "cannot add an address to the filter");
}

bool xdp_filter_add_socket(const struct xdp_filter *filter, unsigned queue, int descriptor,
                           struct err *err)
{
    const uint32_t value = (uint32_t)descriptor;

    return put(filter->sockets, &queue, &value) || fail(err, "cannot add a socket to the filter");
}

static int attach(const struct xdp_filter *filter, unsigned interface, uint32_t flags)
{
    union bpf_attr attributes;

    memset(&attributes, 0, sizeof attributes);
    attributes.link_create.prog_fd = (uint32_t)filter->program;
    attributes.link_create.target_ifindex = interface;
    attributes.link_create.attach_type = BPF_XDP;
    attributes.link_create.flags = flags;
    return call(BPF_LINK_CREATE, &attributes);
}

bool xdp_filter_attach(struct xdp_filter *filter, unsigned interface, enum xdp_mode mode,
                       struct err *err)
{
    if (mode != XDP_MODE_SKB)
        filter->link = attach(filter, interface, XDP_FLAGS_DRV_MODE);
    filter->is_native = filter->link >= 0;
    if (filter->link < 0)
        filter->link = attach(filter, interface, XDP_FLAGS_SKB_MODE);
    if (filter->link >= 0)
        return true;
    if (errno == EBUSY || errno == EEXIST)
        return err_set(err, ERR_SYSTEM,
                       "it has an XDP program of another already, as `ip link` shows; detach that, "
                       "or leave the interface out of `xdp`");
    return fail(err, "cannot attach the filter");
}

static void close_one(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

void xdp_filter_detach(struct xdp_filter *filter)
{
    close_one(&filter->link);
}

void xdp_filter_close(struct xdp_filter *filter)
{
    xdp_filter_detach(filter);
    close_one(&filter->program);
    close_one(&filter->sockets);
    close_one(&filter->addresses);
}
