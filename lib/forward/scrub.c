#include "forward/scrub.h"

#include <assert.h>

#include "wire/name.h"
#include "wire/types.h"

enum { ANSWER, AUTHORITY };

enum { RRSIG_SIGNER = 18 }; /* offset of the signer's name (RFC 4034 section 3.1) */

uint32_t scrub_hash(const struct question *question, const struct name *owner)
{
    const struct hash_key key = {.first = question->hash, .second = UINT64_C(0x9e3779b97f4a7c15)};

    return (uint32_t)hash_padded(&key, owner->octets, owner->length);
}

static const struct scrub_note *notes_end(const struct scrub *scrub, int section)
{
    return scrub->notes + scrub->note_counts[ANSWER] +
           (section == AUTHORITY ? scrub->note_counts[AUTHORITY] : 0);
}

static struct rr record_of(const struct scrub *scrub, const struct scrub_note *note)
{
    struct reader in = reader_over(scrub->message, scrub->length);
    struct rr record;

    in.next += note->start;
    bool is_read = rr_read(&in, &record);
    assert(is_read); /* note_record has read it before */
    (void)is_read;
    return record;
}

static void owner_of(const struct scrub *scrub, const struct scrub_note *note, struct name *owner)
{
    rr_read_name(scrub->message, scrub->message + note->start, owner);
}

static bool is_at(const struct scrub *scrub, const struct scrub_note *note, const struct name *name,
                  uint32_t hash)
{
    struct name owner __attribute__((uninitialized));

    if (note->owner != hash)
        return false;
    owner_of(scrub, note, &owner);
    return name_equals(&owner, name->octets, name->length);
}

/* True when the record's owner is the current name of the chain. */
static bool is_here(const struct scrub *scrub, const struct scrub_note *note)
{
    return is_at(scrub, note, &scrub->name, scrub->owner);
}

/* Writes a record and marks it as taken. */
static void keep(struct scrub *scrub, int section, struct scrub_note *note)
{
    struct rr record = record_of(scrub, note);

    note->type = SCRUB_TAKEN;
    if (!rr_is_sound(scrub->message, &record)) {
        scrub->has_failed = true;
        return;
    }
    unsigned number = scrub->counts[ANSWER] + scrub->counts[AUTHORITY];
    scrub->ttls[number] = rr_writer_add(&scrub->writer, scrub->message, &record);
    scrub->counts[section]++;
    scrub->has_failed |= scrub->writer.out.failed;
}

/* True for a signature of records of that type. */
static bool signs(const struct scrub *scrub, const struct scrub_note *note, uint16_t type)
{
    if (note->type != TYPE_RRSIG)
        return false;
    struct rr record = record_of(scrub, note);
    return record.length > RRSIG_SIGNER && (type == TYPE_ANY || load16(record.data) == type);
}

/* ---- The chain ---- */

/* A zone that signed records of the answer may prove what it does not have. */
static void remember_zone(struct scrub *scrub, const struct scrub_note *signature)
{
    struct rr record = record_of(scrub, signature);
    struct name owner, zone;

    if (scrub->zone_count == SCRUB_ZONES_MOST || !rr_is_sound(scrub->message, &record))
        return;
    owner_of(scrub, signature, &owner);
    rr_read_name(scrub->message, record.data + RRSIG_SIGNER, &zone);
    if (name_is_within(&owner, &zone))
        scrub->zones[scrub->zone_count++] = (uint16_t)(record.data + RRSIG_SIGNER - scrub->message);
}

static void keep_signatures(struct scrub *scrub, const struct name *owner, uint32_t hash,
                            uint16_t type)
{
    struct scrub_note *end = scrub->notes + scrub->note_counts[ANSWER];

    for (struct scrub_note *note = scrub->notes; note < end; note++) {
        if (!signs(scrub, note, type) || !is_at(scrub, note, owner, hash))
            continue;
        remember_zone(scrub, note);
        keep(scrub, ANSWER, note);
    }
}

static bool is_asked(const struct scrub *scrub, uint16_t type)
{
    return type != SCRUB_TAKEN &&
           (type == scrub->question->type || scrub->question->type == TYPE_ANY);
}

/* Keeps the records of the type asked, in the upstream's order. Returns false without any. */
static bool keep_asked(struct scrub *scrub)
{
    struct scrub_note *end = scrub->notes + scrub->note_counts[ANSWER];

    for (struct scrub_note *note = scrub->notes; note < end && !scrub->has_answer; note++)
        scrub->has_answer = is_asked(scrub, note->type) && is_here(scrub, note);
    for (struct scrub_note *note = scrub->notes; scrub->has_answer && note < end; note++) {
        bool is_signature = signs(scrub, note, scrub->question->type);
        if ((!is_signature && !is_asked(scrub, note->type)) || !is_here(scrub, note))
            continue;
        if (is_signature)
            remember_zone(scrub, note);
        keep(scrub, ANSWER, note);
    }
    return scrub->has_answer;
}

/* True when the name with `from` at its end replaced by `to` is the target (RFC 6672 section 2.2).
 */
static bool is_made_from(const struct name *target, const struct name *name,
                         const struct name *from, const struct name *to)
{
    size_t kept = (size_t)name->length - from->length;

    return name->label_count > from->label_count && name_is_within(name, from) &&
           target->length == kept + to->length && memcmp(target->octets, name->octets, kept) == 0 &&
           memcmp(target->octets + kept, to->octets, to->length) == 0;
}

/* Passes the DNAME that a CNAME at this name was made from on to clients that validate. */
static void settle_dname(struct scrub *scrub, const struct name *target)
{
    bool may_check =
        (scrub->question->bits & QUESTION_DO) != 0 && (scrub->question->bits & QUESTION_CD) != 0;
    struct scrub_note *end = scrub->notes + scrub->note_counts[ANSWER];
    struct name from, to;

    for (struct scrub_note *note = scrub->notes; note < end; note++) {
        if (note->type != TYPE_DNAME)
            continue;
        struct rr record = record_of(scrub, note);
        if (!rr_is_sound(scrub->message, &record))
            continue;
        owner_of(scrub, note, &from);
        rr_read_name(scrub->message, record.data, &to);
        if (!is_made_from(target, &scrub->name, &from, &to))
            continue;
        if (!may_check) {
            note->type = SCRUB_TAKEN;
            return;
        }
        uint32_t hash = note->owner;
        keep(scrub, ANSWER, note);
        keep_signatures(scrub, &from, hash, TYPE_DNAME);
        return;
    }
}

/* Keeps and follows the CNAME at the current name. Returns false when there is none. */
static bool keep_alias(struct scrub *scrub)
{
    struct scrub_note *end = scrub->notes + scrub->note_counts[ANSWER];
    struct scrub_note *note = scrub->notes;
    struct name target;

    while (note < end && !(note->type == TYPE_CNAME && is_here(scrub, note)))
        note++;
    if (note == end)
        return false;
    struct rr record = record_of(scrub, note);
    if (!rr_is_sound(scrub->message, &record)) {
        scrub->has_failed = true;
        return false;
    }
    rr_read_name(scrub->message, record.data, &target);
    settle_dname(scrub, &target);
    keep(scrub, ANSWER, note);
    keep_signatures(scrub, &scrub->name, scrub->owner, TYPE_CNAME);
    scrub->has_alias = true;
    scrub->name = target;
    scrub->owner = scrub_hash(scrub->question, &target);
    return true;
}

/* A loop ends, since its CNAME is taken already. */
static void walk_chain(struct scrub *scrub)
{
    scrub->name = *scrub->question->name;
    scrub->owner = scrub_hash(scrub->question, &scrub->name);
    for (int links = 0; links <= SCRUB_LINKS_MOST && !keep_asked(scrub); links++)
        if (scrub->question->type == TYPE_ANY || links == SCRUB_LINKS_MOST || !keep_alias(scrub))
            break;
    for (const struct scrub_note *note = scrub->notes; note < notes_end(scrub, ANSWER); note++)
        scrub->dropped += note->type != SCRUB_TAKEN;
}

/* ---- Proofs of non-existence ---- */

static void keep_soa(struct scrub *scrub)
{
    struct scrub_note *note = scrub->notes + scrub->note_counts[ANSWER];
    struct name zone;

    for (; note < notes_end(scrub, AUTHORITY); note++) {
        if (note->type != TYPE_SOA)
            continue;
        owner_of(scrub, note, &zone);
        if (name_is_within(&scrub->name, &zone))
            break;
    }
    if (note == notes_end(scrub, AUTHORITY))
        return;
    struct rr record = record_of(scrub, note);
    scrub->soa = (uint16_t)(scrub->counts[ANSWER] + scrub->counts[AUTHORITY]);
    keep(scrub, AUTHORITY, note);
    if (scrub->has_failed)
        return;
    scrub->soa_minimum = load32(record.data + record.length - 4);
    if (scrub->zone_count == SCRUB_ZONES_MOST)
        scrub->zone_count--;
    scrub->zones[scrub->zone_count++] = note->start;
}

static bool lies_in_some_zone(const struct scrub *scrub, const struct scrub_note *note)
{
    struct name owner, zone;

    owner_of(scrub, note, &owner);
    for (unsigned i = 0; i < scrub->zone_count; i++) {
        rr_read_name(scrub->message, scrub->message + scrub->zones[i], &zone);
        if (name_is_within(&owner, &zone))
            return true;
    }
    return false;
}

static bool may_prove(const struct scrub *scrub, const struct scrub_note *note)
{
    return note->type == TYPE_NSEC || note->type == TYPE_NSEC3 || signs(scrub, note, TYPE_NSEC) ||
           signs(scrub, note, TYPE_NSEC3) ||
           (scrub->soa != SCRUB_NO_SOA && signs(scrub, note, TYPE_SOA));
}

static void keep_proofs(struct scrub *scrub)
{
    struct scrub_note *note = scrub->notes + scrub->note_counts[ANSWER];
    int looked_at = 0;

    for (; note < notes_end(scrub, AUTHORITY) && looked_at < SCRUB_PROOFS_MOST; note++) {
        if (!may_prove(scrub, note))
            continue;
        looked_at++;
        if (lies_in_some_zone(scrub, note))
            keep(scrub, AUTHORITY, note);
    }
}

bool scrub_records(struct scrub *scrub)
{
    const uint8_t *question = scrub->message + HEADER_OCTETS;

    scrub->soa = SCRUB_NO_SOA;
    rr_writer_start(&scrub->writer, question, scrub->question->hash, scrub->body);
    walk_chain(scrub);
    if (!scrub->has_answer && !scrub->has_failed)
        keep_soa(scrub);
    if ((scrub->question->bits & QUESTION_DO) != 0 && !scrub->has_failed)
        keep_proofs(scrub);
    return !scrub->has_failed;
}
