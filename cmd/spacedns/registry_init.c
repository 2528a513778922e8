#include "spacedns/registry_init.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "spacedns/registry_send.h"
#include "spacedns/registry_session.h"
#include "spacedns/spaces.h"

enum { ID_OCTETS = 37 };

/* RFC 9562 section 5.4: a random UUID. */
static void make_id(char id[ID_OCTETS])
{
    uint8_t octets[16];

    arc4random_buf(octets, sizeof octets);
    octets[6] = (uint8_t)((octets[6] & 0x0f) | 0x40);
    octets[8] = (uint8_t)((octets[8] & 0x3f) | 0x80);
    for (size_t i = 0, at = 0; i < sizeof octets; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            id[at++] = '-';
        at += (size_t)snprintf(id + at, ID_OCTETS - at, "%02x", octets[i]);
    }
}

/* ---- what an administrator of etcd does ---- */

static void print_role(FILE *out, const char *role, const char *who)
{
    fprintf(out, "\n# %s\netcdctl role add %s\n", who, role);
}

/* `key` and what follows it; `is_prefix`: all keys that begin so. */
static void print_right(FILE *out, const char *role, const char *right, const char *key,
                        const char *rest)
{
    bool is_prefix = rest[0] == '\0' || rest[strlen(rest) - 1] == '/';

    fprintf(out, "etcdctl role grant-permission %s%s %s '%s%s'\n",
            is_prefix ? "--prefix=true " : "", role, right, key, rest);
}

static void print_user(FILE *out, const char *user)
{
    fprintf(out, "etcdctl user add --no-password %s\netcdctl user grant-role %s %s\n", user, user,
            user);
}

static int print_lines(struct session *session)
{
    FILE *out = session->out;
    struct keys keys;
    char id[ID_OCTETS];
    struct err err;

    if (!keys_init(&keys, session->settings.registry_root, session->settings.registry_cell, &err))
        return session_fail(session, EXIT_REFUSED, "%s", err.text);
    make_id(id);
    fprintf(
        out,
        "# The registry itself, as spacedns registry:init makes it; FAILURE: it is there already.\n"
        "etcdctl txn <<'END'\ncreate(\"%smeta\") = \"0\"\n\n"
        "put %smeta \"format: 1\\nid: %s\\n\"\n\n\nEND\n",
        keys.prefix, keys.prefix, id);
    print_role(out, "replica", "A replica reads everything, and says which revision it has.");
    print_right(out, "replica", "read", keys.prefix, "");
    print_right(out, "replica", "readwrite", keys.replicas, "");
    print_role(out, "scheduler",
               "A scheduler writes dynos, which it compares with what it has read, and its beat.");
    print_right(out, "scheduler", "readwrite", keys.prefix, "d/");
    print_right(out, "scheduler", "readwrite", keys.prefix, "beat");
    print_role(out, "operator", "An operator pushes documents, and mends whatever has to be.");
    print_right(out, "operator", "readwrite", keys.prefix, "");
    print_right(out, "operator", "read", keys.replicas, "");
    fputs(
        "\n# Users. The common name of a client certificate is the user; with a password instead,\n"
        "# leave out --no-password. Add one for each program and person.\n",
        session->out);
    print_user(out, "replica");
    print_user(out, "scheduler");
    print_user(out, "operator");
    fputs("\n# Rights count once root is a user and login is on.\n"
          "etcdctl user add --no-password root\n"
          "etcdctl user grant-role root root\n"
          "etcdctl auth enable\n",
          out);
    return EXIT_DONE;
}

/* ---- init ---- */

/* Makes `meta` unless it is there. */
static int make_meta(struct session *session)
{
    struct lines_writer writer = {.text = NULL};
    struct registry_sent sent;
    struct key_text key;
    char id[ID_OCTETS];
    struct err err;

    make_id(id);
    keys_write(&session->registry->keys, KEY_META, NULL, &key);
    lines_write_number(&writer, "format", 1);
    lines_write(&writer, "id", id);
    if (writer.has_failed)
        return session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
    const struct push_change change = {
        .action = PUSH_RAW, .text = writer.text, .length = writer.length, .raw = &key};
    struct push_request request = {
        .changes = &change, .change_count = 1, .what = "init", .leaves_config = true};
    bool is_sent = registry_send(session, &request, &sent, &err);
    free(writer.text);
    if (!is_sent && sent.is_lost)
        return session_fail(session, EXIT_REFUSED,
                            "%s is there already; spacedns registry shows what it has",
                            session_zones(session));
    if (!is_sent)
        return session_fail(session, EXIT_REFUSED, "%s", err.text);
    if (session->is_json)
        return session_print_json(
            session, json_pack("{s:s, s:I}", "id", id, "revision", (json_int_t)sent.revision));
    escape_printf(session->out, "Made %s, id %s, revision %" PRIu64 "\n", session_zones(session),
                  id, sent.revision);
    fputs("spacedns registry:init --print prints how its users get their rights; spacedns push "
          "FOLDER fills it\n",
          session->err);
    return EXIT_DONE;
}

int run_registry_init(struct session *session)
{
    if (!session_read_settings(session))
        return EXIT_REFUSED;
    if (!session_has_registry(session))
        return registry_fail_unnamed(session);
    if (invocation_has(&session->invocation, OPTION_PRINT))
        return print_lines(session);
    int code = registry_start(session);
    return code == EXIT_DONE ? make_meta(session) : code;
}
