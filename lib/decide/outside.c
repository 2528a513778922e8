#include "decide/outside.h"

#include <string.h>

#include "base/escape.h"

struct search {
    const struct client *client;
    uint32_t address;
    struct outside_entry *found;
    size_t count;
};

static void add_entry(struct search *search, struct outside_entry entry)
{
    if (search->count < OUTSIDE_MOST)
        search->found[search->count++] = entry;
}

static enum outside_cause cause_of(const struct search *search, const struct segment *segment,
                                   const struct connection *connection)
{
    if (!connection->grants)
        return OUTSIDE_CONNECTION;
    return connection->device != NULL && access_shows(segment, search->client->view->address)
               ? OUTSIDE_DEVICE
               : OUTSIDE_LISTEN;
}

static void search_connections(struct search *search, const struct segment *segment)
{
    for (size_t i = 0; i < segment->connection_count; i++) {
        const struct connection *connection = &segment->connections[i];
        for (size_t j = 0; j < connection->block_count; j++)
            if (cidr_contains(connection->blocks[j], search->address))
                add_entry(search,
                          (struct outside_entry){.cause = cause_of(search, segment, connection),
                                                 .segment = segment,
                                                 .connection = connection,
                                                 .line = connection->block_lines[j]});
    }
}

static void search_segment(struct search *search, const struct segment *segment)
{
    if (cidr_contains(segment->cidr, search->address))
        add_entry(search, (struct outside_entry){.cause = OUTSIDE_LISTEN,
                                                 .segment = segment,
                                                 .line = segment->cidr_line});
    search_connections(search, segment);
    for (size_t i = 0; i < segment->trusted_count; i++)
        if (cidr_contains(segment->trusted_ips[i], search->address))
            add_entry(search, (struct outside_entry){.cause = OUTSIDE_TRUSTED,
                                                     .segment = segment,
                                                     .line = segment->trusted_lines[i]});
}

size_t outside_find(const struct snapshot *snapshot, const struct client *client,
                    struct outside_entry found[OUTSIDE_MOST])
{
    struct search search = {.client = client, .address = client->address, .found = found};

    if (client->count > 0)
        return 0;
    for (size_t i = 0; i < snapshot->segment_count; i++)
        if (snapshot->segments[i] != NULL)
            search_segment(&search, snapshot->segments[i]);
    return search.count;
}

static void add_list(const struct outside_entry *entry, struct text *text)
{
    const struct connection *connection = entry->connection;

    if (entry->cause == OUTSIDE_TRUSTED) {
        text_add_string(text, "trusted_ips");
    } else if (connection == NULL) {
        text_add_string(text, "cidr");
    } else {
        text_add_string(text, connection->kind == CONNECTION_PEERING ? "cidr_blocks of peering "
                                                                     : "routable_cidrs of VPN ");
        escape_add(text, connection->name, strlen(connection->name));
    }
    text_add_string(text, connection == NULL ? " of space " : " of ");
    text_add_string(text, entry->segment->name);
    text_add_string(text, " (");
    escape_add(text, entry->segment->file, strlen(entry->segment->file));
    text_add_string(text, ":");
    text_add_number(text, entry->line);
    text_add_string(text, ")");
}

static void add_connection(const struct connection *connection, struct text *text)
{
    text_add_string(text, ", which ");
    if (connection->status != NULL) {
        text_add_string(text, "is ");
        text_add_string(text, connection->status);
        text_add_string(text, ": its clients are inside once its status is active");
    } else if (connection->kind == CONNECTION_VPN) {
        text_add_string(text, "has no tunnel UP: its clients are inside once a tunnel is");
    } else {
        text_add_string(text, "is not customer-managed: its clients are inside with grant: true");
    }
}

static void add_listen(const struct segment *segment, struct text *text)
{
    if (segment->listen_count == 0) {
        text_add_string(text, ", which does not answer at an address that another space has in "
                              "`listen`: ask at another one");
        return;
    }
    text_add_string(text, ", which answers only at its `listen`: ask at ");
    for (size_t i = 0; i < segment->listen_count; i++) {
        text_add_separator(text, i, segment->listen_count);
        text_add_ipv4(text, segment->listen[i]);
    }
    text_add_string(text, ", where the server must listen too");
}

static void add_device(const struct connection *connection, struct text *text)
{
    text_add_string(text, ", whose clients are inside only when they come by its device: ask with "
                          "--device ");
    text_add_string(text, connection->device);
}

void outside_write(const struct outside_entry *entry, uint32_t address, struct text *text)
{
    text_add_ipv4(text, address);
    text_add_string(text, " is in ");
    add_list(entry, text);
    switch (entry->cause) {
    case OUTSIDE_LISTEN:
        add_listen(entry->segment, text);
        return;
    case OUTSIDE_DEVICE:
        add_device(entry->connection, text);
        return;
    case OUTSIDE_CONNECTION:
        add_connection(entry->connection, text);
        return;
    case OUTSIDE_TRUSTED:
        text_add_string(text, ", which let nobody ask for names: list the network in a peering or "
                              "VPN");
        return;
    }
}
