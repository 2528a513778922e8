#include "support/serving.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/request.h"

static void count_adoption(void *context)
{
    struct serving *serving = context;

    serving->adopted++;
}

void serving_init(struct serving *serving)
{
    *serving = (struct serving){.adopted = 0};
    if (uv_loop_init(&serving->loop) != 0)
        abort();
    serving->batch.mailbox = &serving->mailbox;
    serving->batch.stats = &serving->stats;
    serving->batch.on_adopted = count_adoption;
    serving->batch.context = serving;
}

void serving_close(struct serving *serving)
{
    uv_run(&serving->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&serving->loop) != 0)
        abort();
}

void serving_turn(struct serving *serving)
{
    uv_run(&serving->loop, UV_RUN_NOWAIT);
}

uint64_t serving_count(const struct serving *serving, enum counter counter)
{
    return atomic_load(&serving->stats.counters[counter]);
}

size_t serving_query(uint16_t id, uint8_t *out)
{
    return request_write(&(struct ask){.name = "example.org.", .id = id}, out);
}

struct endpoint serving_local(int descriptor)
{
    struct endpoint local = {.v6 = {0}};
    socklen_t octets = sizeof local;

    if (getsockname(descriptor, &local.any, &octets) != 0)
        abort();
    return local;
}

bool serving_has_ipv6(void)
{
    struct endpoint loopback;
    int descriptor = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool bound = endpoint_read("::1", 1, &loopback);

    loopback.v6.sin6_port = 0;
    bound = bound && descriptor >= 0 && bind(descriptor, &loopback.any, sizeof loopback.v6) == 0;
    if (descriptor >= 0)
        close(descriptor);
    return bound;
}
