#include "scenario/scene.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"

enum { HEADER = 12, ADDRESSES_MOST = 4096, UDP_LEAST = 512, UDP_MOST = 1232 };

static size_t limit_of(const struct ask *ask)
{
    size_t octets = ask->edns_octets == 0 ? UDP_MOST : ask->edns_octets;

    if (ask->transport == ASK_TCP)
        return STAGE_REPLY_OCTETS;
    if (ask->no_edns || octets < UDP_LEAST)
        return UDP_LEAST;
    return octets > UDP_MOST ? UDP_MOST : octets;
}

/* The question's octets in the request that a story's `ask` made. */
static size_t question_octets(const struct ask *ask, size_t request_length)
{
    size_t options = (ask->nsid ? 4U : 0U) + (ask->keepalive ? 4U : 0U);
    return request_length - HEADER - (ask->no_edns ? 0 : 11 + options);
}

bool scene_check_reply(const struct scene *scene)
{
    const struct decoded *reply = &scene->reply;
    const struct ask *ask = &scene->ask;

    if (!scene->has_reply)
        return true;
    if (!reply->qr || reply->ad || memcmp(scene->request, scene->reply_octets, 2) != 0)
        return scene_complain(scene, "QR, AD or id is wrong");
    if (reply->rd == ask->no_rd || reply->cd != ask->cd)
        return scene_complain(scene, "RD or CD did not come back as it went");
    if (scene->reply_length > limit_of(ask))
        return scene_complain(scene, "%zu octets are more than the client takes",
                              scene->reply_length);
    if (reply->rcode == 1 || reply->rcode == 4) /* FORMERR and NOTIMP are a bare header */
        return scene->reply_length == HEADER || scene_complain(scene, "not a bare header");
    if (reply->has_opt == ask->no_edns)
        return scene_complain(scene, "OPT comes when one went, and only then");
    size_t question = question_octets(ask, scene->request_length);
    if (reply->question_count != 1 ||
        memcmp(scene->request + HEADER, scene->reply_octets + HEADER, question) != 0)
        return scene_complain(scene, "the question did not come back as it went");
    return true;
}

/* ---- get ---- */

static bool has_address(uint32_t *addresses, size_t count, uint32_t wanted)
{
    for (size_t i = 0; i < count; i++) {
        if (addresses[i] == wanted) {
            addresses[i] = 0; /* each is used once */
            return true;
        }
    }
    return false;
}

struct wanted_flags {
    bool aa, ra, tc;
};

static bool read_flag(const char *word, struct wanted_flags *flags)
{
    bool is_flag = true;

    if (strcmp(word, "aa") == 0)
        flags->aa = true;
    else if (strcmp(word, "ra") == 0)
        flags->ra = true;
    else if (strcmp(word, "tc") == 0)
        flags->tc = true;
    else
        is_flag = false;
    return is_flag;
}

static bool get_addresses(struct scene *scene, char *rest)
{
    static uint32_t addresses[ADDRESSES_MOST];
    size_t count = decoded_addresses(&scene->reply, addresses, ADDRESSES_MOST);
    struct wanted_flags flags = {.aa = false};
    const char *word;
    uint32_t wanted;

    while ((word = story_next_word(&rest)) != NULL) {
        if (read_flag(word, &flags))
            continue;
        if (!ipv4_read(word, &wanted) || !has_address(addresses, count, wanted))
            return scene_complain(scene, "no %s in the answer", word);
        scene->told.addresses++;
    }
    if (scene->told.addresses != count)
        return scene_complain(scene, "more addresses than wanted");
    if (scene->reply.aa != flags.aa || scene->reply.ra != flags.ra || scene->reply.tc != flags.tc)
        return scene_complain(scene, "wrong flags");
    return true;
}

static bool get(struct scene *scene, char *rest)
{
    const char *rcode = story_next_word(&rest);

    scene->told.got = true;
    if (rcode == NULL)
        return scene_complain(scene, "get RCODE");
    if (strcmp(rcode, "nothing") == 0)
        return !scene->has_reply || scene_complain(scene, "there is a reply");
    if (!scene->has_reply)
        return scene_complain(scene, "there is no reply");
    if (strcmp(rcode, rcode_name(scene->reply.rcode)) != 0)
        return scene_complain(scene, "not %s", rcode);
    return get_addresses(scene, rest);
}

/* ---- records ---- */

static bool answer(struct scene *scene, char *rest)
{
    if (!decoded_has(&scene->reply, LDNS_SECTION_ANSWER, rest))
        return scene_complain(scene, "no such record in the answer");
    /* Addresses are counted by `get`. */
    scene->told.records += strstr(rest, " IN A ") == NULL;
    return true;
}

static bool says(struct scene *scene, char *rest)
{
    scene->told.texts = true;
    return decoded_says(&scene->reply, rest) || scene_complain(scene, "no such text");
}

static bool soa(struct scene *scene, char *rest)
{
    const char *owner = story_next_word(&rest);
    const char *ttl = story_next_word(&rest);
    char pattern[512];

    snprintf(pattern, sizeof pattern,
             "%s %s IN SOA localspace. hostmaster.localspace. [1-9]* 3600 600 86400 %s", owner,
             ttl == NULL ? "5" : ttl, ttl == NULL ? "5" : ttl);
    scene->told.soa = true;
    if (scene->reply.authority_count != 1)
        return scene_complain(scene, "%u records of authority", scene->reply.authority_count);
    return decoded_has(&scene->reply, LDNS_SECTION_AUTHORITY, pattern) ||
           scene_complain(scene, "no %s", pattern);
}

static bool beside(struct scene *scene, char *rest)
{
    scene->told.beside++;
    return decoded_has(&scene->reply, LDNS_SECTION_ADDITIONAL, rest) ||
           scene_complain(scene, "no such record beside the answer");
}

/* ---- options ---- */

static bool why(struct scene *scene, char *rest)
{
    scene->told.why = true;
    if (scene->reply.ede_code == NO_EDE)
        return scene_complain(scene, "no extended error");
    if (strlen(scene->reply.ede_text) > 100)
        return scene_complain(scene, "an extended error of more than 100 octets");
    return strncmp(scene->reply.ede_text, rest, strlen(rest)) == 0 ||
           scene_complain(scene, "the extended error reads '%s'", scene->reply.ede_text);
}

static bool ede(struct scene *scene, char *rest)
{
    return scene->reply.ede_code == atoi(rest) ||
           scene_complain(scene, "the extended error is %d", scene->reply.ede_code);
}

static bool nsid(struct scene *scene, char *rest)
{
    scene->told.nsid = true;
    return (scene->reply.nsid[0] != '\0' && fnmatch(rest, scene->reply.nsid, 0) == 0) ||
           scene_complain(scene, "NSID is '%s'", scene->reply.nsid);
}

static bool keepalive(struct scene *scene, char *rest)
{
    scene->told.keepalive = true;
    return scene->reply.keepalive_100ms == atoi(rest) ||
           scene_complain(scene, "keepalive is %d", scene->reply.keepalive_100ms);
}

/* ---- octets ---- */

static bool grows(struct scene *scene, char *rest)
{
    long growth = (long)scene->reply_length - (long)scene->request_length;
    return growth == atol(rest) || scene_complain(scene, "it grows by %ld octets", growth);
}

static bool like(struct scene *scene, char *rest)
{
    uint8_t request[REQUEST_OCTETS_MOST];
    static uint8_t reply[STAGE_REPLY_OCTETS];
    struct ask ask = scene->ask;

    ask.name = story_next_word(&rest);
    ask.type = request_type(story_next_word(&rest));
    size_t request_length = request_write(&ask, request), length = request_length;
    if (!stage_exchange(scene->stage, &ask, request, &length, reply))
        return scene_complain(scene, "the exchange failed");
    size_t here = HEADER + question_octets(&scene->ask, scene->request_length);
    size_t there = HEADER + question_octets(&ask, request_length);
    bool is_alike = scene->reply_length - here == length - there &&
                    memcmp(scene->reply_octets + 2, reply + 2, HEADER - 2) == 0 &&
                    memcmp(scene->reply_octets + here, reply + there, length - there) == 0;
    return is_alike || scene_complain(scene, "the replies differ");
}

static const struct scene_verb verbs[] = {
    {"get", get, true},     {"answer", answer, true}, {"says", says, true},
    {"soa", soa, true},     {"beside", beside, true}, {"why", why, true},
    {"ede", ede, true},     {"nsid", nsid, true},     {"keepalive", keepalive, true},
    {"grows", grows, true}, {"like", like, true},
};
enum { VERB_COUNT = sizeof verbs / sizeof verbs[0] };

const struct scene_verb *scene_find_check(const char *name)
{
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static unsigned count_texts(const struct decoded *reply)
{
    unsigned count = 0;

    for (unsigned i = 0; i < reply->answer_count; i++)
        count +=
            ldns_rr_get_type(decoded_record(reply, LDNS_SECTION_ANSWER, i)) == LDNS_RR_TYPE_TXT;
    return count;
}

bool scene_settle(const struct scene *scene)
{
    const struct decoded *reply = &scene->reply;
    const struct told *told = &scene->told;

    if (!told->got)
        return scene_complain(scene, "the question before has no `get`");
    if (!scene->has_reply)
        return true;
    unsigned texts = told->texts ? count_texts(reply) : 0;
    if (told->addresses + told->records + texts != reply->answer_count)
        return scene_complain(scene, "the answer holds records that no line speaks of");
    if (!told->soa && reply->authority_count > 0)
        return scene_complain(scene, "no `soa` speaks of the authority section");
    if (told->beside != reply->additional_count)
        return scene_complain(scene, "the additional section holds something else");
    if (!told->why && reply->ede_code != NO_EDE)
        return scene_complain(scene, "no `why` speaks of '%s'", reply->ede_text);
    if (!told->nsid && reply->nsid[0] != '\0')
        return scene_complain(scene, "no `nsid` speaks of '%s'", reply->nsid);
    if (!told->keepalive && reply->keepalive_100ms >= 0)
        return scene_complain(scene, "no `keepalive` speaks of it");
    return true;
}
