#include "spacedns/registry_replicas.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/escape.h"
#include "inspect/print.h"
#include "spacedns/registry_session.h"
#include "spacedns/replica_judge.h"
#include "spacedns/replica_list.h"
#include "spacedns/spaces.h"
#include "spacedns/spaces_grid.h"
#include "spacedns/talk.h"

enum {
    STATE_MOST = 2048,        /* octets: two spaces of each kind */
    WAIT_MOST_MS = 90 * 1000, /* replicas announce themselves every 20 s */
    WAIT_STEP_MS = 200,
    NS_PER_MS = 1000000,
    US_PER_MS = 1000,
    MS_PER_S = 1000,
};

static bool read_all(struct session *session, struct replica_list *list, struct err *err)
{
    return replica_list_read(list, session->registry->client, &session->registry->keys, err);
}

/* ---- the list ---- */

struct listing {
    struct session *session;
    struct replica_list list;
    struct replica_cell cell;
    int64_t now_ms;
};

static double age_of(const struct listing *listing, const struct replica *replica)
{
    return (double)(listing->now_ms - replica->at_ms) / MS_PER_S;
}

static json_t *json_kept(const struct replica *replica)
{
    json_t *list = json_array();

    for (size_t i = 0; i < replica->kept_count; i++) {
        const struct replica_kept *kept = &replica->kept[i];
        json_array_append_new(list,
                              json_pack("{s:o, s:s, s:o}", "space",
                                        print_text(kept->space, strlen(kept->space)), "kind",
                                        kept->is_held ? "held" : "kept", "code",
                                        print_text(kept->is_held ? "guard" : kept->code,
                                                   strlen(kept->is_held ? "guard" : kept->code))));
    }
    return list;
}

static json_t *json_faults(const struct replica_verdict *verdict)
{
    json_t *list = json_array();

    for (int fault = 0; fault < REPLICA_FAULTS; fault++)
        if (verdict->has[fault])
            json_array_append_new(list, json_string(replica_fault_text((enum replica_fault)fault)));
    return list;
}

static json_t *json_replica(const struct listing *listing, const struct replica *replica,
                            const struct replica_verdict *verdict)
{
    return json_pack("{s:o, s:I, s:f, s:o, s:I, s:o, s:b, s:o, s:I, s:o, s:I, s:o}", "name",
                     print_text(replica->name, strlen(replica->name)), "revision",
                     (json_int_t)replica->revision, "age_seconds", age_of(listing, replica),
                     "version", print_text(replica->version, strlen(replica->version)), "format",
                     (json_int_t)replica->format, "channel",
                     print_text(replica->channel, strlen(replica->channel)), "well",
                     (int)verdict->is_well, "faults", json_faults(verdict), "behind",
                     (json_int_t)verdict->behind, "behind_since",
                     verdict->since[0] == '\0' ? json_null()
                                               : print_text(verdict->since, strlen(verdict->since)),
                     "held_apps", (json_int_t)replica->held_apps, "kept", json_kept(replica));
}

static int print_json_list(const struct listing *listing)
{
    json_t *list = json_array();
    bool are_well = true;

    for (size_t i = 0; i < listing->list.count; i++) {
        const struct replica *replica = &listing->list.items[i];
        const struct replica_verdict verdict =
            replica_judge(replica, &listing->cell, listing->now_ms);
        json_array_append_new(list, json_replica(listing, replica, &verdict));
        are_well = are_well && verdict.is_well;
    }
    int code = session_print_json(listing->session, list);
    return code == EXIT_DONE && !are_well ? EXIT_REFUSED : code;
}

static void add_number(struct grid *grid, struct arena *arena, const char *format, double number)
{
    char text[REPLICA_WORD_MOST];
    int length = snprintf(text, sizeof text, format, number); // NOLINT: of this file

    grid_add(grid, arena_text(arena, text, (size_t)length));
}

static void add_row(struct grid *grid, const struct listing *listing, const struct replica *replica)
{
    const struct replica_verdict verdict = replica_judge(replica, &listing->cell, listing->now_ms);
    struct arena *arena = listing->list.arena;
    char state[STATE_MOST];
    struct text text = text_over(state, sizeof state);

    replica_write_state(replica, &verdict, &text);
    grid_add(grid, replica->name);
    add_number(grid, arena, "%.0f", (double)replica->revision);
    add_number(grid, arena, "%.0f s", age_of(listing, replica));
    grid_add(grid, replica->version);
    grid_add(grid, replica->channel);
    grid_add(grid, arena_text(arena, state, text_length(&text)));
}

static int print_list(const struct listing *listing)
{
    static const char *const titles[] = {"Replica", "Revision", "Age",
                                         "Version", "Channel",  "State"};
    struct session *session = listing->session;
    struct grid grid = grid_over(listing->list.arena, titles, sizeof titles / sizeof titles[0]);

    if (session->is_json)
        return print_json_list(listing);
    if (listing->list.count == 0) {
        fputs("No replica announces itself here; registry.announce is true by default.\n",
              session->out);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < listing->list.count; i++)
        add_row(&grid, listing, &listing->list.items[i]);
    int code = grid_print(&grid, session);
    if (code != EXIT_DONE)
        return code;
    return replica_print_sum(&listing->list, &listing->cell, listing->now_ms, session->out)
               ? EXIT_DONE
               : EXIT_REFUSED;
}

static bool read_listing(struct listing *listing, struct err *err)
{
    const struct registry_session *registry = listing->session->registry;

    /* What has changed since the announcements were read is not held against them. */
    return read_all(listing->session, &listing->list, err) &&
           replica_cell_read(&listing->cell, &listing->list, registry->client, &registry->keys,
                             err);
}

int run_registry_replicas(struct session *session)
{
    struct listing listing = {.session = session};
    struct err err;
    int code = registry_start(session);

    if (code != EXIT_DONE)
        return code;
    bool is_read = read_listing(&listing, &err);
    listing.now_ms = clock_wall_us() / US_PER_MS;
    code = is_read ? print_list(&listing) : session_fail(session, EXIT_REFUSED, "%s", err.text);
    replica_list_close(&listing.list);
    return code;
}

/* ---- what a push asks ---- */

int registry_replicas_check_format(struct session *session)
{
    const struct line_text *meta = &registry_view_of(session)->meta.text;
    uint64_t format = lines_number(meta->octets, meta->length, "format");
    struct replica_list replicas = {.arena = NULL};
    struct err err;
    int code = EXIT_DONE;

    if (!read_all(session, &replicas, &err))
        code = session_fail(session, EXIT_REFUSED, "%s", err.text);
    for (size_t i = 0; i < replicas.count && code == EXIT_DONE; i++)
        if (replicas.items[i].format < format)
            code = session_fail(session, EXIT_REFUSED,
                                "replica %s has version %s, which cannot read format %" PRIu64
                                " of this registry; upgrade it first, or write --force WHY",
                                replicas.items[i].name, replicas.items[i].version, format);
    replica_list_close(&replicas);
    return code;
}

/* ---- waiting ---- */

struct waiting {
    struct session *session;
    uint64_t revision;
    bool canary_only;
    const char *const *spaces;
    size_t space_count;
    size_t lagging; /* replicas and the running server that do not have it yet */
    char first[REPLICA_NAME_MOST + REPLICA_WORD_MOST];
};

static void note_lagging(struct waiting *waiting, const char *who, uint64_t revision)
{
    if (waiting->lagging++ == 0)
        snprintf(waiting->first, sizeof waiting->first, "%s (revision %" PRIu64 ")", who, revision);
}

/* The running server is asked itself: it need not announce anything. */
static void look_at_server(struct waiting *waiting)
{
    struct talk talk = {.path = session_socket(waiting->session)};
    json_t *status = talk_ask_status(&talk);
    const json_t *registry = json_object_get(status, "registry");
    uint64_t revision = (uint64_t)json_integer_value(json_object_get(registry, "revision"));

    if (json_is_object(registry) && revision < waiting->revision)
        note_lagging(waiting, "the running server", revision);
    json_decref(status);
}

static bool look(struct waiting *waiting, struct err *err)
{
    struct replica_list replicas;
    bool is_read = read_all(waiting->session, &replicas, err);

    waiting->lagging = 0;
    look_at_server(waiting);
    for (size_t i = 0; i < replicas.count; i++) {
        const struct replica *replica = &replicas.items[i];
        if (waiting->canary_only && strcmp(replica->channel, "canary") != 0)
            continue;
        if (replica->revision < waiting->revision)
            note_lagging(waiting, replica->name, replica->revision);
    }
    replica_list_close(&replicas);
    return is_read;
}

/* They have the revision; do they answer from it? */
static int check_kept(const struct waiting *waiting)
{
    struct session *session = waiting->session;
    struct replica_list replicas = {.arena = NULL};
    struct err err;
    int code = EXIT_DONE;

    if (!read_all(session, &replicas, &err))
        code = session_fail(session, EXIT_REFUSED, "%s", err.text);
    for (size_t i = 0; i < replicas.count && code == EXIT_DONE; i++)
        for (size_t j = 0; j < waiting->space_count && code == EXIT_DONE; j++)
            if (replica_keeps(&replicas.items[i], waiting->spaces[j]))
                code = session_fail(session, EXIT_REFUSED,
                                    "replica %s does not answer from it: it holds or keeps %s; "
                                    "spacedns status there has the reason",
                                    replicas.items[i].name, waiting->spaces[j]);
    replica_list_close(&replicas);
    return code;
}

static int64_t running_ms(void)
{
    return (int64_t)(clock_monotonic_ns() / NS_PER_MS);
}

int registry_replicas_wait(struct session *session, uint64_t revision, bool canary_only,
                           const char *const *spaces, size_t space_count)
{
    const struct timespec pause = {.tv_nsec = (long)WAIT_STEP_MS * NS_PER_MS};
    struct waiting waiting = {.session = session,
                              .revision = revision,
                              .canary_only = canary_only,
                              .spaces = spaces,
                              .space_count = space_count};
    int64_t end = running_ms() + WAIT_MOST_MS;
    struct err err = {.code = ERR_NONE};

    escape_printf(session->err, "Waiting for the replicas... ");
    fflush(session->err);
    while (look(&waiting, &err) && waiting.lagging > 0 && running_ms() < end)
        nanosleep(&pause, NULL);
    fputs(err.code == ERR_NONE && waiting.lagging == 0 ? "done\n" : "!\n", session->err);
    if (err.code != ERR_NONE)
        return session_fail(session, EXIT_REFUSED, "%s", err.text);
    if (waiting.lagging > 0)
        return session_fail(session, EXIT_REFUSED,
                            "%zu of them %s not have revision %" PRIu64
                            " yet, the first is %s; it is written, and they take it as soon as "
                            "they can: spacedns registry:replicas lists them",
                            waiting.lagging, waiting.lagging == 1 ? "does" : "do", revision,
                            waiting.first);
    return check_kept(&waiting);
}

/* ---- what an accept asks ---- */

static bool is_held_by_any(const struct replica_list *replicas, const char *space)
{
    for (size_t i = 0; i < replicas->count; i++)
        if (replica_keeps(&replicas->items[i], space))
            return true;
    return false;
}

void registry_replicas_note_unheld(struct session *session, const char *const *spaces, size_t count)
{
    struct replica_list replicas = {.arena = NULL};
    struct err err;
    bool is_read = read_all(session, &replicas, &err);

    for (size_t i = 0; i < count && is_read; i++)
        if (!is_held_by_any(&replicas, spaces[i]))
            escape_printf(session->err,
                          "No replica has announced that it holds back %s; spacedns "
                          "registry:replicas lists what each does\n",
                          spaces[i]);
    replica_list_close(&replicas);
}
