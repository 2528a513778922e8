#include "forward/rr_writer.h"

#include <assert.h>

#include "base/hash.h"
#include "wire/name.h"
#include "wire/query.h"

enum { POINTER = 0xc000, POINTERS_END = 0x4000 };

/* A name with the offset of each label and a hash of the suffix that begins there. */
struct spelled {
    uint8_t octets[NAME_MAX_OCTETS];
    uint8_t starts[LABEL_MAX_COUNT];
    uint32_t hashes[LABEL_MAX_COUNT];
    uint8_t label_count;
};

static void spell(const struct rr_writer *writer, struct spelled *name)
{
    uint64_t state = writer->seed;
    unsigned at = 0, count = 0;

    for (; name->octets[at] != 0; at += name->octets[at] + 1U)
        name->starts[count++] = (uint8_t)at;
    name->label_count = (uint8_t)count;
    while (count-- > 0) { /* from the root: each hash builds on that of its suffix */
        const uint8_t *label = name->octets + name->starts[count];
        for (unsigned i = 0; i <= *label; i++)
            state = (state ^ label[i]) * UINT64_C(0x9e3779b97f4a7c15);
        state ^= state >> 32;
        name->hashes[count] = (uint32_t)state;
    }
}

/* True when the message has the name at that offset. Bounded: each turn passes a label of it. */
static bool stands_at(const struct rr_writer *writer, unsigned offset, const uint8_t *name)
{
    for (;;) {
        const uint8_t *label = offset < writer->base ? writer->question + (offset - HEADER_OCTETS)
                                                     : writer->out.start + (offset - writer->base);
        if (*label >= POINTER >> 8) {
            offset = load16(label) & (POINTERS_END - 1U);
            continue; /* to a label: our pointers do not lead to pointers */
        }
        if (*label != *name || memcmp(label, name, *label + 1U) != 0)
            return false;
        if (*label == 0)
            return true;
        offset += *label + 1U;
        name += *name + 1U;
    }
}

/* True for suffixes that are searched for and remembered: the whole name, and short ones. */
static bool is_sought(const struct spelled *name, unsigned label)
{
    return label == 0 || name->label_count - label <= RR_WRITER_LABELS_MOST;
}

/* The offset of the suffix that begins at the label, when it is written already; else 0. */
static unsigned find(const struct rr_writer *writer, const struct spelled *name, unsigned label)
{
    for (unsigned i = 0; i < writer->known_count; i++)
        if (writer->known[i].hash == name->hashes[label] &&
            stands_at(writer, writer->known[i].offset, name->octets + name->starts[label]))
            return writer->known[i].offset;
    return 0;
}

/* Remembers the labels before `end` of a name that has been written at the offset. */
static void remember(struct rr_writer *writer, const struct spelled *name, unsigned end,
                     size_t offset)
{
    for (unsigned i = 0; i < end && writer->known_count < RR_WRITER_NAMES_MOST; i++) {
        if (!is_sought(name, i) || offset + name->starts[i] >= POINTERS_END)
            continue;
        writer->known[writer->known_count].hash = name->hashes[i];
        writer->known[writer->known_count++].offset = (uint16_t)(offset + name->starts[i]);
    }
}

static void write_name(struct rr_writer *writer, struct spelled *name, bool may_point)
{
    size_t offset = writer->base + writer_length(&writer->out);
    unsigned label = 0, pointer = 0;

    spell(writer, name);
    for (; may_point && label < name->label_count; label++) {
        pointer = is_sought(name, label) ? find(writer, name, label) : 0;
        if (pointer != 0)
            break;
    }
    if (!may_point)
        label = name->label_count;
    size_t length =
        label < name->label_count ? name->starts[label] : name_measure(name->octets) - 1;
    write_octets(&writer->out, name->octets, length);
    if (pointer != 0)
        write16(&writer->out, (uint16_t)(POINTER | pointer));
    else
        write8(&writer->out, 0);
    if (!writer->out.failed)
        remember(writer, name, label, offset);
}

void rr_writer_start(struct rr_writer *writer, const uint8_t *question, uint64_t seed,
                     uint8_t *body)
{
    struct spelled name __attribute__((uninitialized));
    size_t length = name_measure(question);

    writer->question = question;
    writer->base = (uint16_t)(HEADER_OCTETS + length + 4);
    writer->out = writer_over(body, UINT16_MAX - (size_t)writer->base);
    writer->seed = seed;
    writer->known_count = 0;
    octets_copy(name.octets, question, length);
    spell(writer, &name);
    remember(writer, &name, name.label_count, HEADER_OCTETS);
}

static void write_data(struct rr_writer *writer, const uint8_t *message, const struct rr *record)
{
    struct rr_names names = rr_names(record);
    const uint8_t *next = record->data + names.before;
    uint8_t *length = write_span(&writer->out, 2);
    const uint8_t *data = writer->out.next;
    struct spelled name __attribute__((uninitialized));

    write_octets(&writer->out, record->data, names.before);
    for (unsigned i = 0; i < names.count; i++) {
        next += rr_copy_name(message, next, name.octets);
        write_name(writer, &name, names.may_point);
    }
    write_octets(&writer->out, next, (size_t)(record->data + record->length - next));
    if (!writer->out.failed)
        store16(length, (uint16_t)(writer->out.next - data));
}

uint16_t rr_writer_add(struct rr_writer *writer, const uint8_t *message, const struct rr *record)
{
    struct spelled owner __attribute__((uninitialized));

    rr_copy_name(message, record->start, owner.octets);
    write_name(writer, &owner, true);
    size_t ttl = writer_length(&writer->out) + 4;
    write16(&writer->out, record->type);
    write16(&writer->out, record->class);
    write_octets(&writer->out, record->ttl, RR_TTL_OCTETS);
    write_data(writer, message, record);
    return (uint16_t)ttl;
}
