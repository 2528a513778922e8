// wrap: malloc calloc realloc
#include "traffic/questions.h"

#include <string.h>

#include "support/allocations.h"
#include "support/flowing.h"
#include "support/snapshot_fixture.h"
#include "support/suite.h"
#include "wire/types.h"

enum { BEGAN_S = 1700000000, MANY = 100000000, STEPS = 3000, FEW = 50 };

static const int64_t began_ms = (int64_t)BEGAN_S * 1000;
static const char dyno[] = "10.0.132.9";

static struct flowing flowing;
static struct questions *questions;

static void make(uint32_t most, size_t octets_most)
{
    questions_free(questions);
    questions = questions_new(
        &(struct questions_options){.most = most, .octets_most = octets_most, .now_s = BEGAN_S});
    ck_assert_ptr_nonnull(questions);
}

static void set_up(void)
{
    snapshot_set_up();
    flowing_init(&flowing, fixture.snapshot);
    questions = NULL;
    make(100, MANY);
}

static void tear_down(void)
{
    flowing_close(&flowing);
    questions_free(questions);
    snapshot_tear_down();
}

FIXTURE(set_up, tear_down)

/* The worker's clock is at 0 when the wall clock is at began_ms. */
static void add_up(void)
{
    const struct flow_table *table = flowing_take(&flowing);

    if (table == NULL)
        return;
    questions_add(questions, table, began_ms + (int64_t)table->begun_ms);
    flows_return(flowing.flows);
}

static const struct question_asked *newest(void)
{
    const struct question_asked *question = questions_next(questions, NULL);

    ck_assert_ptr_nonnull(question);
    return question;
}

static void ask_numbered(unsigned number)
{
    char name[64];

    snprintf(name, sizeof name, "n%u.app.localspace", number);
    flowing_at(&flowing, 1000UL * number);
    flowing_reply(&flowing, dyno, name, TYPE_A, 1);
    add_up();
}

/* ---- what is one question ---- */

TEST(a_question_that_is_asked_again_is_counted)
{
    flowing_at(&flowing, 5000);
    flowing_reply(&flowing, dyno, "api.example.com", TYPE_A, 3);
    add_up();
    flowing_at(&flowing, 9000);
    flowing_reply(&flowing, dyno, "api.example.com", TYPE_A, 2);
    add_up();

    ck_assert_uint_eq(questions_count(questions), 1);
    ck_assert_uint_eq(newest()->count, 5);
    ck_assert_uint_eq(newest()->first_s, BEGAN_S + 5);
    ck_assert_uint_eq(newest()->last_s, BEGAN_S + 9);
    ck_assert_uint_eq(newest()->path.source, 0x0a008409);
    ck_assert_uint_eq(newest()->path.destination, 0x0a000002);
    ck_assert_uint_eq(newest()->type, TYPE_A);
    ck_assert_ptr_null(questions_next(questions, newest()));
}

TEST(another_client_name_or_type_is_another_question)
{
    flowing_reply(&flowing, dyno, "api.example.com", TYPE_A, 1);
    flowing_reply(&flowing, dyno, "api.example.com", TYPE_AAAA, 1);
    flowing_reply(&flowing, dyno, "example.net", TYPE_A, 1);
    flowing_reply(&flowing, "10.20.3.4", "api.example.com", TYPE_A, 1);
    add_up();

    ck_assert_uint_eq(questions_count(questions), 4);
}

TEST(a_question_by_another_interface_or_at_another_address_is_another)
{
    const struct verdict verdict = {.rcode = RCODE_NOERROR};
    struct path path = {.source = 0x0a008409, .destination = 0x0a000002};
    struct name name;

    ck_assert(name_from_text("api.example.com", &name));
    struct flow_reply reply = {.path = &path,
                               .name = &name,
                               .name_hash = index_hash(&fixture.snapshot->index, &name),
                               .verdict = &verdict,
                               .type = TYPE_A,
                               .class = CLIENT_SPACE};
    flows_add(flowing.flows, &reply);
    path.interface = 7;
    flows_add(flowing.flows, &reply);
    path.destination = 0x0a000003;
    flows_add(flowing.flows, &reply);
    add_up();

    ck_assert_uint_eq(questions_count(questions), 3);
}

TEST(however_a_question_ends_it_is_one)
{
    flowing_foreign(&flowing, dyno, "www.example.org", RCODE_NOERROR);
    flowing_foreign(&flowing, dyno, "www.example.org", RCODE_SERVFAIL);
    add_up();

    ck_assert_uint_eq(questions_count(questions), 1);
    ck_assert_uint_eq(newest()->count, 2);
}

TEST(all_clients_outside_are_one_without_address_or_name)
{
    flowing_reply(&flowing, "203.0.113.9", "api.example.com", TYPE_A, 2);
    flowing_reply(&flowing, "203.0.113.10", "www.example.org", TYPE_AAAA, 3);
    add_up();

    ck_assert_uint_eq(questions_count(questions), 1);
    ck_assert(newest()->is_outside);
    ck_assert_uint_eq(newest()->count, 5);
    ck_assert_uint_eq(newest()->path.source, 0);
    ck_assert_uint_eq(newest()->length, 1);
}

/* ---- whose names are kept ---- */

static const char *const ours[] = {
    "api.example.com",
    "x.apps.example.com",
    "frozen-oasis-70544.herokuapp.com",
    "nobody.herokuapp.com",
    "open-plain-1001-1234567890ab.herokuapp.com",
    "x.y.herokuspace.com",
    "herokudns.com",
    "nosuch.app.localspace",
    "9.1.168.192.in-addr.arpa",
    "printer.local",
};

TEST_OVER(a_name_that_is_ours_is_kept, ours)
{
    struct name name;

    ck_assert(name_from_text(ours[_i], &name));
    flowing_foreign(&flowing, dyno, ours[_i], RCODE_NXDOMAIN);
    add_up();

    ck_assert(!newest()->is_hidden);
    ck_assert(name_equals(&name, newest()->octets, newest()->length));
}

static const char *const theirs[] = {
    "www.example.org",  "com", "example.com", "_sip._tcp.example.org", "8.8.8.8.in-addr.arpa",
    "notherokuapp.com",
};

static bool holds(const struct question_asked *question, const uint8_t *label)
{
    return memmem(question->octets, question->length, label + 1, *label) != NULL;
}

TEST_OVER(of_a_name_of_others_no_label_is_kept, theirs)
{
    struct name name;

    ck_assert(name_from_text(theirs[_i], &name));
    flowing_foreign(&flowing, dyno, theirs[_i], RCODE_NOERROR);
    add_up();

    ck_assert(newest()->is_hidden);
    ck_assert_uint_eq(newest()->hash, index_hash(&fixture.snapshot->index, &name));
    for (const uint8_t *label = name.octets; *label != 0; label += *label + 1U)
        if (*label > 2) /* shorter ones may stand in a hash by chance */
            ck_assert(!holds(newest(), label));
}

/* ---- bounds ---- */

TEST(the_question_reported_least_recently_makes_room)
{
    make(3, MANY);
    for (unsigned i = 1; i <= 3; i++)
        ask_numbered(i);
    ck_assert_uint_eq(questions_reach(questions).since_s, BEGAN_S);
    flowing_at(&flowing, 4000);
    flowing_reply(&flowing, dyno, "n1.app.localspace", TYPE_A, 1); /* again: n2 is the oldest now */
    add_up();
    ask_numbered(5);

    const struct questions_reach reach = questions_reach(questions);
    ck_assert_uint_eq(questions_count(questions), 3);
    ck_assert_uint_eq(reach.pushed_out, 1);
    ck_assert_uint_eq(reach.since_s, BEGAN_S + 2);
    const struct question_asked *question = newest();
    ck_assert_int_eq(question->octets[2], '5');
    question = questions_next(questions, question);
    ck_assert_int_eq(question->octets[2], '1');
    ck_assert_uint_eq(question->count, 2);
    question = questions_next(questions, question);
    ck_assert_int_eq(question->octets[2], '3');
    ck_assert_ptr_null(questions_next(questions, question));
}

TEST(there_are_never_more_than_most)
{
    make(FEW, MANY);
    for (unsigned i = 1; i <= STEPS; i++) {
        ask_numbered(i);
        ck_assert_uint_eq(questions_count(questions), i < FEW ? i : FEW);
    }
    ck_assert_uint_eq(questions_reach(questions).pushed_out, STEPS - FEW);
}

static size_t octets_held(void)
{
    size_t octets = 0;

    for (const struct question_asked *each = questions_next(questions, NULL); each != NULL;
         each = questions_next(questions, each))
        octets += sizeof *each + each->length;
    return octets;
}

TEST(long_names_make_room_by_their_octets)
{
    char name[256];

    make(1000, 20000);
    for (unsigned i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "%060u.%060u.%060u.app.localspace", i, i, i);
        flowing_reply(&flowing, dyno, name, TYPE_A, 1);
        add_up();
        ck_assert_uint_le(octets_held(), 20000);
    }
    ck_assert_uint_gt(questions_count(questions), 20);
    ck_assert_uint_eq(questions_count(questions) + questions_reach(questions).pushed_out, 200);
}

/* ---- what is not known ---- */

TEST(replies_without_their_client_are_counted_as_such)
{
    char name[64];

    for (unsigned i = 0; i < 2 * FLOWS; i++) { /* nobody takes the tables */
        snprintf(name, sizeof name, "x%u.apps.example.com", i);
        flowing_reply(&flowing, dyno, name, TYPE_A, 1);
    }
    flowing_foreign(&flowing, dyno, "www.example.org", RCODE_NOERROR); /* of no app */
    make(FLOWS, MANY);
    add_up();
    add_up();

    const struct questions_reach reach = questions_reach(questions);
    ck_assert_uint_gt(reach.coarse, 0);
    ck_assert_uint_eq(reach.lost, 1);
    ck_assert_uint_eq(questions_count(questions) + reach.coarse, 2 * FLOWS);
}

/* ---- copies ---- */

TEST(a_copy_is_the_same_and_its_own)
{
    make(3, MANY);
    for (unsigned i = 1; i <= 4; i++)
        ask_numbered(i);
    struct questions *copy = questions_copy(questions);
    ck_assert_ptr_nonnull(copy);
    ask_numbered(5);

    const struct question_asked *question = NULL;
    for (int wanted = '4'; wanted >= '2'; wanted--) {
        question = questions_next(copy, question);
        ck_assert_ptr_nonnull(question);
        ck_assert_int_eq(question->octets[2], wanted);
    }
    ck_assert_ptr_null(questions_next(copy, question));
    ck_assert_uint_eq(questions_reach(copy).pushed_out, 1);
    ck_assert_uint_eq(questions_reach(copy).since_s, BEGAN_S + 1);
    questions_free(copy);
}

/* ---- memory ---- */

TEST(a_question_without_memory_is_lost_and_counted)
{
    flowing_reply(&flowing, dyno, "api.example.com", TYPE_A, 3);
    flowing_reply(&flowing, dyno, "example.net", TYPE_A, 4);
    const struct flow_table *table = flowing_take(&flowing);
    allocations_fail(1);
    questions_add(questions, table, began_ms);
    allocations_fail(0);
    flows_return(flowing.flows);

    ck_assert_uint_eq(questions_count(questions), 1);
    ck_assert_uint_eq(newest()->count, 4);
    ck_assert_uint_eq(questions_reach(questions).lost, 3);
}

TEST(without_memory_there_is_no_copy)
{
    ask_numbered(1);
    for (size_t i = 1; i <= 2; i++) {
        allocations_fail(i);
        ck_assert_ptr_null(questions_copy(questions));
        allocations_fail(0);
    }
}
