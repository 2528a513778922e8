#include "decide/explain.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/deciding.h"
#include "support/dyno_keys.h"
#include "support/recursion.h"
#include "support/snapshot_fixture.h"
#include "support/suite.h"

#define DYNO "10.0.130.56"
#define PEER "10.20.3.4"
#define OTHER "10.1.130.4"
#define SHAPE "10.2.130.1"

static const struct {
    const char *from, *name, *expected;
} reasons[] = {
    {DYNO, "sleepy-river-2739.herokuapp.com",
     "Q10 app crashed: sleepy-river-2739 has 1 web dyno, none up"},
    {"203.0.113.9", "api.example.com",
     "Q18 client is outside every space, peering and VPN served here"},
    {SHAPE, "shape-empty-4.herokuapp.com", "Q14 *shape-empty-4 has no web dyno*"},
    {OTHER, "api.example.com", "Q20 not a name of this space, and no upstream *"},
    {PEER, "web.frozen-oasis-70544.app.localspace", "Q19 *peered*"},
    {DYNO, "www.debian.org",
     "Q20 not a name of this space, and no upstream to ask; name one in upstreams"},
    {PEER, "www.debian.org", "Q20 not a name of this space, and no recursion for this client"},
    {DYNO, "open-plain-1001-1234567890ab.herokuapp.com", "Q20 open-plain-1001 *"},
    {DYNO, "web.sleepy-river-2739.app.localspace", "Q24 *web*sleepy-river-2739*"},
    {DYNO, "1.web.sleepy-river-2739.app.localspace", "Q24 *web.1*crashed*"},
    {DYNO, "web.frozen-oasis-70545.app.localspace",
     "Q25 *frozen-oasis-70545*did you mean frozen-oasis-70544?"},
    {DYNO, "1.2.0.10.in-addr.arpa", "Q25 *"},
    {PEER, "api.example.com", "Q40 pcx-111aaa111 *10.0.0.0/16"},
    {DYNO, "api.example.com", ""},
};

static const char *explain_in_a_sentence(const char *from, const char *name, char *out, size_t size)
{
    struct text text = text_over(out, size - 1);
    struct deciding deciding;

    memset(out, 0, size);
    deciding_ask(&deciding, fixture.snapshot, from, name, 1);
    explain_reason(fixture.snapshot, &deciding.client, &deciding.query, &deciding.verdict, &text);
    return out;
}

FIXTURE(snapshot_set_up, snapshot_tear_down)

TEST_OVER(a_reason_is_one_sentence, reasons)
{
    char sentence[EDE_TEXT_OCTETS + 1];

    explain_in_a_sentence(reasons[_i].from, reasons[_i].name, sentence, sizeof sentence);
    ck_assert_msg(fnmatch(reasons[_i].expected, sentence, FNM_NOESCAPE) == 0, "%s from %s: %s",
                  reasons[_i].name, reasons[_i].from, sentence);
}

/* Sentences about names that are forwarded, once there are upstreams. */
static const struct {
    const char *name;
    enum reason reason; /* as set after forwarding; REASON_NONE: by decide */
    const char *fault, *upstream, *expected;
} forwarded[] = {
    {"www.debian.org", REASON_NONE, NULL, NULL, ""},
    {"www.debian.org", REASON_UPSTREAM, "no reply from", "10.0.0.2", "Q22 no reply from 10.0.0.2"},
    {"www.debian.org", REASON_UPSTREAM_NETWORK, "cannot reach", "tls://9.9.9.9",
     "Q22 cannot reach tls://9.9.9.9"},
    {"www.corp.example", REASON_UPSTREAM, "too many questions on their way to", NULL,
     "Q22 too many questions on their way to 192.168.7.53"},
    {"www.debian.org", REASON_UPSTREAM, NULL, NULL, "Q22 Upstream silent or failing"},
    {"www.debian.org", REASON_STALE, "no reply from", "10.0.0.2",
     "Q41 stale answer: no reply from 10.0.0.2"},
    {"www.debian.org", REASON_STALE_NXDOMAIN, "no reply from", "10.0.0.2",
     "Q41 stale answer: no reply from 10.0.0.2"},
    {"www.debian.org", REASON_STALE, NULL, NULL, "Q41 Stale answer: no upstream answers now"},
    {"www.debian.org", REASON_REBIND, NULL, NULL,
     "Q23 answer has an address of a space served here; if meant, set allow_rebind"},
    {"www.corp.example", REASON_REBIND, NULL, NULL,
     "Q23 answer has an address of a space served here; if meant, set allow_rebind for "
     "corp.example"},
    {"printer.home.arpa", REASON_NONE, NULL, NULL,
     "Q26 special-use name home.arpa is not forwarded; list its zone in upstream_zones"},
    {"1.2.168.192.in-addr.arpa", REASON_NONE, NULL, NULL,
     "Q26 special-use name 168.192.in-addr.arpa is not forwarded; list its zone in upstream_zones"},
    {"x.invalid", REASON_NONE, NULL, NULL, "Q26 special-use name invalid never exists (RFC 6761)"},
    {"x.localhost", REASON_NONE, NULL, NULL, ""},
};

TEST_OVER(an_upstreams_fault_is_one_sentence, forwarded)
{
    char sentence[EDE_TEXT_OCTETS + 1] = "";
    struct text text = text_over(sentence, EDE_TEXT_OCTETS);
    struct deciding deciding;

    fixture.snapshot->policy.routes = routes_usual();
    deciding_ask(&deciding, fixture.snapshot, DYNO, forwarded[_i].name, 1);
    if (forwarded[_i].reason != REASON_NONE)
        deciding.verdict.reason = forwarded[_i].reason;
    deciding.verdict.upstream_fault = forwarded[_i].fault;
    deciding.verdict.upstream = forwarded[_i].upstream;
    explain_reason(fixture.snapshot, &deciding.client, &deciding.query, &deciding.verdict, &text);
    ck_assert_str_eq(sentence, forwarded[_i].expected);
}

TEST(a_query_without_rd_gets_that_as_its_reason)
{
    char sentence[EDE_TEXT_OCTETS + 1] = "";
    struct text text = text_over(sentence, EDE_TEXT_OCTETS);
    struct deciding deciding = {.query = {.type = 1, .class = 1}};

    fixture.snapshot->policy.routes = routes_usual();
    ck_assert(name_from_text("www.debian.org", &deciding.query.name));
    deciding_decide(&deciding, fixture.snapshot, DYNO);
    explain_reason(fixture.snapshot, &deciding.client, &deciding.query, &deciding.verdict, &text);
    ck_assert_str_eq(sentence,
                     "Q20 not a name of this space, and the query does not want recursion (RD=0)");
}

/* Of a class with suffixes: the list that does not have the name, as much as there is room for. */
static const struct {
    const char *recursion_for, *from, *name, *expected;
} lists[] = {
    {"{peered: [herokuapp.com, example.com]}", PEER, "www.debian.org",
     "Q20 not a name of this space, and recursion only for herokuapp.com, example.com"},
    {"{peered: [herokuapp.com, example.com], vpn: [debian.org]}", PEER, "www.debian.org",
     "Q20 not a name of this space, and recursion only for herokuapp.com, example.com"},
    {"{peered: [herokuapp.com, herokuspace.com, herokudns.com, example.com]}", PEER,
     "www.debian.org",
     "Q20 not a name of this space, and recursion only for herokuapp.com, herokuspace.com and 2 "
     "more"},
    {"{vpn: [debian.org]}", PEER, "www.debian.org",
     "Q20 not a name of this space, and no recursion for this client"},
    {"{peered: [a.very-long-suffix-that-has-no-place-in-a-sentence.example]}", PEER,
     "www.debian.org", "Q20 not a name of this space, and recursion only for 1 suffix"},
    {"{peered: [debian.org]}", PEER, "www.debian.org", ""},
};

TEST_OVER(a_list_without_the_name_is_in_the_sentence, lists)
{
    char sentence[EDE_TEXT_OCTETS + 1];

    fixture.snapshot->policy.routes = routes_usual();
    fixture.snapshot->policy.recursion_for = recursion_of(lists[_i].recursion_for);
    explain_in_a_sentence(lists[_i].from, lists[_i].name, sentence, sizeof sentence);
    ck_assert_str_eq(sentence, lists[_i].expected);
}

/* With the longest possible names, 100 octets are enough for code and fact. */
TEST(the_sentence_is_never_longer_than_its_room)
{
    static const char *const labels[] = {
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "x", "_y"};
    char name[256], sentence[EDE_TEXT_OCTETS + 1];

    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            snprintf(name, sizeof name, "%s.%s.app.localspace", labels[i], labels[j]);
            explain_in_a_sentence(DYNO, name, sentence, sizeof sentence);
            ck_assert_int_eq(strncmp(sentence, "Q25 ", 4), 0);
        }
}

/* All steps of an explanation in one text, separated by |. */
static void write_steps(const struct explanation *explanation, char *out)
{
    ck_assert_uint_gt(explanation->count, 1);
    ck_assert_uint_le(explanation->count, EXPLAIN_STEPS_MAX);
    for (unsigned i = 0; i < explanation->count; i++)
        out += sprintf(out, "%s%.*s", i > 0 ? "|" : "", explanation->steps[i].length,
                       explanation->steps[i].octets);
}

static void explain_type(const char *from, const char *name, uint16_t type, char *out)
{
    struct deciding deciding;
    struct explanation explanation;

    deciding_ask(&deciding, fixture.snapshot, from, name, type);
    explain(fixture.snapshot, &deciding.client, &deciding.query, &deciding.verdict, NULL,
            &explanation);
    write_steps(&explanation, out);
}

static void explain_name(const char *from, const char *name, char *out)
{
    explain_type(from, name, 1, out);
}

static const struct {
    const char *from, *name, *expected;
} stories[] = {
    {DYNO, "api.example.com",
     "name=api.example.com*|client=10.0.130.56 class=space space=test-space*10.0.0.0/16*"
     "|host=api.example.com*(*:34)|app=frozen-oasis-70544*(*:31)*10.0.0.37 10.0.16.21*"
     "|verdict=NOERROR*"},
    {PEER, "api.example.com",
     "*pcx-111aaa111 because of 10.20.0.0/16|*|verdict=NOERROR*Q40*"}, /* no locations for a peer */
    {DYNO, "sleepy-river-2739.herokuapp.com", "*web_up=0*(*:45)*|remedy=*|verdict=NOERROR*Q10*"},
    {DYNO, "open-plain-1001-1234567890ab.herokuapp.com",
     "*internal_routing=false*recreated*|verdict=REFUSED*Q20*"},
    {DYNO, "1.web.frozen-oasis-70544.app.localspace", "*state=up*|verdict=NOERROR*"},
    {"203.0.113.9", "api.example.com", "*class=external*|verdict=REFUSED*Q18*"},
    {DYNO, "frozen-oasis-70545.herokuapp.com",
     "name=*|client=*|did you mean frozen-oasis-70544[?] no app of the client's spaces has this "
     "name|remedy=*|verdict=REFUSED: Q20 *"},
    {SHAPE, "cache.internal.example.com",
     "name=cache.internal.example.com*|client=*"
     "|alias=cache.internal.example.com target=db.internal.example.com (*:73)"
     "|host=db.internal.example.com kind=static records (*:71)|verdict=NOERROR"},
};

TEST_OVER(a_decision_is_explained_step_by_step_with_its_locations, stories)
{
    char steps[EXPLAIN_STEPS_MAX * (EXPLAIN_STEP_OCTETS + 1)];

    explain_name(stories[_i].from, stories[_i].name, steps);
    ck_assert_msg(fnmatch(stories[_i].expected, steps, FNM_NOESCAPE) == 0, "%s", steps);
}

/* Dynos of a key of the registry are where the key has them. */
static const struct {
    const char *name, *expected;
} of_keys[] = {
    {"web.frozen-oasis-70544.app.localspace",
     "*|process=web dynos=2 (d/test-space/frozen-oasis-70544/web@88)|*"},
    {"3.web.frozen-oasis-70544.app.localspace",
     "*|process=web dynos=2 dyno=3 state=up (d/test-space/frozen-oasis-70544/web@88:2)|*"},
    {"worker.frozen-oasis-70544.app.localspace", "*|process=worker dynos=*yaml:*"},
};

TEST_OVER(a_dyno_of_a_key_has_its_location_there, of_keys)
{
    static const struct key_text text = {"test-space/frozen-oasis-70544/web", 88,
                                         "1 down\n3 up 10.0.130.56\n"};
    char steps[EXPLAIN_STEPS_MAX * (EXPLAIN_STEP_OCTETS + 1)];
    struct keys keys = keys_of(&text, 1);
    struct restate_outcome outcome = {.report = NULL};
    struct snapshot *before = fixture.snapshot;
    struct err err;

    fixture.snapshot = snapshot_restate(before, (const struct dyno_key *const *)keys.items,
                                        keys.count, 88, &outcome, &err);
    ck_assert_ptr_nonnull(fixture.snapshot);
    snapshot_free(before);
    keys_close(&keys);
    explain_name(DYNO, of_keys[_i].name, steps);
    ck_assert_msg(fnmatch(of_keys[_i].expected, steps, FNM_NOESCAPE) == 0, "%s", steps);
}

TEST(an_unready_space_is_explained_by_the_error_of_its_document)
{
    static const char *const names[] = {"north"};
    static const char *const texts[] = {"space: north\ncidr: 10.0.0.0/16\nttl: {dyno: 900}\n"};
    char steps[EXPLAIN_STEPS_MAX * (EXPLAIN_STEP_OCTETS + 1)];
    struct policy policy = policy_usual();
    struct snapshot *snapshot = snapshot_of_documents(&policy, names, texts, 1);
    struct explanation explanation;
    struct deciding deciding;

    deciding_ask(&deciding, snapshot, DYNO, "shop.herokuapp.com", 1);
    explain(snapshot, &deciding.client, &deciding.query, &deciding.verdict, NULL, &explanation);
    write_steps(&explanation, steps);
    ck_assert_str_eq(steps,
                     "name=shop.herokuapp.com type=A|client=10.0.130.56 class=space space=north "
                     "because of 10.0.0.0/16 (z/north:2)|not ready: the document of space north "
                     "has errors, and there is no earlier one: E-TTL (z/north:3)|remedy=ask again "
                     "in a moment; if it stays, read the server's log, or mend the document that "
                     "it names|verdict=SERVFAIL: Q30 space north is not ready: its document has "
                     "errors");
    snapshot_free(snapshot);
}

/* A client learns of apps of its own spaces alone, and only where a name of an app would be. */
static const char *const unsuggested[][2] = {
    {OTHER, "frozen-oasis-70545.herokuapp.com"},
    {OTHER, "frozen-oasis-70544.herokuapp.com"},
    {DYNO, "a.frozen-oasis-70545.herokuapp.com"},
    {DYNO, "frozen-oasis-70545.example.com"},
    {DYNO, "herokuapp.com"},
    {"203.0.113.9", "frozen-oasis-70545.herokuapp.com"},
};

TEST_OVER(no_other_app_is_suggested, unsuggested)
{
    char steps[EXPLAIN_STEPS_MAX * (EXPLAIN_STEP_OCTETS + 1)];

    explain_name(unsuggested[_i][0], unsuggested[_i][1], steps);
    ck_assert_msg(strstr(steps, "did you mean") == NULL, "%s", steps);
}

/* Files, lines and owners are the operator's: to a peer not even those of what it may ask. */
static const struct {
    const char *from, *name, *expected, *secret;
} audiences[] = {
    {PEER, "api.example.com", "*pcx-111aaa111*10.20.0.0/16*(*:20)*|host=*(*:34)|*(*:31)*", ".yaml"},
    {"172.16.9.9", "api.example.com", "*vpn=office*(*:26)*|host=*(*:34)|*(*:31)*", ".yaml"},
    {OTHER, "api.example.com",
     "*|name of space=test-space (*:13): the client gets *|verdict=REFUSED: Q19 a name of another "
     "space, *",
     "test-space"},
};

TEST_OVER(locations_and_owners_are_shown_to_the_operator, audiences)
{
    char steps[EXPLAIN_STEPS_MAX * (EXPLAIN_STEP_OCTETS + 1)];
    const struct explain_facts facts = {.for_operator = true};
    struct explanation explanation;
    struct deciding deciding;

    explain_name(audiences[_i].from, audiences[_i].name, steps);
    ck_assert_msg(strstr(steps, audiences[_i].secret) == NULL, "%s", steps);
    deciding_ask(&deciding, fixture.snapshot, audiences[_i].from, audiences[_i].name, 1);
    deciding.verdict.reason = verdict_inner_reason(&deciding.verdict);
    explain(fixture.snapshot, &deciding.client, &deciding.query, &deciding.verdict, &facts,
            &explanation);
    write_steps(&explanation, steps);
    ck_assert_msg(fnmatch(audiences[_i].expected, steps, FNM_NOESCAPE) == 0, "%s", steps);
}

/* Type 28 is AAAA, which no internal name has; 33 is SRV, of which some discovery names are. */
static const struct {
    const char *name;
    uint16_t type;
    const char *expected;
} other_types[] = {
    {"frozen-oasis-70544.herokuapp.com", 28,
     "*|no AAAA: an internal name has *type A*|verdict=NOERROR without data"},
    {"api.example.com", 28, "*|no AAAA: an internal name has *|verdict=NOERROR"},
    {"api.example.com", 33, "*|no SRV: an internal name has *|verdict=NOERROR"},
    {"frozen-oasis-70544.app.localspace", 33, "*web_up=2*.yaml:31)|verdict=NOERROR without data"},
    {"_http._tcp.web.frozen-oasis-70544.app.localspace", 28, "*dynos=2*)|verdict=NOERROR *"},
    {"sleepy-river-2739.herokuapp.com", 28, "*web_up=0*)|remedy=*|verdict=NOERROR*Q10*"},
};

TEST_OVER(a_type_that_an_internal_name_does_not_have_is_explained, other_types)
{
    char steps[EXPLAIN_STEPS_MAX * (EXPLAIN_STEP_OCTETS + 1)];

    explain_type(DYNO, other_types[_i].name, other_types[_i].type, steps);
    ck_assert_msg(fnmatch(other_types[_i].expected, steps, FNM_NOESCAPE) == 0, "%s", steps);
}

/* All steps of a forwarded name, separated by |, with the forwarder's facts if any. */
static const struct {
    const char *name;
    struct explain_facts facts;
    const char *expected;
} forward_stories[] = {
    {"www.debian.org",
     {.servers = NULL},
     "name=www.debian.org type=A|client=*|zone=. upstreams=10.0.0.2|verdict=forward to 10.0.0.2"},
    {"www.corp.example",
     {.servers = "192.168.7.53 good rtt=12ms", .cached = "cached=fresh ttl=23"},
     "*|zone=corp.example allow_rebind=true|192.168.7.53 good rtt=12ms|"
     "cached=fresh ttl=23|verdict=forward to 192.168.7.53"},
    {"open-plain-1001-1234567890ab.herokuapp.com",
     {.cached = "cached=no"},
     "*internal_routing=false*|*recreated*|zone=.*|cached=no|verdict=forward to 10.0.0.2"},
    {"x.test",
     {.servers = NULL},
     "*|remedy=*upstream_zones|verdict=NXDOMAIN: Q26 special-use name *"},
    {"localhost", {.servers = NULL}, "*|verdict=NOERROR"},
    {"www.debian.org",
     {.cached = "cached=no", .limited = "limited=10.0.130.56"},
     "name=www.debian.org type=A|client=*|limited=10.0.130.56|zone=.*"},
};

TEST_OVER(a_forwarded_name_is_explained_with_its_route, forward_stories)
{
    struct explain_facts facts = forward_stories[_i].facts;
    char steps[EXPLAIN_STEPS_MAX * (EXPLAIN_STEP_OCTETS + 1)];
    struct routes routes = routes_usual();
    struct route items[2] = {routes.items[0], routes.items[1]};
    struct explanation explanation;
    struct deciding deciding;

    items[0].allow_rebind = true;
    fixture.snapshot->policy.routes = (struct routes){.items = items, .count = 2};
    deciding_ask(&deciding, fixture.snapshot, DYNO, forward_stories[_i].name, 1);
    explain(fixture.snapshot, &deciding.client, &deciding.query, &deciding.verdict,
            facts.servers == NULL && facts.cached == NULL ? NULL : &facts, &explanation);
    write_steps(&explanation, steps);
    ck_assert_msg(fnmatch(forward_stories[_i].expected, steps, FNM_NOESCAPE) == 0, "%s", steps);
}

/* A client does not get facts that it may not know. */
TEST(nothing_of_another_space_is_disclosed)
{
    static const char *const secrets[] = {"frozen", "test-space", "10.0.0", "web_up",
                                          "pcx-",   "zones/",     "haiku"};
    static const char *const names[] = {"api.example.com", "x.apps.example.com", "example.net"};
    char steps[EXPLAIN_STEPS_MAX * (EXPLAIN_STEP_OCTETS + 1)];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        explain_name(OTHER, names[i], steps);
        for (size_t j = 0; j < sizeof secrets / sizeof secrets[0]; j++)
            ck_assert_msg(strstr(steps, secrets[j]) == NULL, "%s: %s", names[i], steps);
        explain_name("203.0.113.9", names[i], steps);
        for (size_t j = 0; j < sizeof secrets / sizeof secrets[0]; j++)
            ck_assert_msg(strstr(steps, secrets[j]) == NULL, "%s: %s", names[i], steps);
    }
}
