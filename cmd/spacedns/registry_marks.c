#include "spacedns/registry_marks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "spacedns/registry_replicas.h"
#include "spacedns/registry_send.h"
#include "spacedns/registry_session.h"
#include "spacedns/spaces.h"

enum { WHAT_MOST = 200 };

/* Reads what is compared, and sends. The marks take no lock of pushes: they go beside them. */
static int send_mark(struct session *session, struct push_request *request, const char *done)
{
    struct registry_sent sent;
    struct err err;

    request->leaves_config = true;
    if (!registry_send(session, request, &sent, &err))
        return session_fail(session, EXIT_REFUSED, "%s", err.text);
    if (session->is_json)
        return session_print_json(session,
                                  json_pack("{s:I}", "revision", (json_int_t)sent.revision));
    escape_printf(session->out, "%s, revision %" PRIu64 "\n", done, sent.revision);
    return EXIT_DONE;
}

static int start(struct session *session)
{
    struct err err;
    int code = registry_start(session);

    if (code != EXIT_DONE)
        return code;
    session->registry->leaves_dynos = true;
    return registry_reread(session, &err) ? EXIT_DONE
                                          : session_fail(session, EXIT_REFUSED, "%s", err.text);
}

/* ---- pause ---- */

static int put_pause(struct session *session, const char *why)
{
    struct lines_writer writer = {.text = NULL};
    struct key_text key;
    char by[REGISTRY_WRITER_OCTETS];

    keys_write(&session->registry->keys, KEY_PAUSE, NULL, &key);
    registry_write_writer(by);
    lines_write(&writer, "by", by);
    lines_write(&writer, "why", why);
    if (writer.has_failed)
        return session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
    const struct push_change change = {.action = PUSH_RAW,
                                       .text = writer.text,
                                       .length = writer.length,
                                       .raw = &key,
                                       .raw_revision = UINT64_MAX};
    struct push_request request = {.changes = &change, .change_count = 1, .what = "pause"};
    int code = send_mark(session, &request, "Paused: replicas stay with the documents they serve");
    free(writer.text);
    return code;
}

int run_registry_pause(struct session *session)
{
    const char *why = invocation_operand(&session->invocation, 0);

    if (why[strspn(why, " \t")] == '\0')
        return session_fail(session, EXIT_USAGE,
                            "a pause needs a reason, which others read in the registry; write "
                            "spacedns registry:pause WHY");
    int code = start(session);
    return code == EXIT_DONE ? put_pause(session, why) : code;
}

int run_registry_resume(struct session *session)
{
    struct key_text key;
    int code = start(session);

    if (code != EXIT_DONE)
        return code;
    if (registry_view_of(session)->pause.modified == 0)
        return session_fail(session, EXIT_REFUSED,
                            "%s is not paused; spacedns registry shows its state",
                            session_zones(session));
    keys_write(&session->registry->keys, KEY_PAUSE, NULL, &key);
    const struct push_change change = {.action = PUSH_RAW, .raw = &key, .raw_revision = UINT64_MAX};
    struct push_request request = {.changes = &change, .change_count = 1, .what = "resume"};
    return send_mark(session, &request, "Resumed: replicas take the documents of the registry");
}

/* ---- accept ---- */

int run_registry_accept(struct session *session)
{
    static const char *const all[] = {"all"};
    const struct invocation *invocation = &session->invocation;
    bool is_all = invocation->operand_count == 0;
    int code = start(session);

    if (code != EXIT_DONE)
        return code;
    for (size_t i = 0; i < invocation->operand_count; i++)
        if (!keys_is_name(invocation->operands[i], strlen(invocation->operands[i])))
            return session_fail(session, EXIT_USAGE, "%s is not the name of a space; %s",
                                invocation->operands[i],
                                "spacedns registry:replicas lists those that are held back");
    registry_replicas_note_unheld(session, invocation->operands, invocation->operand_count);
    struct push_request request = {.what = "accept",
                                   .force = "accepted by an operator",
                                   .accepts = is_all ? all : invocation->operands,
                                   .accept_count = is_all ? 1 : invocation->operand_count};
    return send_mark(session, &request, "Accepted: replicas take what their guard holds back now");
}
