#include "traffic/static_addresses.h"

#include "base/bytes.h"
#include "wire/types.h"

enum { ADDRESS_OCTETS = 4 };

bool static_address(const struct snapshot *snapshot, const struct segment *segment,
                    const struct record_entry *record, uint32_t *ip)
{
    if (record->type != TYPE_A || record->rdata_length != ADDRESS_OCTETS)
        return false;
    uint32_t address = load32(segment->texts + record->rdata);
    if (!snapshot_has_space(snapshot, address))
        return false;
    *ip = address;
    return true;
}

bool static_has_type(uint16_t type)
{
    return type == TYPE_A || type == TYPE_ANY;
}

bool static_has_address(const struct snapshot *snapshot, const struct segment *segment,
                        const struct host *host, uint16_t type)
{
    uint32_t ip;

    if (host->kind != HOST_RECORDS || !static_has_type(type))
        return false;
    for (unsigned i = 0; i < host->record_count; i++)
        if (static_address(snapshot, segment, &segment->records[host->owner + i], &ip))
            return true;
    return false;
}
