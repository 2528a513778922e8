#include "etcd/greeting.h"

#include <string.h>

#include "base/bytes.h"

enum {
    TLS_ALERT = 21,
    TLS_HANDSHAKE = 22,
    SETTINGS = 4,
    SETTING_OCTETS = 6,
    SETTINGS_OCTETS_MOST = 1024 * SETTING_OCTETS
};

static bool is_settings(const uint8_t *frame)
{
    size_t length = (size_t)frame[0] << 16 | load16(frame + 1);

    return length <= SETTINGS_OCTETS_MOST && length % SETTING_OCTETS == 0 && frame[3] == SETTINGS &&
           frame[4] == 0 && load32(frame + 5) == 0;
}

bool greeting_add(struct greeting *greeting, uint8_t octet, struct err *err)
{
    const uint8_t *octets = greeting->octets;

    greeting->octets[greeting->length++] = octet;
    if (octets[0] == TLS_ALERT || octets[0] == TLS_HANDSHAKE)
        return err_set(err, ERR_SYNTAX, "it speaks TLS here; write https:// before the endpoint");
    if (greeting->length == 5 && memcmp(octets, "HTTP/", 5) == 0)
        return err_set(err, ERR_SYNTAX,
                       "it speaks HTTP/1 and not HTTP/2; name the port for clients of etcd "
                       "(--listen-client-urls), without a proxy between");
    if (greeting->length == GREETING_OCTETS && !is_settings(octets))
        return err_set(err, ERR_SYNTAX,
                       "it does not speak HTTP/2; name the port for clients of etcd "
                       "(--listen-client-urls)");
    return true;
}
