#include "serve/devices.h"

#include <net/if.h>

#include "base/log.h"

static void log_device(const char *device, bool is_there)
{
    struct log_line line;

    log_start(&line, is_there ? LOG_INFO : LOG_WARNING,
              is_there ? "device_there" : "device_absent");
    log_string(&line, "device", device);
    if (!is_there)
        log_string(&line, "effect",
                   "its connections let nobody in until there is a network interface of this name");
    log_send(&line);
}

void devices_look_up(const struct access *access, bool is_new)
{
    for (uint32_t device = 0; device < access->device_count; device++) {
        const char *name = access->devices[device];
        bool was_there = access_has_interface(access, device);
        access_set_interface(access, device, if_nametoindex(name));
        bool is_there = access_has_interface(access, device);
        if (is_new ? !is_there : is_there != was_there)
            log_device(name, is_there);
    }
}
