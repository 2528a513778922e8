#include "spacedns/registry_send.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "spacedns/registry_session.h"

enum { TIME_OCTETS = 32, HOST_OCTETS = 65 };

void registry_write_writer(char out[REGISTRY_WRITER_OCTETS])
{
    const char *sudo = getenv("SUDO_USER");
    const struct passwd *entry = getpwuid(geteuid());
    char host[HOST_OCTETS] = "";

    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
        snprintf(host, sizeof host, "unknown");
    const char *user = geteuid() == 0 && sudo != NULL && sudo[0] != '\0' ? sudo
                       : entry != NULL                                   ? entry->pw_name
                                                                         : "unknown";
    snprintf(out, REGISTRY_WRITER_OCTETS, "%.64s@%.64s", user, host);
}

static void write_time(char out[TIME_OCTETS])
{
    time_t now = time(NULL);
    struct tm parts;

    if (gmtime_r(&now, &parts) == NULL || strftime(out, TIME_OCTETS, "%FT%TZ", &parts) == 0)
        out[0] = '\0';
}

/* One part. Returns false with *err. */
static bool send_part(struct session *session, struct push *push, enum push_state *state,
                      struct err *err)
{
    struct octets response;

    if (!push_next(push, err))
        return false;
    const struct octets message = {push->message, push->length};
    return etcd_client_call(session->registry->client, ETCD_TXN, message, &response, err) &&
           push_note(push, response.start, response.length, state, err);
}

static bool send_all(struct session *session, struct push *push, struct registry_sent *sent,
                     struct err *err)
{
    enum push_state state = PUSH_MORE;

    while (state == PUSH_MORE) {
        bool is_sent = send_part(session, push, &state, err);
        sent->revision = push->revision;
        sent->parts = push->parts;
        if (!is_sent)
            return false;
    }
    sent->is_lost = state == PUSH_LOST;
    return !sent->is_lost ||
           err_set(err, ERR_RULE,
                   "another writer changed the registry meanwhile, again and again; nothing was "
                   "changed; try again");
}

/* What a reader has to know when only the first parts were written. */
static void add_parts(const struct registry_sent *sent, struct err *err)
{
    size_t length = strlen(err->text);

    if (sent->parts > 0)
        snprintf(err->text + length, sizeof err->text - length,
                 "; %u part%s of it %s written, up to revision %" PRIu64, sent->parts,
                 sent->parts == 1 ? "" : "s", sent->parts == 1 ? "is" : "are", sent->revision);
}

bool registry_send(struct session *session, struct push_request *request,
                   struct registry_sent *sent, struct err *err)
{
    char by[REGISTRY_WRITER_OCTETS], at[TIME_OCTETS];
    struct push push = {.message = NULL};

    *sent = (struct registry_sent){.revision = 0};
    registry_write_writer(by);
    write_time(at);
    request->keys = &session->registry->keys;
    request->by = by;
    request->at = at;
    bool is_sent = push_begin(&push, request, registry_view_of(session)->config.modified, err) &&
                   send_all(session, &push, sent, err);
    push_close(&push);
    if (!is_sent)
        add_parts(sent, err);
    return is_sent;
}
