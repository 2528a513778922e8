/* A build without AF_XDP: no socket is ever opened. */
#include "serve/xsk.h"

bool xsk_open(struct xsk *xsk, unsigned interface, unsigned queue, enum xdp_mode mode,
              bool is_patient, struct err *err)
{
    (void)interface, (void)queue, (void)mode, (void)is_patient;
    xsk->descriptor = -1;
    return err_set(err, ERR_SYSTEM, "AF_XDP was left out of this build");
}

void xsk_close(struct xsk *xsk)
{
    (void)xsk;
}

unsigned xsk_receive(struct xsk *xsk, struct xsk_frame *frames, unsigned most)
{
    (void)xsk, (void)frames, (void)most;
    return 0;
}

void xsk_free(struct xsk *xsk, const uint8_t *frame)
{
    (void)xsk, (void)frame;
}

uint8_t *xsk_take(struct xsk *xsk)
{
    (void)xsk;
    return NULL;
}

bool xsk_queue(struct xsk *xsk, const uint8_t *frame, size_t length)
{
    (void)xsk, (void)frame, (void)length;
    return false;
}

bool xsk_send(struct xsk *xsk)
{
    (void)xsk;
    return true;
}

void xsk_refill(struct xsk *xsk)
{
    (void)xsk;
}

struct xsk_statistics xsk_read_statistics(const struct xsk *xsk)
{
    (void)xsk;
    return (struct xsk_statistics){0};
}
