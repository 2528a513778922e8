#include "answer/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/packets.h"
#include "support/suite.h"
#include "support/zones.h"

enum { SEGMENTS = 4 };

/* Segments by number, and what changes. */
struct stand {
    const struct segment *segments[SEGMENTS];
    const struct segment *dropped[SEGMENTS];
    bool added[SEGMENTS];
    unsigned clashes;
    struct index_clash clash; /* the last one */
    bool is_newer_first;      /* the newer one is to have the key */
};

static bool count_clash(void *context, const struct index_clash *clash)
{
    struct stand *stand = context;
    stand->clashes++;
    stand->clash = *clash;
    return stand->is_newer_first;
}

static bool build(struct stand *stand, const struct index *before, struct index *next)
{
    struct index_change change = {.before = before,
                                  .segments = stand->segments,
                                  .dropped = stand->dropped,
                                  .added = stand->added,
                                  .segment_count = SEGMENTS};
    bool built;

    *next = (struct index){.key = key_usual()};
    ck_assert(name_from_text("herokuapp.com", &next->apps_suffix));
    stand->clashes = 0;
    built = index_build(next, &change, count_clash, stand);
    memset(stand->dropped, 0, sizeof stand->dropped);
    memset(stand->added, 0, sizeof stand->added);
    return built;
}

static void add(struct stand *stand, int number, struct segment *segment)
{
    stand->segments[number] = segment;
    stand->added[number] = true;
}

static bool find(const struct stand *stand, const struct index *index, const char *text,
                 struct index_entry *entry)
{
    struct name name;

    ck_assert(name_from_text(text, &name));
    return index_find(index, stand->segments, &name, index_hash(index, &name), entry);
}

static bool is_found(const struct stand *stand, const struct index *index, const char *text)
{
    struct index_entry entry;
    return find(stand, index, text, &entry);
}

/* A space of `count` apps called PREFIX-0 and so on, the first with a domain. */
static struct segment *make_segment(const char *space, int second_octet, const char *prefix,
                                    int count)
{
    char *text = malloc(200 + (size_t)count * 100);
    size_t length =
        (size_t)sprintf(text, "space: %s\ncidr: 10.%d.0.0/16\napps:\n", space, second_octet);

    for (int i = 0; i < count; i++)
        length += (size_t)sprintf(text + length, "  - {name: %s-%d}\n", prefix, i);
    struct segment *segment = segment_of_text(text);
    free(text);
    return segment;
}

static unsigned shared_shards(const struct index *a, const struct index *b)
{
    unsigned shared = 0;

    for (int i = 0; i < INDEX_SHARDS; i++)
        shared += a->shards[i] == b->shards[i];
    return shared;
}

TEST(every_kind_of_name_is_found)
{
    struct stand stand = {.clashes = 0};
    struct index index;
    struct index_entry entry;
    char *text = zone_text("tests/zones_good/every-shape.yaml");
    struct segment *segment = segment_of_text(text);

    free(text);
    add(&stand, 2, segment);
    ck_assert(build(&stand, NULL, &index));
    ck_assert_uint_eq(stand.clashes, 0);
    ck_assert(find(&stand, &index, "shape-shop-1.herokuapp.com", &entry));
    ck_assert(entry.kind == INDEX_APP && entry.segment == 2 && entry.number == 0);
    ck_assert(find(&stand, &index, "shape-exact-2-abcdef012345.herokuapp.com", &entry));
    ck_assert_uint_eq(entry.kind, INDEX_HOST);
    ck_assert(segment->hosts[entry.number].kind == HOST_DEFAULT);
    ck_assert(is_found(&stand, &index, "SHOP.example.com"));
    ck_assert(is_found(&stand, &index, "shop-haiku-1.shape-2.herokuspace.com"));
    ck_assert(is_found(&stand, &index, "*.wild.example.com"));
    ck_assert(is_found(&stand, &index, "db.internal.example.com"));
    ck_assert(!is_found(&stand, &index, "wild.example.com"));
    ck_assert(!is_found(&stand, &index, "x.wild.example.com"));
    ck_assert(!is_found(&stand, &index, "shape-shop-1.herokuapp.co"));
    ck_assert(!is_found(&stand, &index, "shape-shop-1"));
    ck_assert(!is_found(&stand, &index, "."));
    index_close(&index);
    segment_release(segment);
}

TEST(thousands_of_names_are_found_and_others_are_not)
{
    enum { APPS = 5000 };
    struct stand stand = {.clashes = 0};
    struct index index;
    struct index_entry entry;
    char name[64];

    add(&stand, 0, make_segment("many-apps", 0, "many", APPS));
    ck_assert(build(&stand, NULL, &index));
    for (uint32_t i = 0; i < APPS; i++) {
        snprintf(name, sizeof name, "many-%u.herokuapp.com", i);
        ck_assert(find(&stand, &index, name, &entry));
        ck_assert_uint_eq(entry.number, i);
        snprintf(name, sizeof name, "none-%u.herokuapp.com", i);
        ck_assert(!is_found(&stand, &index, name));
    }
    for (int i = 0; i < INDEX_SHARDS; i++)
        ck_assert_uint_le(3 * index.shards[i]->used, 2 * (index.shards[i]->mask + 1));
    index_close(&index);
    segment_release((struct segment *)stand.segments[0]);
}

TEST(a_change_shares_the_shards_it_does_not_touch)
{
    struct stand stand = {.clashes = 0};
    struct index first, second, third;
    struct segment *small = make_segment("small-space", 1, "small", 2);

    add(&stand, 0, make_segment("many-apps", 0, "many", 5000));
    ck_assert(build(&stand, NULL, &first));
    add(&stand, 1, small);
    ck_assert(build(&stand, &first, &second));
    /* The names of two apps and of their space touch at most three shards. */
    ck_assert_uint_ge(shared_shards(&first, &second), INDEX_SHARDS - 3);
    ck_assert_uint_lt(shared_shards(&first, &second), INDEX_SHARDS);
    ck_assert(is_found(&stand, &second, "small-1.herokuapp.com"));
    ck_assert(!is_found(&stand, &first, "small-1.herokuapp.com"));
    ck_assert(is_found(&stand, &second, "many-4999.herokuapp.com"));
    index_close(&first);
    ck_assert(is_found(&stand, &second, "many-17.herokuapp.com"));

    /* Then it is removed again. */
    stand.dropped[1] = small;
    stand.segments[1] = NULL;
    ck_assert(build(&stand, &second, &third));
    ck_assert(!is_found(&stand, &third, "small-1.herokuapp.com"));
    ck_assert(is_found(&stand, &third, "many-4999.herokuapp.com"));
    index_close(&second);
    index_close(&third);
    segment_release(small);
    segment_release((struct segment *)stand.segments[0]);
}

TEST(a_file_read_again_replaces_the_old_one)
{
    struct stand stand = {.clashes = 0};
    struct index first, second;
    struct segment *old = make_segment("one-space", 0, "alpha", 50);

    add(&stand, 0, old);
    ck_assert(build(&stand, NULL, &first));
    stand.dropped[0] = old;
    add(&stand, 0, make_segment("one-space", 0, "alpha", 20));
    ck_assert(build(&stand, &first, &second));
    ck_assert_uint_eq(stand.clashes, 0);
    ck_assert(is_found(&stand, &second, "alpha-19.herokuapp.com"));
    ck_assert(!is_found(&stand, &second, "alpha-20.herokuapp.com"));
    index_close(&first);
    index_close(&second);
    segment_release(old);
    segment_release((struct segment *)stand.segments[0]);
}

/* Mostly a dyno came or went. */
TEST(a_file_read_again_with_the_same_names_shares_all_shards)
{
    struct stand stand = {.clashes = 0};
    struct index first, second, third;
    struct segment *old = make_segment("one-space", 0, "alpha", 50);
    struct segment *again = make_segment("one-space", 0, "alpha", 50);

    add(&stand, 0, old);
    add(&stand, 1, make_segment("two-space", 1, "beta", 50));
    ck_assert(build(&stand, NULL, &first));
    stand.dropped[0] = old;
    add(&stand, 0, again);
    ck_assert(build(&stand, &first, &second));
    ck_assert_uint_eq(shared_shards(&first, &second), INDEX_SHARDS);
    ck_assert(is_found(&stand, &second, "alpha-49.herokuapp.com"));

    /* One name more is the last one's, and touches one shard. */
    stand.dropped[0] = again;
    add(&stand, 0, make_segment("one-space", 0, "alpha", 51));
    ck_assert(build(&stand, &second, &third));
    ck_assert_uint_ge(shared_shards(&second, &third), INDEX_SHARDS - 1);
    ck_assert(is_found(&stand, &third, "alpha-50.herokuapp.com"));
    ck_assert(!is_found(&stand, &second, "alpha-50.herokuapp.com"));
    index_close(&first);
    index_close(&second);
    index_close(&third);
    segment_release(old);
    segment_release(again);
    segment_release((struct segment *)stand.segments[0]);
    segment_release((struct segment *)stand.segments[1]);
}

/* The one with the names, or the one that waits for them, is read again and has not changed. */
TEST_LOOP(who_waits_still_waits_when_a_file_is_read_again, 0, 2)
{
    struct stand stand = {.clashes = 0};
    struct segment *segments[] = {make_segment("one-space", 0, "twin", 3),
                                  make_segment("two-space", 1, "twin", 2)};
    struct segment *again =
        _i == 0 ? make_segment("one-space", 0, "twin", 3) : make_segment("two-space", 1, "twin", 2);
    struct index first, second, third;
    struct index_entry entry;

    add(&stand, 0, segments[0]);
    add(&stand, 1, segments[1]);
    ck_assert(build(&stand, NULL, &first));
    ck_assert_uint_eq(first.waiting->count, 2);
    stand.dropped[_i] = segments[_i];
    add(&stand, _i, again);
    ck_assert(build(&stand, &first, &second));
    ck_assert_ptr_nonnull(second.waiting);
    ck_assert_uint_eq(second.waiting->count, 2);

    /* Whoever has them goes, and the other one has them. */
    ck_assert(find(&stand, &second, "twin-1.herokuapp.com", &entry));
    size_t owner = entry.segment;
    stand.dropped[owner] = stand.segments[owner];
    stand.segments[owner] = NULL;
    ck_assert(build(&stand, &second, &third));
    ck_assert_ptr_null(third.waiting);
    ck_assert(find(&stand, &third, "twin-1.herokuapp.com", &entry));
    ck_assert_uint_eq(entry.segment, 1 - owner);
    index_close(&first);
    index_close(&second);
    index_close(&third);
    segment_release(segments[0]);
    segment_release(segments[1]);
    segment_release(again);
}

TEST(names_claimed_twice_are_reported)
{
    struct stand stand = {.clashes = 0};
    struct index first, second;
    struct index_entry entry;

    add(&stand, 0, make_segment("one-space", 0, "twin", 3));
    ck_assert(build(&stand, NULL, &first));
    add(&stand, 1, make_segment("two-space", 1, "twin", 2));
    ck_assert(build(&stand, &first, &second));
    ck_assert_uint_eq(stand.clashes, 2);
    ck_assert_uint_eq(stand.clash.newer.segment, 1);
    ck_assert_uint_eq(stand.clash.older.segment, 0);
    ck_assert_uint_eq(stand.clash.newer.number, stand.clash.older.number);
    /* The older one keeps the name. */
    ck_assert(find(&stand, &second, "twin-1.herokuapp.com", &entry));
    ck_assert_uint_eq(entry.segment, 0);
    index_close(&first);
    index_close(&second);
    segment_release((struct segment *)stand.segments[0]);
    segment_release((struct segment *)stand.segments[1]);
}

static const char space_id[] = "11111111-1111-4111-8111-111111111111";
static const char app_id[] = "22222222-2222-4222-8222-222222222222";

/* A space with an id, and an app without one before an app with one. */
static struct segment *make_segment_with_ids(const char *space, const char *id, const char *app,
                                             int second_octet, const char *prefix)
{
    char text[512];

    snprintf(text, sizeof text,
             "space: %s\nid: %s\ncidr: 10.%d.0.0/16\napps:\n  - {name: %s-0}\n"
             "  - {name: %s-1, id: %s}\n",
             space, id, second_octet, prefix, prefix, app);
    return segment_of_text(text);
}

TEST(spaces_and_ids_are_found_and_are_no_names)
{
    struct stand stand = {.clashes = 0};
    struct index index;
    struct index_entry entry;
    struct segment *segment = make_segment_with_ids("one-space", space_id, app_id, 0, "alpha");

    add(&stand, 3, segment);
    ck_assert(build(&stand, NULL, &index));
    ck_assert_uint_eq(stand.clashes, 0);
    ck_assert(index_find_space(&index, stand.segments, "one-space", &entry));
    ck_assert(entry.kind == INDEX_SPACE && entry.segment == 3 && entry.number == 0);
    ck_assert(index_find_id(&index, stand.segments, space_id, &entry));
    ck_assert(entry.kind == INDEX_SPACE_ID && entry.segment == 3 && entry.number == 0);
    ck_assert(index_find_id(&index, stand.segments, app_id, &entry));
    ck_assert(entry.kind == INDEX_APP_ID && entry.segment == 3 && entry.number == 1);
    ck_assert(!index_find_id(&index, stand.segments, "one-space", &entry));
    ck_assert(!index_find_space(&index, stand.segments, space_id, &entry));
    ck_assert(!index_find_space(&index, stand.segments, "one-spac", &entry));
    ck_assert(!index_find_space(&index, stand.segments, "", &entry));
    ck_assert(!is_found(&stand, &index, "one-space"));
    ck_assert(!is_found(&stand, &index, app_id));
    index_close(&index);
    segment_release(segment);
}

static const char other_id[] = "33333333-3333-4333-8333-333333333333";
static const char third_id[] = "44444444-4444-4444-8444-444444444444";

/* A second file that claims some of what the first one has. */
static const struct {
    const char *space, *id, *app;
    size_t clashes;
} claims[] = {
    {"two-space", other_id, third_id, 0}, {"one-space", other_id, third_id, 1},
    {"two-space", space_id, third_id, 1}, {"two-space", other_id, app_id, 1},
    {"two-space", app_id, third_id, 1},   {"two-space", other_id, space_id, 1},
    {"one-space", space_id, app_id, 3},
};

TEST_OVER(spaces_and_ids_claimed_twice_are_reported, claims)
{
    struct stand stand = {.clashes = 0};
    struct index first, second;
    struct index_entry entry;

    add(&stand, 0, make_segment_with_ids("one-space", space_id, app_id, 0, "alpha"));
    ck_assert(build(&stand, NULL, &first));
    add(&stand, 1,
        make_segment_with_ids(claims[_i].space, claims[_i].id, claims[_i].app, 1, "beta"));
    ck_assert(build(&stand, &first, &second));
    ck_assert_uint_eq(stand.clashes, claims[_i].clashes);
    ck_assert_uint_eq(stand.clash.newer.segment, claims[_i].clashes > 0);
    ck_assert_uint_eq(stand.clash.older.segment, 0);
    /* The older one keeps it, and nothing else is lost. */
    ck_assert(index_find_space(&second, stand.segments, "one-space", &entry));
    ck_assert_uint_eq(entry.segment, 0);
    ck_assert(index_find_id(&second, stand.segments, app_id, &entry));
    ck_assert_uint_eq(entry.segment, 0);
    ck_assert(is_found(&stand, &second, "beta-1.herokuapp.com"));
    index_close(&first);
    index_close(&second);
    segment_release((struct segment *)stand.segments[0]);
    segment_release((struct segment *)stand.segments[1]);
}

/* 0: the older one keeps what both claim; 1: the newer one takes it. The other one waits. */
TEST_LOOP(who_waits_has_its_keys_once_the_other_is_gone, 0, 2)
{
    struct stand stand = {.is_newer_first = _i == 1};
    int first = _i == 1, waits = _i == 0; /* by number */
    struct segment *segments[] = {
        make_segment_with_ids("one-space", space_id, app_id, 0, "alpha"),
        make_segment_with_ids("two-space", other_id, app_id, 1, "alpha"),
    };
    struct index one, both, shared, left;
    struct index_entry entry;

    add(&stand, 0, segments[0]);
    ck_assert(build(&stand, NULL, &one));
    ck_assert_ptr_null(one.waiting);
    add(&stand, 1, segments[1]);
    ck_assert(build(&stand, &one, &both));
    ck_assert(find(&stand, &both, "alpha-1.herokuapp.com", &entry));
    ck_assert_int_eq(entry.segment, first);
    ck_assert_ptr_nonnull(both.waiting);
    ck_assert_uint_eq(both.waiting->count, stand.clashes);
    for (uint32_t i = 0; i < both.waiting->count; i++) {
        ck_assert_int_eq(both.waiting->entries[i].segment, waits);
        ck_assert(index_find_owner(&both, stand.segments, both.waiting->entries[i], &entry));
        ck_assert_int_eq(entry.segment, first);
        ck_assert_int_eq(entry.kind, both.waiting->entries[i].kind);
    }
    ck_assert_uint_gt(index_octets(&both), index_octets(&one));
    index_share(&shared, &both);
    index_close(&both);

    stand.dropped[first] = stand.segments[first];
    stand.segments[first] = NULL;
    ck_assert(build(&stand, &shared, &left));
    ck_assert_ptr_null(left.waiting);
    ck_assert(find(&stand, &left, "alpha-1.herokuapp.com", &entry));
    ck_assert_int_eq(entry.segment, waits);
    ck_assert(index_find_id(&left, stand.segments, app_id, &entry));
    ck_assert_int_eq(entry.segment, waits);
    index_close(&one);
    index_close(&shared);
    index_close(&left);
    segment_release(segments[0]);
    segment_release(segments[1]);
}

/* ---- any changes ---- */

enum { CHANGES = 300, POOL = 10, TEXT_OCTETS = 2000 };

/* A space of one of three names, with some of the pool's apps in any order, some with domains. */
static struct segment *draw_segment(struct dice *dice)
{
    char text[TEXT_OCTETS];
    unsigned order[POOL], count = dice_roll(dice, POOL + 1);
    int length = snprintf(text, sizeof text, "space: space-%u\ncidr: 10.0.0.0/16\napps:%s\n",
                          dice_roll(dice, 3), count == 0 ? " []" : "");

    for (unsigned i = 0; i < POOL; i++) {
        unsigned at = dice_roll(dice, i + 1);
        order[i] = order[at];
        order[at] = i;
    }
    for (unsigned i = 0; i < count; i++) {
        length +=
            snprintf(text + length, sizeof text - (size_t)length, "  - {name: app-%u", order[i]);
        if (dice_roll(dice, 2) == 0)
            length += snprintf(text + length, sizeof text - (size_t)length,
                               ", domains: [{hostname: www-%u.example.com}]", order[i]);
        length += snprintf(text + length, sizeof text - (size_t)length, "}\n");
    }
    return segment_of_text(text);
}

/* The lowest number has what several claim. */
static bool is_lower(void *context, const struct index_clash *clash)
{
    (void)context;
    return clash->newer.segment < clash->older.segment;
}

static void build_by_number(const struct index_change *change, struct index *next)
{
    *next = (struct index){.key = key_usual()};
    ck_assert(name_from_text("herokuapp.com", &next->apps_suffix));
    ck_assert(index_build(next, change, is_lower, NULL));
}

static void check_same_owner(const struct stand *stand, const struct index *one,
                             const struct index *other, const char *text)
{
    struct index_entry entry = {.kind = INDEX_NOTHING}, wanted = {.kind = INDEX_NOTHING};

    ck_assert_int_eq(find(stand, one, text, &entry), find(stand, other, text, &wanted));
    ck_assert_uint_eq(entry.segment, wanted.segment);
    ck_assert_uint_eq(entry.kind, wanted.kind);
    ck_assert_uint_eq(entry.number, wanted.number);
}

static void check_same(const struct stand *stand, const struct index *one,
                       const struct index *other)
{
    uint32_t count = other->waiting == NULL ? 0 : other->waiting->count;
    char text[64];

    for (unsigned i = 0; i < POOL; i++) {
        snprintf(text, sizeof text, "app-%u.herokuapp.com", i);
        check_same_owner(stand, one, other, text);
        snprintf(text, sizeof text, "www-%u.example.com", i);
        check_same_owner(stand, one, other, text);
    }
    ck_assert_uint_eq(one->waiting == NULL ? 0 : one->waiting->count, count);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_uint_eq(one->waiting->entries[i].segment, other->waiting->entries[i].segment);
        ck_assert_uint_eq(one->waiting->entries[i].kind, other->waiting->entries[i].kind);
        ck_assert_uint_eq(one->waiting->entries[i].number, other->waiting->entries[i].number);
    }
}

/* Changes files: they come, go, or are read again, some of them with the same names. */
static void draw_change(struct stand *stand, struct dice *dice)
{
    static struct dice last[SEGMENTS];

    memset(stand->dropped, 0, sizeof stand->dropped);
    memset(stand->added, 0, sizeof stand->added);
    for (int number = 0; number < SEGMENTS; number++) {
        if (dice_roll(dice, 3) > 0)
            continue;
        stand->dropped[number] = stand->segments[number];
        stand->segments[number] = NULL;
        if (dice_roll(dice, 4) == 0)
            continue;
        if (dice_roll(dice, 2) == 0)
            last[number].state = 1 + dice_roll(dice, UINT32_MAX);
        struct dice again = last[number];
        add(stand, number, draw_segment(&again));
    }
}

static void build_anew(const struct stand *stand, struct index *anew)
{
    static const struct segment *const none[SEGMENTS];
    bool added[SEGMENTS];

    for (int number = 0; number < SEGMENTS; number++)
        added[number] = stand->segments[number] != NULL;
    build_by_number(&(struct index_change){.segments = stand->segments,
                                           .dropped = none,
                                           .added = added,
                                           .segment_count = SEGMENTS},
                    anew);
}

TEST(an_index_after_many_changes_is_as_if_built_anew)
{
    struct dice dice = {.state = 4711};
    struct stand stand = {.clashes = 0};
    struct index before, next, anew;

    build_anew(&stand, &before);
    for (unsigned i = 0; i < CHANGES; i++) {
        draw_change(&stand, &dice);
        build_by_number(&(struct index_change){.before = &before,
                                               .segments = stand.segments,
                                               .dropped = stand.dropped,
                                               .added = stand.added,
                                               .segment_count = SEGMENTS},
                        &next);
        build_anew(&stand, &anew);
        check_same(&stand, &next, &anew);
        index_close(&anew);
        index_close(&before);
        before = next;
        for (int number = 0; number < SEGMENTS; number++)
            segment_release((struct segment *)stand.dropped[number]);
    }
    index_close(&before);
    for (int number = 0; number < SEGMENTS; number++)
        segment_release((struct segment *)stand.segments[number]);
}

TEST(an_index_of_nothing_finds_nothing)
{
    struct stand stand = {.clashes = 0};
    struct index index;

    ck_assert(build(&stand, NULL, &index));
    ck_assert(!is_found(&stand, &index, "any-app.herokuapp.com"));
    ck_assert_uint_gt(index_octets(&index), 0);
    index_close(&index);
}
