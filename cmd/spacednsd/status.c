#include "spacednsd/status.h"

#include <unistd.h>

#include "base/clock.h"
#include "spacednsd/replica.h"
#include "spacednsd/workers.h"

enum { NS_PER_SECOND = 1000000000 };

static const char *text_of(const struct err *err)
{
    return err->code == ERR_NONE ? NULL : err->text;
}

static struct status_reload read_last(const struct reload_last *last, uint64_t now_ns)
{
    if (!last->has_been)
        return (struct status_reload){.end = NULL};
    return (struct status_reload){.end = reload_end_text(last->end),
                                  .ago_s = (now_ns - last->ended_ns) / NS_PER_SECOND,
                                  .cause = text_of(&last->cause)};
}

static struct status_privileges read_privileges(const struct status_source *source)
{
    return (struct status_privileges){.user = source->privileges->user,
                                      .capabilities = source->privileges->capabilities,
                                      .has_no_new = privileges_has_no_new(),
                                      .landlock = source->sandbox->landlock,
                                      .seccomp = source->sandbox->seccomp};
}

static bool read_interfaces(const struct xdp *xdp, struct arena *arena, struct status *status)
{
    if (xdp == NULL)
        return true;
    struct status_interface *interfaces = arena_take(arena, xdp->count * sizeof *interfaces);
    if (interfaces == NULL)
        return false;
    for (size_t i = 0; i < xdp->count; i++) {
        char *state = arena_take(arena, XDP_STATE_OCTETS);
        if (state == NULL)
            return false;
        xdp_format_state(&xdp->items[i], state);
        interfaces[i] = (struct status_interface){
            .name = xdp->items[i].name, .is_used = xdp_is_used(&xdp->items[i]), .state = state};
    }
    status->interfaces = interfaces;
    status->interface_count = xdp->count;
    return true;
}

bool status_print(const struct status_source *source, bool is_json, FILE *out)
{
    uint64_t now_ns = clock_monotonic_ns();
    struct status status = {.pid = (int)getpid(),
                            .uptime_s = (now_ns - source->started_ns) / NS_PER_SECOND,
                            .snapshot = server_current(source->server),
                            .settings = source->settings,
                            .control_socket = source->socket,
                            .state = source->state,
                            .state_problem = text_of(&source->storing->problem),
                            .upgrade_problem = upgrade_problem(source->upgrade),
                            .last_good = source->last_good->files,
                            .last_good_count = source->last_good->count,
                            .last = read_last(source->last, now_ns),
                            .privileges = read_privileges(source)};
    struct arena *arena = arena_new();
    struct registry_status registry;

    if (source->replica != NULL) {
        replica_describe(source->replica, &registry);
        status.registry = &registry;
    }
    bool is_whole = arena != NULL && workers_read(source->server, arena, &status) &&
                    read_interfaces(source->xdp, arena, &status);

    server_sum(source->server, &status.totals);
    if (is_whole && is_json)
        status_print_json(&status, out);
    else if (is_whole)
        status_print_text(&status, out);
    arena_free(arena);
    return is_whole;
}
