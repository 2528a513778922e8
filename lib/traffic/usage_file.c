#include "traffic/usage_file.h"

#include <stdlib.h>
#include <string.h>

#include "answer/stored.h"
#include "base/utf8.h"

enum {
    MAGIC_OCTETS = 16,
    HEAD_OCTETS = MAGIC_OCTETS + 4 + 8 + 8,
    FIRST_CAPACITY = 1 << 16,
    PARTY_OCTETS_LEAST = 5,
    MS_PER_SECOND = 1000,
};

static const char magic[MAGIC_OCTETS] = "spacedns usage";

/* ---- writing ---- */

struct writing {
    uint8_t *octets;
    size_t length, capacity;
    bool has_failed;
    uint32_t *numbers; /* in the file, by party */
};

static bool make_room(struct writing *out, size_t more)
{
    size_t wider = out->capacity;

    if (out->has_failed)
        return false;
    while (out->length + more > wider)
        wider *= 2;
    if (wider == out->capacity)
        return true;
    uint8_t *octets = realloc(out->octets, wider);
    out->has_failed = octets == NULL;
    if (out->has_failed)
        return false;
    out->octets = octets;
    out->capacity = wider;
    return true;
}

static void put(struct writing *out, uint64_t number, size_t octets)
{
    if (!make_room(out, octets))
        return;
    for (size_t i = 0; i < octets; i++)
        out->octets[out->length++] = (uint8_t)(number >> 8 * i);
}

static void put_text(struct writing *out, const char *text, size_t length)
{
    if (!make_room(out, length))
        return;
    memcpy(out->octets + out->length, text, length);
    out->length += length;
}

static void put_counts(struct writing *out, const struct use_counts *counts)
{
    for (size_t i = 0; i < USE_OUTCOMES; i++)
        put(out, counts->counts[i], 8);
    put(out, counts->first_s, 4);
    put(out, counts->last_s, 4);
}

static void put_sums(struct writing *out, const struct usage *usage, bool is_last)
{
    const struct usage_sums *sums = usage_sums(usage);
    const struct longest_ttl *longest = usage_longest_ttl(usage);

    put(out, is_last, 1);
    put(out, sums->since_s, 4);
    put(out, expiries_floor(usage_expiries(usage)), 4);
    put(out, longest->ttl_s, 4);
    put(out, longest->until_s, 4);
    put(out, longest->most_s, 4);
    put(out, sums->lost, 8);
    put_counts(out, &sums->other);
    put_counts(out, &sums->remainder);
}

static void put_parties(struct writing *out, const struct usage *usage)
{
    const struct parties *parties = usage_parties(usage);
    uint32_t end = parties_end(parties), count = 0;

    out->numbers = calloc(end, sizeof *out->numbers);
    out->has_failed |= out->numbers == NULL;
    for (uint32_t i = 1; i < end && !out->has_failed; i++)
        if (parties_at(parties, i)->holds > 0)
            out->numbers[i] = ++count;
    put(out, count, 4);
    for (uint32_t i = 1; i < end && !out->has_failed; i++) {
        const struct party *party = parties_at(parties, i);
        if (party->holds == 0)
            continue;
        put(out, party->kind, 1);
        put(out, party->space_length, 2);
        put(out, party->name_length, 2);
        put_text(out, party->space, party->space_length);
        put_text(out, party->name, party->name_length);
    }
}

static void put_party(struct writing *out, uint32_t number)
{
    put(out, out->numbers[number], 4);
}

static void put_use(struct writing *out, const struct use *use)
{
    put_party(out, use->parties[0]);
    put_party(out, use->parties[1]);
    put_party(out, use->by);
    put_counts(out, &use->asked);
}

static void put_uses(struct writing *out, const struct uses *uses)
{
    put(out, uses_count(uses), 4);
    for (const struct use *use = uses_next(uses, NULL); use != NULL && !out->has_failed;
         use = uses_next(uses, use))
        put_use(out, use);
}

static void put_apps(struct writing *out, const struct usage *usage)
{
    const struct uses *apps = usage_apps(usage);

    put(out, uses_count(apps), 4);
    for (const struct use *use = uses_next(apps, NULL); use != NULL && !out->has_failed;
         use = uses_next(apps, use)) {
        const struct lately *lately = usage_lately(usage, use->parties[0]);
        put_use(out, use);
        put(out, lately->minute, 4);
        for (size_t i = 0; i < LATELY_SLOTS; i++)
            put(out, lately->minutes[i], 4);
    }
}

static void put_expiries(struct writing *out, const struct expiries *expiries)
{
    uint32_t count = 0;

    for (const struct expiry *each = expiries_next(expiries, NULL); each != NULL;
         each = expiries_next(expiries, each))
        count++;
    put(out, count, 4);
    for (const struct expiry *each = expiries_next(expiries, NULL);
         each != NULL && !out->has_failed; each = expiries_next(expiries, each)) {
        put_party(out, each->app);
        put_party(out, each->type);
        put(out, each->number, 4);
        put(out, each->ip, 4);
        put(out, each->until_s, 4);
    }
}

static void write_head(struct writing *out)
{
    size_t length = out->length;

    out->length = 0;
    put_text(out, magic, sizeof magic);
    put(out, USAGE_FILE_VERSION, 4);
    put(out, length - HEAD_OCTETS, 8);
    put(out, stored_checksum(out->octets + HEAD_OCTETS, length - HEAD_OCTETS), 8);
    out->length = length;
}

uint8_t *usage_file_write(const struct usage *usage, bool is_last, size_t *length)
{
    struct writing out = {.octets = malloc(FIRST_CAPACITY), .capacity = FIRST_CAPACITY};

    out.has_failed = out.octets == NULL;
    out.length = HEAD_OCTETS;
    put_sums(&out, usage, is_last);
    put_parties(&out, usage);
    if (!out.has_failed) {
        put_apps(&out, usage);
        put_uses(&out, usage_remainders(usage));
        put_uses(&out, usage_domains(usage));
        put_uses(&out, usage_pairs(usage));
        put_uses(&out, waste_uses(usage_waste(usage)));
        put_expiries(&out, usage_expiries(usage));
    }
    free(out.numbers);
    if (out.has_failed) {
        free(out.octets);
        return NULL;
    }
    write_head(&out);
    *length = out.length;
    return out.octets;
}

/* ---- reading ---- */

/* The body is read twice: first to see that it is well-formed, with no usage to add it to. */
struct reading {
    const uint8_t *next, *end;
    bool has_failed;
    bool was_last;
    struct usage *usage; /* NULL: nothing is added */
    uint32_t *parties;   /* by number in the file */
    uint32_t party_count;
};

static uint64_t get(struct reading *in, size_t octets)
{
    uint64_t number = 0;

    if (in->has_failed || (size_t)(in->end - in->next) < octets) {
        in->has_failed = true;
        return 0;
    }
    for (size_t i = 0; i < octets; i++)
        number |= (uint64_t)*in->next++ << 8 * i;
    return number;
}

static const char *get_text(struct reading *in, size_t length)
{
    const uint8_t *text = in->next;

    if (in->has_failed || (size_t)(in->end - in->next) < length) {
        in->has_failed = true;
        return NULL;
    }
    in->next += length;
    return (const char *)text;
}

static struct use_counts get_counts(struct reading *in)
{
    struct use_counts counts;

    for (size_t i = 0; i < USE_OUTCOMES; i++)
        counts.counts[i] = get(in, 8);
    counts.first_s = (uint32_t)get(in, 4);
    counts.last_s = (uint32_t)get(in, 4);
    return counts;
}

static void read_sums(struct reading *in)
{
    in->was_last = get(in, 1) != 0;
    struct usage_sums sums = {.since_s = (uint32_t)get(in, 4)};
    uint32_t floor_s = (uint32_t)get(in, 4);
    struct longest_ttl longest = {.ttl_s = (uint32_t)get(in, 4)};
    longest.until_s = (uint32_t)get(in, 4);
    longest.most_s = (uint32_t)get(in, 4);
    sums.lost = get(in, 8);
    sums.other = get_counts(in);
    sums.remainder = get_counts(in);
    if (in->usage == NULL)
        return;
    usage_add_sums(in->usage, &sums);
    longest_ttl_add(usage_longest_ttl(in->usage), &longest);
    expiries_raise_floor(usage_expiries(in->usage), floor_s);
}

static bool has_zero(const char *text, size_t length)
{
    return length > 0 && memchr(text, '\0', length) != NULL;
}

/* Apps have names that zone files allow, as these become labels of metrics. */
static bool has_texts(const struct party_key *key)
{
    bool is_app = key->kind == PARTY_APP;

    return !has_zero(key->space, key->space_length) && !has_zero(key->name, key->name_length) &&
           (!is_app || (utf8_is_printable((const uint8_t *)key->space, key->space_length) &&
                        utf8_is_printable((const uint8_t *)key->name, key->name_length)));
}

static void read_party(struct reading *in, uint32_t number)
{
    struct party_key key = {.kind = (enum party_kind)get(in, 1)};

    key.space_length = get(in, 2);
    key.name_length = get(in, 2);
    key.space = get_text(in, key.space_length);
    key.name = get_text(in, key.name_length);
    in->has_failed |= key.kind >= PARTY_KINDS;
    in->has_failed = in->has_failed || !has_texts(&key);
    if (in->has_failed || in->usage == NULL)
        return;
    in->parties[number] = parties_add(usage_parties(in->usage), &key);
    parties_hold(usage_parties(in->usage), in->parties[number]);
}

static bool read_parties(struct reading *in)
{
    in->party_count = (uint32_t)get(in, 4);
    in->has_failed |= in->party_count > (size_t)(in->end - in->next) / PARTY_OCTETS_LEAST;
    if (in->has_failed)
        return true;
    if (in->usage != NULL) {
        in->parties = calloc((size_t)in->party_count + 1, sizeof *in->parties);
        if (in->parties == NULL)
            return false;
    }
    for (uint32_t i = 1; i <= in->party_count && !in->has_failed; i++)
        read_party(in, i);
    return true;
}

/* Which of a use's or an expiry's parties there have to be. */
enum presence { MAY_BE_NONE, IS_THERE };

/* PARTY_NONE without memory, too. */
static uint32_t get_party(struct reading *in, enum presence presence)
{
    uint64_t number = get(in, 4);

    in->has_failed |= number > in->party_count || (number == 0 && presence == IS_THERE);
    return in->has_failed || in->usage == NULL ? PARTY_NONE : in->parties[number];
}

static void release_parties(struct reading *in)
{
    for (uint32_t i = 1; in->parties != NULL && i <= in->party_count; i++)
        parties_release(usage_parties(in->usage), in->parties[i]);
    free(in->parties);
    if (in->usage != NULL)
        parties_collect(usage_parties(in->usage));
}

static void read_apps(struct reading *in)
{
    uint64_t count = get(in, 4);

    for (uint64_t i = 0; i < count && !in->has_failed; i++) {
        struct lately lately = {.second = 0};
        uint32_t app = get_party(in, IS_THERE);
        get_party(in, MAY_BE_NONE);
        uint32_t by = get_party(in, MAY_BE_NONE);
        struct use_counts counts = get_counts(in);
        lately.minute = (uint32_t)get(in, 4);
        for (size_t j = 0; j < LATELY_SLOTS; j++)
            lately.minutes[j] = (uint32_t)get(in, 4);
        if (in->usage != NULL && !in->has_failed && app != PARTY_NONE)
            usage_add_app(in->usage, app, by, &counts, &lately);
    }
}

/* `second`: remainders are of one party alone. */
static void read_uses(struct reading *in, struct uses *uses, enum presence second)
{
    uint64_t count = get(in, 4);

    for (uint64_t i = 0; i < count && !in->has_failed; i++) {
        uint32_t one = get_party(in, IS_THERE), other = get_party(in, second);
        uint32_t by = get_party(in, MAY_BE_NONE);
        struct use_counts counts = get_counts(in);
        if (uses == NULL || in->has_failed || one == PARTY_NONE ||
            (other == PARTY_NONE && second == IS_THERE))
            continue;
        struct use *use = uses_raise(uses, one, other, &counts);
        if (use != NULL)
            uses_set_by(uses, use, by, (int64_t)counts.last_s * MS_PER_SECOND);
    }
}

static void read_expiries(struct reading *in)
{
    uint64_t count = get(in, 4);

    for (uint64_t i = 0; i < count && !in->has_failed; i++) {
        struct expiry expiry = {.app = get_party(in, IS_THERE)};
        expiry.type = get_party(in, IS_THERE);
        expiry.number = (uint32_t)get(in, 4);
        expiry.ip = (uint32_t)get(in, 4);
        expiry.until_s = (uint32_t)get(in, 4);
        if (in->usage != NULL && !in->has_failed)
            expiries_raise(usage_expiries(in->usage), &expiry, 0);
    }
}

/* Returns false without memory; has_failed is set when it is not well-formed. */
static bool read_body(struct reading *in)
{
    struct usage *usage = in->usage;

    read_sums(in);
    bool has_memory = read_parties(in);
    if (has_memory && !in->has_failed) {
        read_apps(in);
        read_uses(in, usage == NULL ? NULL : usage_remainders(usage), MAY_BE_NONE);
        read_uses(in, usage == NULL ? NULL : usage_domains(usage), IS_THERE);
        read_uses(in, usage == NULL ? NULL : usage_pairs(usage), IS_THERE);
        read_uses(in, usage == NULL ? NULL : waste_uses(usage_waste(usage)), IS_THERE);
        read_expiries(in);
        in->has_failed |= in->next != in->end;
    }
    release_parties(in);
    return has_memory;
}

static bool check_head(struct reading *in, struct err *err)
{
    const uint8_t *octets = in->next;
    size_t size = (size_t)(in->end - in->next);

    if (size < HEAD_OCTETS || memcmp(octets, magic, sizeof magic) != 0)
        return err_set(err, ERR_SYNTAX, "is not what was written there");
    in->next += MAGIC_OCTETS;
    uint64_t version = get(in, 4), length = get(in, 8), checksum = get(in, 8);
    if (version != USAGE_FILE_VERSION)
        return err_set(err, ERR_RULE, "is of version %llu, this server has version %d",
                       (unsigned long long)version, USAGE_FILE_VERSION);
    return (length == size - HEAD_OCTETS && checksum == stored_checksum(in->next, length)) ||
           err_set(err, ERR_SYNTAX, "is not what was written there");
}

bool usage_file_read(struct usage *usage, const uint8_t *octets, size_t length, bool *was_last,
                     struct err *err)
{
    struct reading in = {.next = octets, .end = octets + length};

    if (!check_head(&in, err))
        return false;
    struct reading tried = in;
    read_body(&tried);
    if (tried.has_failed)
        return err_set(err, ERR_SYNTAX, "is not what was written there");
    in.usage = usage;
    if (!read_body(&in))
        return err_set(err, ERR_MEMORY, "cannot be read: out of memory");
    if (was_last != NULL)
        *was_last = in.was_last;
    return true;
}
