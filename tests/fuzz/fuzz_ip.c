/**
 * Any octets, read as a frame with a UDP datagram.
 *
 * Oracle: a second reading, octet by octet in words of 16 bits, of what the RFCs say. Both must
 * agree on what is a datagram and where its payload ends. A datagram that was read and is written
 * again is read as the same, also turned, with the payload untouched.
 */
#include "fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/ip.h"

enum { FRAME_MOST = 2048 };

static unsigned at16(const uint8_t *octets)
{
    return octets[0] * 256U + octets[1];
}

/* One's complement addition, a word at a time. */
static unsigned add(unsigned sum, const uint8_t *octets, size_t length)
{
    for (size_t i = 0; i < length; i += 2) {
        sum += octets[i] * 256U + (i + 1 < length ? octets[i + 1] : 0);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

/* The octets of the payload; -1: it is no datagram. */
static long oracle(const uint8_t *data, size_t size)
{
    bool is_v4 = size >= 34 && at16(data + 12) == 0x0800 && data[14] == 0x45 && data[23] == 17 &&
                 (at16(data + 20) & 0x3fff) == 0;
    bool is_v6 = size >= 54 && at16(data + 12) == 0x86dd && data[14] / 16 == 6 && data[20] == 17;
    if (!is_v4 && !is_v6)
        return -1;
    size_t begin = is_v4 ? 34 : 54;
    size_t end = is_v4 ? 14 + at16(data + 16) : 54 + at16(data + 18);
    if (end > size || end < begin + 8 || (is_v4 && add(0, data + 14, 20) != 0xffff))
        return -1;
    const uint8_t *udp = data + begin;
    unsigned length = at16(udp + 4);
    if (length < 8 || length > end - begin || at16(udp) == 0 || (data[6] & 1) != 0)
        return -1;
    const uint8_t pseudo[4] = {0, 17, (uint8_t)(length / 256), (uint8_t)length};
    unsigned sum = is_v4 ? add(0, data + 26, 8) : add(0, data + 22, 32);
    sum = add(sum, pseudo, sizeof pseudo);
    if (at16(udp + 6) == 0)
        return is_v4 ? (long)length - 8 : -1;
    return add(sum, udp, length) == 0xffff || at16(udp + 6) == sum ? (long)length - 8 : -1;
}

static void check_written(const struct ip_heads *heads, const uint8_t *payload, size_t octets)
{
    uint8_t frame[FRAME_MOST];
    struct ip_heads read;
    size_t read_octets;

    memcpy(frame + ip_heads_octets(heads), payload, octets);
    size_t length = ip_write(frame, heads, octets);
    if (length != ip_heads_octets(heads) + octets || oracle(frame, length) != (long)octets ||
        ip_read(frame, length, &read, &read_octets) != IP_GOOD || read_octets != octets ||
        memcmp(&read, heads, offsetof(struct ip_heads, is_ipv6)) != 0 ||
        read.is_ipv6 != heads->is_ipv6 ||
        memcmp(frame + ip_heads_octets(heads), payload, octets) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ip_heads heads;
    size_t octets = 0;

    if (size > FRAME_MOST)
        return 0;
    enum ip_status status = ip_read(data, size, &heads, &octets);
    long wanted = oracle(data, size);
    if ((status == IP_GOOD) != (wanted >= 0) || (wanted >= 0 && (size_t)wanted != octets))
        abort();
    if (status != IP_GOOD)
        return 0;
    const uint8_t *payload = data + ip_heads_octets(&heads);
    check_written(&heads, payload, octets);
    ip_turn(&heads);
    if ((heads.source_mac[0] & 1) == 0 && heads.source_port != 0)
        check_written(&heads, payload, octets);
    return 0;
}
