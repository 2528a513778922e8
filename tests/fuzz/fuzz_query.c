/**
 * Any octets, read as a query. Oracle: ldns.
 *
 * A query that we read ldns must read, too, and both must see the same question, size and DO bit. A
 * request that we drop is shorter than a header, or a response.
 */
#include "fuzz/fuzz.h"

#include <ldns/ldns.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "wire/query.h"

static bool is_same_name(const struct name *ours, const ldns_rdf *theirs)
{
    ldns_rdf *folded = ldns_rdf_clone(theirs);

    ldns_dname2canonical(folded);
    bool same = ldns_rdf_size(folded) == ours->length &&
                memcmp(ldns_rdf_data(folded), ours->octets, ours->length) == 0;
    ldns_rdf_deep_free(folded);
    return same;
}

static unsigned clamp(unsigned octets)
{
    return octets < 512 ? 512 : octets > 1232 ? 1232 : octets;
}

/* Records that the header promises besides the question. */
static unsigned count_records(const uint8_t *header)
{
    return (unsigned)load16(header + 6) + load16(header + 8) + load16(header + 10);
}

static void compare(const uint8_t *data, const struct query *query, ldns_pkt *packet)
{
    const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(packet), 0);

    if (query->id != ldns_pkt_id(packet) || query->type != ldns_rr_get_type(question) ||
        query->class != ldns_rr_get_class(question) ||
        !is_same_name(&query->name, ldns_rr_owner(question)))
        abort();
    /* ldns misreads records whose data does not have the form of their type. */
    if (count_records(data) > 1)
        return;
    if (query->has_opt != ldns_pkt_edns(packet))
        abort();
    if (query->udp_octets != (query->has_opt ? clamp(ldns_pkt_edns_udp_size(packet)) : 512))
        abort();
    if (query->dnssec_ok != (query->has_opt && ldns_pkt_edns_do(packet)))
        abort();
}

static void check_bounds(const struct query *query, enum query_status status, size_t size)
{
    bool has_question = status == QUERY_READ || status == QUERY_VERSION;

    if (query->udp_octets < 512 || query->udp_octets > 1232 || query->question_end > size)
        abort();
    /* With another opcode it may be read, for the reply. */
    if (status != QUERY_OPCODE && has_question != (query->question_end > HEADER_OCTETS))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct query query;
    enum query_status status = query_read(data, size, &query);
    bool deserves_no_reply = size < HEADER_OCTETS || (data[2] & 0x80) != 0;
    ldns_pkt *packet = NULL;

    if ((status == QUERY_DROPPED) != deserves_no_reply)
        abort();
    if (deserves_no_reply)
        return 0;
    check_bounds(&query, status, size);
    if ((status == QUERY_OPCODE) != ((data[2] & 0x78) != 0))
        abort();
    if (status != QUERY_READ && status != QUERY_VERSION)
        return 0;
    /* ldns parses records that we skip, so it may refuse their data. */
    if (ldns_wire2pkt(&packet, data, size) == LDNS_STATUS_OK) {
        compare(data, &query, packet);
        ldns_pkt_free(packet);
    }
    return 0;
}
