#include "spacedns/registry_replicas.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/escape.h"
#include "inspect/print.h"
#include "spacedns/registry_session.h"
#include "spacedns/spaces.h"
#include "spacedns/spaces_grid.h"
#include "spacedns/talk.h"

enum {
    NAME_MOST = 128,
    WORD_MOST = 64,
    KEPT_MOST = 512,
    WAIT_MOST_MS = 90 * 1000, /* replicas announce themselves every 20 s */
    WAIT_STEP_MS = 200,
    NS_PER_MS = 1000000,
    US_PER_MS = 1000,
    MS_PER_S = 1000,
};

/* What one replica has announced. */
struct replica {
    char name[NAME_MOST];
    uint64_t revision;
    uint64_t format;
    int64_t at_ms; /* wall clock */
    char version[WORD_MOST];
    char channel[WORD_MOST];
    char kept[KEPT_MOST]; /* "bench-7 (E-DOM-NAME), other (held)" */
};

struct replicas {
    struct arena *arena;
    struct replica *items;
    size_t count;
    size_t capacity;
};

/* ---- reading ---- */

static void add_kept(struct replica *replica, const struct line *line)
{
    struct text text = text_over(replica->kept, sizeof replica->kept - 1);
    const char *blank = memchr(line->value.octets, ' ', line->value.length);
    size_t space = blank == NULL ? line->value.length : (size_t)(blank - line->value.octets);

    text.next += strlen(replica->kept);
    text_add_string(&text, replica->kept[0] == '\0' ? "" : ", ");
    text_add(&text, line->value.octets, space);
    text_add_string(&text, " (");
    if (line_is(line, "held"))
        text_add_string(&text, "held by the guard");
    else if (blank != NULL)
        text_add(&text, blank + 1, line->value.length - space - 1);
    text_add_string(&text, ")");
    *text.next = '\0';
}

static void read_replica(struct replica *replica, const struct keys *keys,
                         const struct etcd_pair *pair)
{
    const char *value = (const char *)pair->value.start;
    size_t length = pair->value.length, skipped = strlen(keys->replicas);
    struct lines lines = lines_over(value, length);
    struct line line;

    *replica = (struct replica){.revision = lines_number(value, length, "revision"),
                                .format = lines_number(value, length, "format"),
                                .at_ms = (int64_t)lines_number(value, length, "at_ms")};
    if (pair->key.length > skipped)
        snprintf(replica->name, sizeof replica->name, "%.*s", (int)(pair->key.length - skipped),
                 (const char *)pair->key.start + skipped);
    lines_copy(value, length, "version", replica->version, sizeof replica->version);
    lines_copy(value, length, "channel", replica->channel, sizeof replica->channel);
    while (lines_next(&lines, &line))
        if (line_is(&line, "kept") || line_is(&line, "held"))
            add_kept(replica, &line);
}

static bool add_replica(struct replicas *replicas, const struct keys *keys,
                        const struct etcd_pair *pair)
{
    struct replica *items = arena_grow(replicas->arena, replicas->items, replicas->count,
                                       &replicas->capacity, sizeof *items);

    if (items == NULL)
        return false;
    replicas->items = items;
    read_replica(&items[replicas->count++], keys, pair);
    return true;
}

static bool read_all(struct session *session, struct replicas *replicas, struct err *err)
{
    const struct keys *keys = &session->registry->keys;
    struct etcd_range_response response;
    struct key_range range;
    struct octets octets;

    *replicas = (struct replicas){.arena = arena_new()};
    if (replicas->arena == NULL)
        return err_set(err, ERR_MEMORY, "out of memory; free some, then try again");
    keys_range_replicas(keys, &range);
    const struct etcd_range wanted = {
        .key = {(const uint8_t *)range.begin.octets, range.begin.length},
        .end = {(const uint8_t *)range.end.octets, range.end.length}};
    if (!etcd_client_call(session->registry->client, ETCD_RANGE,
                          etcd_encode_range(replicas->arena, &wanted), &octets, err) ||
        !etcd_decode_range(replicas->arena, octets.start, octets.length, &response, err))
        return false;
    for (size_t i = 0; i < response.count; i++)
        if (!add_replica(replicas, keys, &response.pairs[i]))
            return err_set(err, ERR_MEMORY, "out of memory; free some, then try again");
    return true;
}

static void close_replicas(struct replicas *replicas)
{
    arena_free(replicas->arena);
}

/* ---- the list ---- */

static double age_of(const struct replica *replica)
{
    int64_t now_ms = clock_wall_us() / US_PER_MS;

    return (double)(now_ms - replica->at_ms) / MS_PER_S;
}

static int print_json_list(struct session *session, const struct replicas *replicas)
{
    json_t *list = json_array();

    for (size_t i = 0; i < replicas->count; i++) {
        const struct replica *replica = &replicas->items[i];
        json_array_append_new(
            list, json_pack("{s:o, s:I, s:f, s:o, s:I, s:o, s:o}", "name",
                            print_text(replica->name, strlen(replica->name)), "revision",
                            (json_int_t)replica->revision, "age_seconds", age_of(replica),
                            "version", print_text(replica->version, strlen(replica->version)),
                            "format", (json_int_t)replica->format, "channel",
                            print_text(replica->channel, strlen(replica->channel)), "kept",
                            print_text(replica->kept, strlen(replica->kept))));
    }
    return session_print_json(session, list);
}

static void add_number(struct grid *grid, struct arena *arena, const char *format, double number)
{
    char text[WORD_MOST];
    int length = snprintf(text, sizeof text, format, number); // NOLINT: of this file

    grid_add(grid, arena_text(arena, text, (size_t)length));
}

static int print_list(struct session *session, const struct replicas *replicas)
{
    static const char *const titles[] = {"Replica", "Revision", "Age",
                                         "Version", "Channel",  "Kept back"};
    struct grid grid = grid_over(replicas->arena, titles, sizeof titles / sizeof titles[0]);

    if (session->is_json)
        return print_json_list(session, replicas);
    if (replicas->count == 0) {
        fputs("No replica announces itself here; registry.announce is true by default.\n",
              session->out);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < replicas->count; i++) {
        const struct replica *replica = &replicas->items[i];
        grid_add(&grid, replica->name);
        add_number(&grid, replicas->arena, "%.0f", (double)replica->revision);
        add_number(&grid, replicas->arena, "%.0f s", age_of(replica));
        grid_add(&grid, replica->version);
        grid_add(&grid, replica->channel);
        grid_add(&grid, replica->kept);
    }
    return grid_print(&grid, session);
}

int run_registry_replicas(struct session *session)
{
    struct replicas replicas = {.arena = NULL};
    struct err err;
    int code = registry_start(session);

    if (code == EXIT_DONE)
        code = read_all(session, &replicas, &err)
                   ? print_list(session, &replicas)
                   : session_fail(session, EXIT_REFUSED, "%s", err.text);
    close_replicas(&replicas);
    return code;
}

/* ---- what a push asks ---- */

int registry_replicas_check_format(struct session *session)
{
    const struct line_text *meta = &registry_view_of(session)->meta.text;
    uint64_t format = lines_number(meta->octets, meta->length, "format");
    struct replicas replicas = {.arena = NULL};
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
    close_replicas(&replicas);
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
    char first[NAME_MOST + WORD_MOST];
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
    struct replicas replicas;
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
    close_replicas(&replicas);
    return is_read;
}

/* True if the list of kept spaces has this one. */
static bool keeps(const struct replica *replica, const char *space)
{
    size_t length = strlen(space);
    const char *at = strstr(replica->kept, space);

    while (at != NULL && !((at == replica->kept || at[-1] == ' ') && at[length] == ' '))
        at = strstr(at + 1, space);
    return at != NULL;
}

/* They have the revision; do they answer from it? */
static int check_kept(const struct waiting *waiting)
{
    struct session *session = waiting->session;
    struct replicas replicas = {.arena = NULL};
    struct err err;
    int code = EXIT_DONE;

    if (!read_all(session, &replicas, &err))
        code = session_fail(session, EXIT_REFUSED, "%s", err.text);
    for (size_t i = 0; i < replicas.count && code == EXIT_DONE; i++)
        for (size_t j = 0; j < waiting->space_count && code == EXIT_DONE; j++)
            if (keeps(&replicas.items[i], waiting->spaces[j]))
                code = session_fail(session, EXIT_REFUSED,
                                    "replica %s does not answer from it: %s; spacedns status there "
                                    "has the reason",
                                    replicas.items[i].name, replicas.items[i].kept);
    close_replicas(&replicas);
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
                            "%zu of them do not have revision %" PRIu64
                            " yet, the first is %s; it is written, and they take it as soon as "
                            "they can: spacedns registry replicas lists them",
                            waiting.lagging, revision, waiting.first);
    return check_kept(&waiting);
}

/* ---- what an accept asks ---- */

static bool is_held_by_any(const struct replicas *replicas, const char *space)
{
    for (size_t i = 0; i < replicas->count; i++)
        if (keeps(&replicas->items[i], space))
            return true;
    return false;
}

void registry_replicas_note_unheld(struct session *session, const char *const *spaces, size_t count)
{
    struct replicas replicas = {.arena = NULL};
    struct err err;
    bool is_read = read_all(session, &replicas, &err);

    for (size_t i = 0; i < count && is_read; i++)
        if (!is_held_by_any(&replicas, spaces[i]))
            escape_printf(session->err,
                          "No replica has announced that it holds back %s; spacedns registry "
                          "replicas lists what each does\n",
                          spaces[i]);
    close_replicas(&replicas);
}
