// wrap: getaddrinfo freeaddrinfo
/* Addresses of the registry's endpoints: names are looked up once, and each address is tried. */
#include "spacednsd/replica_hosts.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "support/capture.h"
#include "support/suite.h"

enum { FOUND_MOST = 20 };

static struct sockaddr_in found_addresses[FOUND_MOST];
static struct addrinfo found_infos[FOUND_MOST];
static unsigned found_count; /* addresses of any name; 0: it has none */
static unsigned lookups, frees;
static struct replica_hosts hosts;
static char shown[ENDPOINT_TEXT_MAX];

int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                       struct addrinfo **result);
void __wrap_freeaddrinfo(struct addrinfo *result);

int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                       struct addrinfo **result)
{
    (void)node;
    (void)service;
    (void)hints;
    lookups++;
    for (unsigned i = 0; i < found_count; i++) {
        found_addresses[i] =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a010001 + i)};
        found_infos[i] =
            (struct addrinfo){.ai_family = AF_INET,
                              .ai_addr = (struct sockaddr *)&found_addresses[i],
                              .ai_addrlen = sizeof found_addresses[i],
                              .ai_next = i + 1 < found_count ? &found_infos[i + 1] : NULL};
    }
    *result = found_infos;
    return found_count == 0 ? EAI_NONAME : 0;
}

void __wrap_freeaddrinfo(struct addrinfo *result)
{
    (void)result;
    frees++;
}

static void tear_down(void)
{
    replica_hosts_close(&hosts);
}

static void set_up(void)
{
    found_count = lookups = frees = 0;
}

FIXTURE(set_up, tear_down)

static const char *addresses[] = {"http://10.9.0.1:2379", "http://[fd00::9]:2380"};
static const char *names[] = {"https://etcd-1.example:2379", "https://10.9.0.2:2379"};

static void init(const char **endpoints, size_t count)
{
    struct settings settings = {.server_id = NULL};

    settings.registry_endpoints.items = endpoints;
    settings.registry_endpoints.count = count;
    ck_assert(replica_hosts_init(&hosts, &settings));
}

/* What is tried next of an endpoint; "-": nothing. */
static const char *next(const char *endpoint)
{
    const struct endpoint *address = replica_hosts_next(&hosts, endpoint);

    if (address == NULL)
        return "-";
    endpoint_write(address, shown);
    return shown;
}

TEST(an_address_is_taken_as_it_is)
{
    init(addresses, 2);
    ck_assert_uint_eq(lookups, 0);
    ck_assert_str_eq(next(addresses[0]), "10.9.0.1:2379");
    ck_assert_str_eq(next(addresses[0]), "10.9.0.1:2379");
    ck_assert_str_eq(next(addresses[1]), "[fd00::9]:2380");
    ck_assert_str_eq(next("http://10.9.0.7:2379"), "-");
}

TEST(each_address_of_a_name_is_tried_in_turn)
{
    found_count = 3;
    init(names, 2);
    ck_assert_uint_eq(lookups, 1);
    ck_assert_uint_eq(frees, 1);
    ck_assert_str_eq(next(names[0]), "10.1.0.1:2379");
    ck_assert_str_eq(next(names[0]), "10.1.0.2:2379");
    ck_assert_str_eq(next(names[1]), "10.9.0.2:2379");
    ck_assert_str_eq(next(names[0]), "10.1.0.3:2379");
    ck_assert_str_eq(next(names[0]), "10.1.0.1:2379");
    ck_assert_uint_eq(lookups, 1);
}

TEST(of_a_name_with_many_addresses_the_first_eight_are_tried)
{
    found_count = FOUND_MOST;
    init(names, 1);
    for (unsigned i = 0; i < REPLICA_ADDRESSES_MOST; i++)
        next(names[0]);
    ck_assert_str_eq(next(names[0]), "10.1.0.1:2379");
}

TEST(a_name_without_an_address_is_logged_and_the_others_are_tried)
{
    struct capture capture;

    capture_start(&capture);
    init(names, 2);
    capture_stop(&capture);
    ck_assert_ptr_nonnull(
        strstr(capture.text, "registry_unresolved endpoint=https://etcd-1.example:2379"));
    ck_assert_uint_eq(frees, 0);
    ck_assert_str_eq(next(names[0]), "-");
    ck_assert_str_eq(next(names[1]), "10.9.0.2:2379");
}

TEST(an_endpoint_is_found_by_its_text)
{
    char text[] = "http://10.9.0.1:2379";

    init(addresses, 2);
    ck_assert_ptr_eq(replica_hosts_text(&hosts, text), addresses[0]);
    ck_assert_ptr_null(replica_hosts_text(&hosts, "http://10.9.0.7:2379"));
    ck_assert_ptr_null(replica_hosts_text(&hosts, NULL));
}
