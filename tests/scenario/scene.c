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
    if (!reply->qr || memcmp(scene->request, scene->reply_octets, 2) != 0)
        return scene_complain(scene, "QR or id is wrong");
    bool keeps_bits = ask->opcode == 0;
    if (reply->rd != (keeps_bits && !ask->no_rd) || reply->cd != (keeps_bits && ask->cd))
        return scene_complain(scene, "RD or CD did not come back as it went");
    if (scene->reply_length > limit_of(ask))
        return scene_complain(scene, "%zu octets are more than the client takes",
                              scene->reply_length);
    /* Our own FORMERR is a bare header. */
    if (reply->rcode == 1 && !reply->ra)
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
    bool aa, ra, tc, ad;
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
    else if (strcmp(word, "ad") == 0)
        flags->ad = true;
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
        if (word[0] == '+') {
            scene->matched.addresses = (unsigned)atoi(word + 1);
            continue;
        }
        if (!ipv4_read(word, &wanted) || !has_address(addresses, count, wanted))
            return scene_complain(scene, "no %s in the answer", word);
        scene->matched.addresses++;
    }
    if (scene->matched.addresses != count)
        return scene_complain(scene, "%zu addresses are not what was wanted", count);
    if (scene->reply.aa != flags.aa || scene->reply.ra != flags.ra || scene->reply.tc != flags.tc ||
        scene->reply.ad != flags.ad)
        return scene_complain(scene, "wrong flags");
    return true;
}

static bool get(struct scene *scene, char *rest)
{
    const char *rcode = story_next_word(&rest);

    scene->matched.got = true;
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
    scene->matched.records += strstr(rest, " IN A ") == NULL;
    return true;
}

static bool says(struct scene *scene, char *rest)
{
    scene->matched.texts = true;
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
    scene->matched.soa = true;
    if (scene->reply.authority_count != 1)
        return scene_complain(scene, "%u records of authority", scene->reply.authority_count);
    return decoded_has(&scene->reply, LDNS_SECTION_AUTHORITY, pattern) ||
           scene_complain(scene, "no %s", pattern);
}

static bool authority(struct scene *scene, char *rest)
{
    scene->matched.authority++;
    return decoded_has(&scene->reply, LDNS_SECTION_AUTHORITY, rest) ||
           scene_complain(scene, "no such record of authority");
}

static bool beside(struct scene *scene, char *rest)
{
    scene->matched.beside++;
    return decoded_has(&scene->reply, LDNS_SECTION_ADDITIONAL, rest) ||
           scene_complain(scene, "no such record beside the answer");
}

/* ---- options ---- */

/* Our own reasons are short; an upstream's text is relayed unchanged. */
static bool why(struct scene *scene, char *rest)
{
    const struct decoded *reply = &scene->reply;

    for (unsigned i = 0; i < reply->ede_count; i++) {
        const char *text = reply->edes[i].text;
        if ((scene->matched.whys & 1U << i) != 0 || strncmp(text, rest, strlen(rest)) != 0)
            continue;
        scene->matched.whys |= 1U << i;
        scene->matched.last_why = i;
        return text[0] != 'Q' || strlen(text) <= 100 ||
               scene_complain(scene, "an extended error of more than 100 octets");
    }
    return scene_complain(scene, "no such extended error; the first reads '%s'", reply->ede_text);
}

static bool ede(struct scene *scene, char *rest)
{
    const struct decoded_ede *ede = &scene->reply.edes[scene->matched.last_why];

    if (scene->reply.ede_count == 0)
        return scene_complain(scene, "no extended error");
    return ede->code == atoi(rest) || scene_complain(scene, "the extended error is %d", ede->code);
}

static bool nsid(struct scene *scene, char *rest)
{
    scene->matched.nsid = true;
    return (scene->reply.nsid[0] != '\0' && fnmatch(rest, scene->reply.nsid, 0) == 0) ||
           scene_complain(scene, "NSID is '%s'", scene->reply.nsid);
}

static bool keepalive(struct scene *scene, char *rest)
{
    scene->matched.keepalive = true;
    return scene->reply.keepalive_100ms == atoi(rest) ||
           scene_complain(scene, "keepalive is %d", scene->reply.keepalive_100ms);
}

/* ---- octets and time ---- */

static bool within(struct scene *scene, char *rest)
{
    return scene->stage->is_live || scene->took_ms <= (uint64_t)atoi(rest) ||
           scene_complain(scene, "it took %llu ms", (unsigned long long)scene->took_ms);
}

static bool grows(struct scene *scene, char *rest)
{
    long growth = (long)scene->reply_length - (long)scene->request_length;
    return growth == atol(rest) || scene_complain(scene, "it grows by %ld octets", growth);
}

static bool like(struct scene *scene, char *rest)
{
    static uint8_t reply[STAGE_REPLY_OCTETS];
    struct stage_call call = {.ask = scene->ask, .awaited.reply = reply};

    call.ask.name = story_next_word(&rest);
    call.ask.type = request_type(story_next_word(&rest));
    call.request_length = request_write(&call.ask, call.request);
    if (!stage_post(scene->stage, &call) || !stage_await(scene->stage, &call))
        return scene_complain(scene, "the exchange failed");
    size_t length = call.awaited.length;
    size_t here = HEADER + question_octets(&scene->ask, scene->request_length);
    size_t there = HEADER + question_octets(&call.ask, call.request_length);
    bool is_alike = scene->reply_length - here == length - there &&
                    memcmp(scene->reply_octets + 2, reply + 2, HEADER - 2) == 0 &&
                    memcmp(scene->reply_octets + here, reply + there, length - there) == 0;
    return is_alike || scene_complain(scene, "the replies differ");
}

static const struct scene_verb verbs[] = {
    {"get", get, true},
    {"answer", answer, true},
    {"says", says, true},
    {"soa", soa, true},
    {"authority", authority, true},
    {"beside", beside, true},
    {"why", why, true},
    {"ede", ede, true},
    {"nsid", nsid, true},
    {"keepalive", keepalive, true},
    {"grows", grows, true},
    {"like", like, true},
    {"within", within, true},
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
    const struct matched *matched = &scene->matched;

    if (!matched->got)
        return scene_complain(scene, "the question before has no `get`");
    if (!scene->has_reply)
        return true;
    unsigned texts = matched->texts ? count_texts(reply) : 0;
    if (matched->addresses + matched->records + texts != reply->answer_count)
        return scene_complain(scene, "the answer holds records that no line speaks of");
    if (!matched->soa && matched->authority != reply->authority_count)
        return scene_complain(scene, "no line speaks of all of the authority section");
    if (matched->beside != reply->additional_count)
        return scene_complain(scene, "the additional section holds something else");
    for (unsigned i = 0; i < reply->ede_count; i++)
        if ((matched->whys & 1U << i) == 0)
            return scene_complain(scene, "no `why` speaks of '%s'", reply->edes[i].text);
    if (!matched->nsid && reply->nsid[0] != '\0')
        return scene_complain(scene, "no `nsid` speaks of '%s'", reply->nsid);
    if (!matched->keepalive && reply->keepalive_100ms >= 0)
        return scene_complain(scene, "no `keepalive` speaks of it");
    return true;
}
