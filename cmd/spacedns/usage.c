#include "spacedns/usage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/escape.h"
#include "spacedns/live.h"
#include "spacedns/talk.h"

enum { CODE_UNSAFE = 3, US_PER_SECOND = 1000000, DAY_S = 86400, RECENT_MOST = 10 };

int run_who_uses(struct session *session)
{
    const struct invocation *invocation = &session->invocation;

    if (invocation_operand(invocation, 0) == NULL && !invocation_has(invocation, OPTION_APP))
        return session_fail(session, EXIT_USAGE,
                            "Missing 1 required arg: APP; see spacedns help who-uses");
    return live_request(session);
}

int run_last_asked(struct session *session)
{
    return live_request(session);
}

int run_waste(struct session *session)
{
    return live_request(session);
}

/* ---- asking for JSON ---- */

/* Returns NULL without an answer; *code is the server's then, or -1. */
static json_t *ask_json(struct session *session, const struct invocation *invocation, int *code)
{
    char *octets = NULL, *ignored = NULL;
    size_t length = 0, ignored_length = 0;
    struct talk talk = {.path = session_socket(session)};

    *code = -1;
    talk.out = open_memstream(&octets, &length);
    talk.err = open_memstream(&ignored, &ignored_length);
    if (talk.out != NULL && talk.err != NULL && talk_run(&talk, invocation))
        *code = talk.code;
    if (talk.out != NULL)
        fclose(talk.out);
    if (talk.err != NULL)
        fclose(talk.err);
    json_t *json = *code < 0 ? NULL : json_loads(octets, 0, NULL);
    free(octets);
    free(ignored);
    return json;
}

/* ---- safe-to-stop ---- */

static void wait_seconds(json_int_t seconds)
{
    struct timespec left = {.tv_sec = seconds < 1 ? 1 : (time_t)seconds};

    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

/* Until it is safe, or waiting alone would not make it so. */
static void wait_until_safe(struct session *session)
{
    struct invocation quiet = session->invocation;
    bool goes_on = true;
    int code;

    quiet.options[OPTION_JSON] = "";
    quiet.options[OPTION_WAIT] = NULL;
    while (goes_on) {
        json_t *json = ask_json(session, &quiet, &code);
        goes_on = code == CODE_UNSAFE && json_is_false(json_object_get(json, "published"));
        if (goes_on)
            wait_seconds(json_integer_value(json_object_get(json, "seconds")));
        json_decref(json);
    }
}

int run_safe_to_stop(struct session *session)
{
    if (!invocation_has(&session->invocation, OPTION_WAIT))
        return live_request(session);
    if (!invocation_has(&session->invocation, OPTION_SOCKET) &&
        !session_read_host_settings(session))
        return EXIT_REFUSED;
    wait_until_safe(session);
    session->invocation.options[OPTION_WAIT] = NULL;
    return live_request(session);
}

/* ---- who uses an app that is to go ---- */

static void print_user(struct session *session, const json_t *who)
{
    const char *kind = json_string_value(json_object_get(who, "kind"));
    const char *name = json_string_value(json_object_get(who, "name"));
    const char *last = json_string_value(json_object_get(who, "last"));
    long long asked = json_integer_value(json_object_get(who, "asked"));

    escape_printf(session->err, "  %s%s%s, %lld time%s, last at %s\n", kind == NULL ? "" : kind,
                  name == NULL ? "" : " ", name == NULL ? "" : name, asked, asked == 1 ? "" : "s",
                  last == NULL ? "" : last);
}

/* Times of this form are in order as texts. */
static bool is_recent(const json_t *who, const char *since)
{
    const char *last = json_string_value(json_object_get(who, "last"));

    return last != NULL && strcmp(last, since) >= 0;
}

static void print_users(struct session *session, const char *app, const json_t *users)
{
    char since[CLOCK_TEXT_OCTETS];
    size_t count = 0, number;
    const json_t *who;

    clock_format(clock_wall_us() / US_PER_SECOND - DAY_S, since);
    json_array_foreach(users, number, who)
    {
        if (!is_recent(who, since))
            continue;
        if (count++ == 0)
            escape_printf(session->err, "Who has asked for %s in the last day:\n", app);
        if (count <= RECENT_MOST)
            print_user(session, who);
    }
    if (count > RECENT_MOST)
        fprintf(session->err, "  and %zu more; see spacedns who-uses %s\n", count - RECENT_MOST,
                app);
}

void usage_print_recent(struct session *session, const char *app)
{
    const struct invocation who_uses = {.command = COMMAND_WHO_USES,
                                        .operands = {app},
                                        .operand_count = 1,
                                        .options = {[OPTION_JSON] = ""}};
    int code;
    json_t *json = ask_json(session, &who_uses, &code);

    print_users(session, app, json_object_get(json, "who"));
    json_decref(json);
}
