#include "space/model.h"

#include <string.h>

#include "wire/name.h"

struct suffixes suffixes_default(void)
{
    return (struct suffixes){
        .apps = "herokuapp.com",
        .discovery = "localspace",
        .targets = {"herokuspace.com", "herokudns.com"},
    };
}

static bool has_dyno_up(const struct formation *formation)
{
    for (size_t i = 0; i < formation->dyno_count; i++)
        if (formation->dynos[i].state == DYNO_UP)
            return true;
    return false;
}

bool app_has_running_web(const struct app *app)
{
    for (size_t i = 0; i < app->formation_count; i++)
        if (strcmp(app->formations[i].type.text, "web") == 0)
            return has_dyno_up(&app->formations[i]);
    return false;
}

bool formation_is_publishable(const struct formation *formation)
{
    return strlen(formation->type.text) <= LABEL_MAX_OCTETS;
}

bool peering_grants(const struct peering *peering)
{
    return peering->status == PEERING_ACTIVE &&
           (peering->type == PEERING_CUSTOMER_MANAGED || peering->grant);
}

bool vpn_grants(const struct vpn *vpn)
{
    if (vpn->status != VPN_ACTIVE)
        return false;
    for (size_t i = 0; i < vpn->tunnel_count; i++)
        if (vpn->tunnels[i].is_up)
            return true;
    return vpn->tunnel_count == 0;
}

const char *dyno_state_text(enum dyno_state state)
{
    static const char *const texts[] = {
        [DYNO_UP] = "up",           [DYNO_STARTING] = "starting", [DYNO_IDLE] = "idle",
        [DYNO_CRASHED] = "crashed", [DYNO_DOWN] = "down",
    };

    return texts[state];
}
