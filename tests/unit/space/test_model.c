/* The predicates of the model. */
#include "space/model.h"

#include <check.h>
#include <string.h>

#include "support/suite.h"

static const struct {
    enum peering_type type;
    enum peering_status status;
    bool grant;
    bool grants;
} peerings[] = {
    {PEERING_CUSTOMER_MANAGED, PEERING_ACTIVE, false, true},
    {PEERING_CUSTOMER_MANAGED, PEERING_INITIATING_REQUEST, false, false},
    {PEERING_CUSTOMER_MANAGED, PEERING_PENDING_ACCEPTANCE, false, false},
    {PEERING_CUSTOMER_MANAGED, PEERING_PROVISIONING, true, false},
    {PEERING_CUSTOMER_MANAGED, PEERING_FAILED, false, false},
    {PEERING_CUSTOMER_MANAGED, PEERING_EXPIRED, false, false},
    {PEERING_CUSTOMER_MANAGED, PEERING_REJECTED, false, false},
    {PEERING_CUSTOMER_MANAGED, PEERING_DELETED, false, false},
    {PEERING_HEROKU_MANAGED, PEERING_ACTIVE, false, false},
    {PEERING_HEROKU_MANAGED, PEERING_ACTIVE, true, true},
    {PEERING_UNKNOWN, PEERING_ACTIVE, false, false},
    {PEERING_UNKNOWN, PEERING_ACTIVE, true, true},
};

TEST_OVER(a_peering_lets_clients_in_only_while_active_and_ours_or_granted, peerings)
{
    struct peering peering = {
        .type = peerings[_i].type, .status = peerings[_i].status, .grant = peerings[_i].grant};

    ck_assert_int_eq(peering_grants(&peering), peerings[_i].grants);
}

static const struct {
    enum vpn_status status;
    size_t tunnel_count;
    bool first_is_up;
    bool second_is_up;
    bool grants;
} vpns[] = {
    {VPN_ACTIVE, 0, false, false, true},      {VPN_ACTIVE, 2, true, false, true},
    {VPN_ACTIVE, 2, false, true, true},       {VPN_ACTIVE, 2, false, false, false},
    {VPN_ACTIVE, 1, false, true, false},      {VPN_PENDING, 0, false, false, false},
    {VPN_PROVISIONING, 2, true, true, false}, {VPN_DEPROVISIONING, 2, true, true, false},
    {VPN_FAILED, 2, true, true, false},
};

TEST_OVER(a_vpn_lets_clients_in_only_while_active_with_a_tunnel_up_or_none_listed, vpns)
{
    struct tunnel tunnels[2] = {{.is_up = vpns[_i].first_is_up}, {.is_up = vpns[_i].second_is_up}};
    struct vpn vpn = {
        .status = vpns[_i].status, .tunnels = tunnels, .tunnel_count = vpns[_i].tunnel_count};

    ck_assert_int_eq(vpn_grants(&vpn), vpns[_i].grants);
}

static const struct {
    const char *type;
    enum dyno_state state;
    bool runs;
} dynos[] = {
    {"web", DYNO_UP, true},       {"web", DYNO_STARTING, false}, {"web", DYNO_IDLE, false},
    {"web", DYNO_CRASHED, false}, {"web", DYNO_DOWN, false},     {"worker", DYNO_UP, false},
    {"run", DYNO_UP, false},      {"release", DYNO_UP, false},   {"Web", DYNO_UP, false},
    {"webs", DYNO_UP, false},
};

TEST_OVER(a_running_web_dyno_has_type_web_and_state_up, dynos)
{
    struct dyno pair[2] = {{.state = DYNO_CRASHED}, {.state = dynos[_i].state}};
    struct formation formations[2] = {
        {.type = {.text = "other"}},
        {.type = {.text = dynos[_i].type}, .dynos = pair, .dyno_count = 2},
    };
    struct app app = {.formations = formations, .formation_count = 2};

    ck_assert_int_eq(app_has_running_web(&app), dynos[_i].runs);
}

TEST(an_app_without_formation_has_no_running_web)
{
    struct app app = {0};

    ck_assert(!app_has_running_web(&app));
}

TEST(a_type_of_63_octets_is_publishable_and_of_64_not)
{
    char type[65];
    struct formation formation = {.type = {.text = type}};

    memset(type, 'a', sizeof type);
    type[64] = '\0';
    ck_assert(!formation_is_publishable(&formation));
    type[63] = '\0';
    ck_assert(formation_is_publishable(&formation));
}
