/* Peerings and VPN connections: the clients besides the space's own that are inside. */
#include "space/checking.h"

#include <stdlib.h>
#include <string.h>

enum { PCX_ID_MAX = 32, TUNNELS = 2, ACCOUNT_DIGITS = 12 };

static const char alphanumeric[] = "abcdefghijklmnopqrstuvwxyz0123456789";
static const char hexadecimal[] = "0123456789abcdef";

/* Docker's network on the platform's hosts. */
static const struct cidr docker = {.address = 0xac110000, .bits = 16};

/* True for PREFIX followed by `least` to `most` of the given characters. */
static bool is_id(const char *text, const char *prefix, const char *characters, size_t least,
                  size_t most)
{
    size_t length = strlen(prefix);

    if (strncmp(text, prefix, length) != 0)
        return false;
    size_t rest = strlen(text + length);
    return rest >= least && rest <= most && strspn(text + length, characters) == rest;
}

bool pcx_id_is_valid(const char *text)
{
    return is_id(text, "pcx-", alphanumeric, 1, PCX_ID_MAX);
}

bool route_table_id_is_valid(const char *text)
{
    return is_id(text, "rtb-", hexadecimal, 1, PCX_ID_MAX);
}

bool vpc_id_is_valid(const char *text)
{
    return is_id(text, "vpc-", hexadecimal, 8, 17);
}

/* True for texts such as us-east-1 or us-gov-west-1. */
static bool is_aws_region(const char *text)
{
    size_t length = strlen(text);
    size_t letters = strspn(text, "abcdefghijklmnopqrstuvwxyz-");

    return letters > 3 && letters + 1 == length && text[letters - 1] == '-' && text[2] == '-' &&
           text[letters] >= '1' && text[letters] <= '9';
}

static void check_aws(struct checking *checking, const struct word *word, const char *key,
                      bool is_right, const char *form)
{
    if (!is_right)
        FIND(checking, AWS, word->at, "`%s` is `%.80s`, and AWS writes it as %s; check it", key,
             word->text, form);
}

static void check_aws_words(struct checking *checking, const struct peering *peering)
{
    const struct word *vpc = &peering->aws_vpc_id;
    const struct word *region = &peering->aws_region;
    const struct word *account = &peering->aws_account_id;
    const struct word *table = &peering->route_table_id;

    if (vpc->text != NULL)
        check_aws(checking, vpc, "aws_vpc_id", vpc_id_is_valid(vpc->text), "vpc-0123456789abcdef0");
    if (region->text != NULL)
        check_aws(checking, region, "aws_region", is_aws_region(region->text), "us-east-1");
    if (account->text != NULL)
        check_aws(checking, account, "aws_account_id",
                  is_id(account->text, "", "0123456789", ACCOUNT_DIGITS, ACCOUNT_DIGITS),
                  "12 digits, leading zeros included");
    if (table->text != NULL)
        check_aws(checking, table, "route_table_id", route_table_id_is_valid(table->text),
                  "rtb-0123456789abcdef0");
}

bool peering_is_over(const struct peering *peering)
{
    return peering->status == PEERING_FAILED || peering->status == PEERING_EXPIRED ||
           peering->status == PEERING_REJECTED || peering->status == PEERING_DELETED;
}

static bool vpn_is_over(const struct vpn *vpn)
{
    return vpn->status == VPN_FAILED || vpn->status == VPN_DEPROVISIONING;
}

/* Returns the description of the space's own range that the block overlaps, or NULL. */
static const char *overlapped_range(const struct space *space, struct cidr block, bool is_managed)
{
    struct cidr cidr = space->cidr.cidr;
    struct cidr data = space->data_cidr.cidr;

    if (cidr.bits != 0 && cidr_overlaps(block, cidr))
        return "the space's cidr";
    /* A heroku-managed peering connects the data services, so its block is the data CIDR. */
    if (!is_managed && data.bits != 0 && cidr_overlaps(block, data))
        return "the space's data_cidr";
    if (cidr_overlaps(block, docker))
        return "172.17.0.0/16, which the platform uses itself";
    return NULL;
}

static void check_peering_block(struct checking *checking, const struct peering *peering,
                                const struct block *block)
{
    bool is_managed = peering->type == PEERING_HEROKU_MANAGED;
    const char *range = overlapped_range(checking->space, block->cidr, is_managed);
    char text[CIDR_TEXT_MAX];

    cidr_write(block->cidr, text);
    if (!cidr_is_private(block->cidr))
        FIND(checking, PEER_PUBLIC, block->at,
             "peering %.40s has block %s, which is not private; a VPC's blocks lie inside "
             "10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16",
             peering->pcx_id.text, text);
    else if (range != NULL)
        FIND(checking, PEER_OVERLAP, block->at,
             "peering %.40s has block %s, which overlaps %s; peer a VPC with another block",
             peering->pcx_id.text, text, range);
}

void check_peerings(struct checking *checking)
{
    const struct space *space = checking->space;
    struct seen seen;

    seen_init(&seen, space->peering_count);
    for (size_t i = 0; i < space->peering_count; i++) {
        const struct peering *peering = &space->peerings[i];
        const struct word *pcx_id = &peering->pcx_id;
        const struct seen_entry *before = seen_add(&seen, 0, pcx_id->text, pcx_id->at, NULL);
        if (!pcx_id_is_valid(pcx_id->text))
            FIND(checking, PCX, pcx_id->at,
                 "pcx_id `%.80s` must be pcx- and 1 to 32 of a-z and 0-9, as pcx-111aaa111",
                 pcx_id->text);
        else if (before != NULL)
            FIND(checking, PCX, pcx_id->at, "pcx_id %s is already given on line %u; remove one",
                 pcx_id->text, (unsigned)before->at.line);
        check_aws_words(checking, peering);
        for (size_t j = 0; j < peering->cidr_blocks.count && !peering_is_over(peering); j++)
            check_peering_block(checking, peering, &peering->cidr_blocks.items[j]);
    }
    checking_close_seen(checking, &seen);
}

static void check_vpn_block(struct checking *checking, const struct vpn *vpn,
                            const struct block *block)
{
    const char *range = overlapped_range(checking->space, block->cidr, false);
    char text[CIDR_TEXT_MAX];

    cidr_write(block->cidr, text);
    if (block->cidr.bits == 0) {
        FIND(
            checking, VPN_ANY, block->at,
            "VPN %.80s has 0.0.0.0/0, which would let every client in; list the blocks of the site",
            vpn->name.text);
        return;
    }
    if (vpn_is_over(vpn))
        return;
    if (range != NULL)
        FIND(checking, VPN_OVERLAP, block->at,
             "VPN %.80s has block %s, which overlaps %s; route another block", vpn->name.text, text,
             range);
    else if (!cidr_is_private(block->cidr))
        FIND(checking, VPN_PUBLIC, block->at,
             "VPN %.80s has block %s, which is not private; its hosts could also come from "
             "outside the VPN, check the block",
             vpn->name.text, text);
}

/* Returns the block of a VPN that would make the address a client of the space, or NULL. */
static const struct block *block_with(const struct space *space, uint32_t address)
{
    for (size_t i = 0; i < space->vpn_count; i++) {
        const struct block *block = blocks_find(&space->vpns[i].routable_cidrs, address);
        if (block != NULL && block->cidr.bits != 0)
            return block;
    }
    return NULL;
}

/* A VPN gateway's own address must stay outside the space. */
static void check_gateway(struct checking *checking, const struct vpn *vpn)
{
    const struct block *block = block_with(checking->space, vpn->public_ip);
    char text[CIDR_TEXT_MAX];
    char block_text[CIDR_TEXT_MAX] = "";

    if (vpn->public_ip == 0)
        return;
    ipv4_write(vpn->public_ip, text);
    if (ipv4_is_private(vpn->public_ip)) {
        FIND(checking, VPN_IP, vpn->public_ip_at,
             "VPN %.80s has public_ip %s, which is a private address; give the address the "
             "gateway has on the internet",
             vpn->name.text, text);
    } else if (block != NULL) {
        cidr_write(block->cidr, block_text);
        FIND(checking, VPN_IP, vpn->public_ip_at,
             "VPN %.80s has public_ip %s inside the routable block %s, so the gateway itself would "
             "be let in; take its address out of the block",
             vpn->name.text, text, block_text);
    }
}

void check_vpns(struct checking *checking)
{
    const struct space *space = checking->space;
    struct seen seen;

    seen_init(&seen, space->vpn_count);
    for (size_t i = 0; i < space->vpn_count; i++) {
        const struct vpn *vpn = &space->vpns[i];
        const struct seen_entry *before = seen_add(&seen, 0, vpn->name.text, vpn->name.at, NULL);
        if (before != NULL)
            FIND(checking, DUP, vpn->name.at, "VPN %.80s is already given on line %u; rename one",
                 vpn->name.text, (unsigned)before->at.line);
        check_gateway(checking, vpn);
        for (size_t j = 0; j < vpn->routable_cidrs.count; j++)
            check_vpn_block(checking, vpn, &vpn->routable_cidrs.items[j]);
        if (vpn->tunnel_count != 0 && vpn->tunnel_count != TUNNELS)
            FIND(checking, VPN_TUNNELS, vpn->tunnels_at,
                 "VPN %.80s lists %zu tunnel%s, and a connection has %d; list both or none",
                 vpn->name.text, vpn->tunnel_count, vpn->tunnel_count == 1 ? "" : "s", TUNNELS);
    }
    checking_close_seen(checking, &seen);
}

/* ---- devices ---- */

/* As the system checks the name of an interface. */
static bool is_interface_name(const char *text)
{
    size_t length = strlen(text);

    if (length == 0 || length > DEVICE_OCTETS_MOST || strcmp(text, ".") == 0 ||
        strcmp(text, "..") == 0)
        return false;
    for (const char *at = text; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~' || *at == '/' || *at == ':')
            return false;
    return true;
}

/* The different devices of a space. */
struct devices {
    const char *names[DEVICES_MOST];
    size_t count;
};

/* Returns false when there are too many. */
static bool add_device(struct devices *devices, const char *name)
{
    for (size_t i = 0; i < devices->count; i++)
        if (strcmp(devices->names[i], name) == 0)
            return true;
    if (devices->count == DEVICES_MOST)
        return false;
    devices->names[devices->count++] = name;
    return true;
}

static void check_device(struct checking *checking, const struct word *device,
                         struct devices *devices)
{
    if (device->text == NULL)
        return;
    if (!is_interface_name(device->text))
        FIND(checking, DEVICE, device->at,
             "device `%.80s` is no name of a network interface: 1 to %d characters without blanks, "
             "slashes and colons, as ipsec0; `ip link` lists those of the server",
             device->text, DEVICE_OCTETS_MOST);
    else if (!add_device(devices, device->text))
        FIND(checking, DEVICE, device->at,
             "device %s is one more than the %d that the server can tell apart; let connections "
             "share a device, or leave it out",
             device->text, DEVICES_MOST);
}

static const struct word *device_at(const struct space *space, size_t connection)
{
    return connection < space->peering_count
               ? &space->peerings[connection].device
               : &space->vpns[connection - space->peering_count].device;
}

void check_devices(struct checking *checking)
{
    const struct space *space = checking->space;
    struct devices devices = {.count = 0};

    for (size_t i = 0; i < space->peering_count + space->vpn_count; i++)
        check_device(checking, device_at(space, i), &devices);
}

/* ---- overlaps ---- */

enum { PEERING_SPAN, VPN_SPAN };

static size_t add_spans(struct cidr_span *spans, size_t count, const struct blocks *blocks,
                        int kind, const void *owner)
{
    for (size_t i = 0; i < blocks->count; i++)
        if (blocks->items[i].cidr.bits != 0)
            spans[count++] = (struct cidr_span){.cidr = blocks->items[i].cidr,
                                                .at = blocks->items[i].at,
                                                .kind = kind,
                                                .owner = owner};
    return count;
}

/* Collects and counts the blocks of active connections; only counts if `spans` is NULL. */
static size_t collect_active(const struct space *space, struct cidr_span *spans)
{
    size_t count = 0;

    for (size_t i = 0; i < space->peering_count; i++) {
        const struct peering *peering = &space->peerings[i];
        if (peering->status == PEERING_ACTIVE)
            count = spans == NULL
                        ? count + peering->cidr_blocks.count
                        : add_spans(spans, count, &peering->cidr_blocks, PEERING_SPAN, peering);
    }
    for (size_t i = 0; i < space->vpn_count; i++) {
        const struct vpn *vpn = &space->vpns[i];
        if (vpn->status == VPN_ACTIVE)
            count = spans == NULL ? count + vpn->routable_cidrs.count
                                  : add_spans(spans, count, &vpn->routable_cidrs, VPN_SPAN, vpn);
    }
    return count;
}

static const char *owner_name(const struct cidr_span *span)
{
    if (span->kind == PEERING_SPAN)
        return ((const struct peering *)span->owner)->pcx_id.text;
    return ((const struct vpn *)span->owner)->name.text;
}

static const char *owner_device(const struct cidr_span *span)
{
    if (span->kind == PEERING_SPAN)
        return ((const struct peering *)span->owner)->device.text;
    return ((const struct vpn *)span->owner)->device.text;
}

static void report_overlap(struct checking *checking, const struct cidr_span *a,
                           const struct cidr_span *b)
{
    const struct cidr_span *later = location_is_before(a->at, b->at) ? b : a;
    const struct cidr_span *earlier = later == a ? b : a;
    bool is_vpn = later->kind == VPN_SPAN;
    char text[CIDR_TEXT_MAX];
    char other[CIDR_TEXT_MAX];

    cidr_write(later->cidr, text);
    cidr_write(earlier->cidr, other);
    report_add(
        checking->report, is_vpn ? FINDING_VPN_OVERLAP : FINDING_PEER_OVERLAP,
        checking->space->file, later->at,
        "%s %.80s has block %s, which overlaps %s of the active %s %.80s (line %u); a client "
        "there would belong to both, separate the blocks",
        is_vpn ? "VPN" : "peering", owner_name(later), text, other,
        earlier->kind == VPN_SPAN ? "VPN" : "peering", owner_name(earlier),
        (unsigned)earlier->at.line);
}

/*
 * Finds the overlaps of connections without a device (NULL), or of those with this device among
 * them and with the former. Clients of two devices are told apart, so these may overlap.
 */
static void find_overlaps(struct checking *checking, const struct cidr_span *spans, size_t count,
                          const char *device)
{
    const struct cidr_span *outer = NULL;

    for (size_t i = 0; i < count; i++) {
        const struct cidr_span *span = &spans[i];
        const char *own = owner_device(span);
        if (own != NULL && (device == NULL || strcmp(own, device) != 0))
            continue;
        if (outer == NULL || !cidr_overlaps(outer->cidr, span->cidr))
            outer = span;
        else if (outer->owner != span->owner &&
                 (device == NULL || own != NULL || owner_device(outer) != NULL))
            report_overlap(checking, outer, span);
    }
}

void check_connections_overlap(struct checking *checking)
{
    const struct space *space = checking->space;
    size_t most = collect_active(space, NULL);
    struct cidr_span *spans = calloc(most + 1, sizeof *spans);
    struct devices devices = {.count = 0};

    if (spans == NULL) {
        FIND(checking, MEMORY, (struct location){0}, "out of memory while the file was checked");
        return;
    }
    size_t count = collect_active(space, spans);
    spans_sort(spans, count);
    find_overlaps(checking, spans, count, NULL);
    for (size_t i = 0; i < space->peering_count + space->vpn_count; i++)
        if (device_at(space, i)->text != NULL)
            add_device(&devices, device_at(space, i)->text);
    for (size_t i = 0; i < devices.count; i++)
        find_overlaps(checking, spans, count, devices.names[i]);
    free(spans);
}
