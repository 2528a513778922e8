/* A build without libfstrm: no feed is ever made. */
#include "tap/tap.h"

const char *tap_library(void)
{
    return NULL;
}

struct tap *tap_new(const struct tap_options *options, struct err *err)
{
    (void)options;
    err_set(err, ERR_SYSTEM, "dnstap was left out of this build; take the setting out");
    return NULL;
}

bool tap_start(struct tap *tap, struct err *err)
{
    (void)tap, (void)err;
    return true;
}

uint64_t tap_lost(const struct tap *tap)
{
    (void)tap;
    return 0;
}

uint64_t tap_stop(struct tap *tap)
{
    (void)tap;
    return 0;
}

struct tap_feed *tap_feed(struct tap *tap, size_t number)
{
    (void)tap, (void)number;
    return NULL;
}

bool tap_takes_next(struct tap_feed *feed)
{
    (void)feed;
    return false;
}

bool tap_has_receiver(const struct tap_feed *feed)
{
    (void)feed;
    return false;
}

bool tap_send(struct tap_feed *feed, const struct dnstap_message *message)
{
    (void)feed, (void)message;
    return false;
}
