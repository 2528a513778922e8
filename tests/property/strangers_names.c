// timeout: 240
/**
 * Over all names of one space, clients of the others, types, transports and query options: the
 * reply is, octet for octet except for id and question, that of a name which nobody has; where such
 * a name would be forwarded, it is the same for all names of other spaces. _why discloses no more
 * than that.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "support/four_spaces.h"
#include "support/oracle.h"
#include "support/recursion.h"
#include "support/suite.h"
#include "support/zones.h"

enum { HEADER = 12, REPLY_MOST = 1232, TYPE_STRIDE = 5 };

static struct four_spaces four;

static const struct ask manners[] = {
    {.transport = ASK_UDP},
    {.transport = ASK_TCP},
    {.transport = ASK_UDP, .no_edns = true},
    {.transport = ASK_UDP, .no_rd = true},
    {.transport = ASK_TCP, .no_rd = true, .dnssec_ok = true, .cd = true},
};
enum { MANNER_COUNT = sizeof manners / sizeof manners[0] };

/* A reply without its id and question. */
struct tail {
    uint8_t octets[REPLY_MOST];
    size_t length;
};

/* The space that owns the internal name, reverse name or static record; NULL: none. */
static const struct space *find_space(const char *name)
{
    struct owner owner;
    bool is_apps = oracle_find_owner(four.spaces, FOUR_SPACES, name, &owner) &&
                   owner.app->internal_routing && oracle_owns_type(&owner, 15);

    if (strncasecmp(name, "_why.", 5) == 0 || strchr(name, '\\') != NULL)
        return NULL;
    return is_apps ? owner.space : oracle_special_space(four.spaces, FOUR_SPACES, name);
}

/* A name of the same shape that nobody has: a reverse name of 10.7, else z for every letter. */
static void make_nobodys(const char *name, char *out)
{
    const char *reverse = strcasestr(name, ".10.in-addr.arpa.");

    strcpy(out, name);
    if (reverse != NULL)
        out[reverse - name - 1] = '7';
    for (char *at = out; *at != '\0' && reverse == NULL; at++)
        *at = *at == '.' ? '.' : 'z';
}

static void ask_for_tail(const struct ask *ask, struct tail *tail)
{
    uint8_t request[REQUEST_OCTETS_MOST];
    size_t length = request_write(ask, request);
    size_t head = length - (ask->no_edns ? 0 : 11);
    size_t replied = world_send(&four.world, request, length, ask);

    ck_assert_uint_ge(replied, head);
    ck_assert_uint_le(replied - head + HEADER, sizeof tail->octets);
    ck_assert_mem_eq(four.world.reply + HEADER, request + HEADER, head - HEADER);
    memcpy(tail->octets, four.world.reply + 2, HEADER - 2);
    memcpy(tail->octets + HEADER - 2, four.world.reply + head, replied - head);
    tail->length = HEADER - 2 + replied - head;
}

/* Texts that repeat the question's name differ in what make_nobodys changed. */
static bool is_same(const struct tail *theirs, const struct tail *nobodys)
{
    for (size_t i = 0; i < theirs->length && theirs->length == nobodys->length; i++)
        if (theirs->octets[i] != nobodys->octets[i] && nobodys->octets[i] != 'z' &&
            !(isdigit(theirs->octets[i]) && nobodys->octets[i] == '7'))
            return false;
    return theirs->length == nobodys->length;
}

static void compare(struct ask *ask, const char *name, const char *nobody)
{
    struct tail theirs, nobodys;

    ask->name = name;
    ask_for_tail(ask, &theirs);
    ask->name = nobody;
    ask_for_tail(ask, &nobodys);
    ck_assert_msg(is_same(&theirs, &nobodys), "%s TYPE%u from %s differs from %s", name, ask->type,
                  ask->from, nobody);
}

typedef void visit_name(struct ask *ask, const char *name);

/* Visits each name of a space that the client is not inside of. */
static void visit_strangers_names(struct ask *ask, visit_name *visit)
{
    uint32_t client;
    unsigned visited = 0;

    ck_assert(ipv4_read(ask->from, &client));
    for (size_t i = 0; i < four.names.count; i++) {
        const struct space *space = find_space(four.names.items[i]);
        if (space == NULL || oracle_is_member(space, client, NULL))
            continue;
        visit(ask, four.names.items[i]);
        visited++;
    }
    ck_assert_uint_gt(visited, 20);
}

/* Types are sampled in strides; the first depends on the name, so that none is left out. */
static size_t first_type(const char *name)
{
    size_t sum = 0;

    for (; *name != '\0'; name++)
        sum += (uint8_t)*name;
    return sum % (TYPE_STRIDE * four_spaces_stride());
}

static void compare_all_types(struct ask *ask, const char *name)
{
    char nobody[NAME_TEXT_MOST];

    make_nobodys(name, nobody);
    for (size_t i = first_type(name); i < four_spaces_type_count;
         i += TYPE_STRIDE * four_spaces_stride()) {
        ask->type = four_spaces_types[i];
        compare(ask, name, nobody);
    }
}

static void compare_why(struct ask *ask, const char *name)
{
    char nobody[NAME_TEXT_MOST], why[NAME_TEXT_MOST + 8], why_nobody[NAME_TEXT_MOST + 8];

    make_nobodys(name, nobody);
    snprintf(why, sizeof why, "_why.%s", name);
    snprintf(why_nobody, sizeof why_nobody, "_why.%s", nobody);
    if (strlen(why) < 250)
        compare(ask, why, why_nobody);
}

static void set_up(void)
{
    four_spaces_init(&four);
}

static void tear_down(void)
{
    four_spaces_close(&four);
}

FIXTURE(set_up, tear_down)

TEST_LOOP(without_recursion_another_spaces_name_is_as_an_unknown_one, 0,
          (int)four_spaces_insider_count *MANNER_COUNT)
{
    struct ask ask = manners[_i % MANNER_COUNT];

    ask.from = four_spaces_insiders[_i / MANNER_COUNT];
    visit_strangers_names(&ask, compare_all_types);
}

TEST_LOOP(why_shows_of_another_spaces_name_what_it_shows_of_an_unknown_one, 0,
          (int)four_spaces_insider_count)
{
    struct ask ask = {.type = 16, .transport = ASK_TCP, .from = four_spaces_insiders[_i]};

    visit_strangers_names(&ask, compare_why);
}

/* Below no suffix, another space's name is an unknown one, too. */
TEST_LOOP(below_no_suffix_another_spaces_name_is_as_an_unknown_one, 0,
          (int)four_spaces_insider_count)
{
    struct ask ask = {.transport = ASK_TCP, .from = four_spaces_insiders[_i]};

    four.world.snapshot->policy.routes = routes_usual();
    four.world.snapshot->policy.recursion_for =
        recursion_of("{space: [nowhere.example], peered: [nowhere.example], vpn: [a.b]}");
    visit_strangers_names(&ask, compare_all_types);
}

static struct tail mould;

/* With upstreams, reverse names are special-use names: compared with one that nobody has. */
static void compare_with_mould(struct ask *ask, const char *name)
{
    struct tail tail;

    if (strcasestr(name, ".in-addr.arpa.") != NULL) {
        compare_all_types(ask, name);
        return;
    }
    for (size_t i = first_type(name); i < four_spaces_type_count;
         i += TYPE_STRIDE * four_spaces_stride()) {
        ask->name = name;
        ask->type = four_spaces_types[i];
        if (ask->type == 41 || (ask->type >= 249 && ask->type <= 254))
            continue; /* transfers are refused for any name */
        ask_for_tail(ask, &tail);
        if (mould.length == 0)
            mould = tail;
        ck_assert_msg(tail.length == mould.length &&
                          memcmp(tail.octets, mould.octets, tail.length) == 0,
                      "%s TYPE%u from %s differs", name, ask->type, ask->from);
    }
}

TEST_LOOP(with_recursion_all_names_of_other_spaces_are_alike, 0, 6)
{
    static const char *const everything[] = {
        "[space, peered, vpn]",
        "{space: [com, net, org, example, test, arpa], peered: [com, net, org, example, test, "
        "arpa], vpn: [com, net, org, example, test, arpa]}"};
    static const struct ask recursive[] = {
        {.transport = ASK_UDP}, {.transport = ASK_TCP}, {.transport = ASK_UDP, .no_edns = true}};
    struct ask ask = recursive[_i / 2];

    four.world.snapshot->policy.routes = routes_usual();
    four.world.snapshot->policy.recursion_for = recursion_of(everything[_i % 2]);
    mould.length = 0;
    for (size_t i = 0; i < four_spaces_insider_count; i++) {
        ask.from = four_spaces_insiders[i];
        visit_strangers_names(&ask, compare_with_mould);
    }
    ck_assert_uint_eq(mould.octets[1] & 15, 3);
}
