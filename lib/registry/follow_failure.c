#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "registry/following.h"

enum { NOTIFY_AGAIN_MS = 60 * 1000 };

/* ---- losing ---- */

/* One loss is one line, and then one a minute. */
static void notify_loss(struct follow *follow, const char *why, uint64_t now_ms)
{
    char text[FOLLOW_TEXT_OCTETS];

    snprintf(text, sizeof text, "the registry at %s: %s", follow_endpoint(follow), why);
    if (follow->notified_ms != 0 && now_ms - follow->notified_ms < NOTIFY_AGAIN_MS) {
        memcpy(follow->problem, text, sizeof follow->problem);
        return;
    }
    follow->notified_ms = now_ms == 0 ? 1 : now_ms;
    if (follow->position.revision == 0)
        follow_notify(follow, REGISTRY_LOST, true, "%.300s; it is tried again until it answers",
                      text);
    else
        follow_notify(follow, REGISTRY_LOST, true,
                      "%.300s; answers stay as they were at revision %" PRIu64
                      ", and it is tried again until it answers",
                      text, follow->position.revision);
}

/* A watch that lasted begins anew; one that a member ends at once, again and again, does not. */
static void forget_losses(struct follow *follow, uint64_t now_ms)
{
    if (follow->watching_ms == 0 || now_ms - follow->watching_ms < FOLLOW_SETTLED_MS)
        return;
    follow->backoff_ms = FOLLOW_BACKOFF_LEAST_MS;
    follow->notified_ms = 0;
}

void follow_on_lost(struct follow *follow, const char *why, uint64_t now_ms)
{
    if (follow->state == FOLLOW_DOWN)
        return;
    forget_losses(follow, now_ms);
    uint64_t half = follow->backoff_ms / 2;
    notify_loss(follow, why, now_ms);
    follow_go_down(follow, now_ms + half + follow_draw(follow, half + 1));
    follow->backoff_ms *= 2;
    if (follow->backoff_ms > FOLLOW_BACKOFF_MOST_MS)
        follow->backoff_ms = FOLLOW_BACKOFF_MOST_MS;
}

/* ---- failures of calls ---- */

static void deny(struct follow *follow, const char *text, uint64_t now_ms)
{
    char sentence[FOLLOW_TEXT_OCTETS];
    const char *user = follow->options.user;

    snprintf(sentence, sizeof sentence,
             "the registry at %s does not let %s%.64s read the keys below %.200s (%.80s); give its "
             "role that right: etcdctl role grant-permission ROLE read --prefix=true %.200s",
             follow_endpoint(follow),
             user == NULL ? "this server (the CN of its certificate)" : "user ",
             user == NULL ? "" : user, follow->options.prefix, text, follow->options.prefix);
    follow_give_up(follow, REGISTRY_DENIED, sentence, now_ms);
}

static void refuse_login(struct follow *follow, const char *text, uint64_t now_ms)
{
    char sentence[FOLLOW_TEXT_OCTETS];

    if (follow->options.user == NULL)
        snprintf(sentence, sizeof sentence,
                 "the registry at %s asks for a login (%.80s); give registry.user and "
                 "registry.password_file, or a certificate whose CN is a user",
                 follow_endpoint(follow), text);
    else
        snprintf(sentence, sizeof sentence,
                 "the registry at %s does not let user %.64s log in (%.80s); correct the "
                 "password in registry.password_file and run spacedns reload, or registry.user "
                 "and restart",
                 follow_endpoint(follow), follow->options.user, text);
    follow_give_up(follow, REGISTRY_DENIED, sentence, now_ms);
}

static bool is_about_login(enum etcd_status status, const char *text)
{
    return status == ETCD_UNAUTHENTICATED || strstr(text, "invalid auth token") != NULL ||
           strstr(text, "user name is empty") != NULL ||
           strstr(text, "authentication failed") != NULL;
}

static void fail_login(struct follow *follow, const char *text, uint64_t now_ms)
{
    const uint64_t soon_ms = 1000;
    bool is_fresh = follow->login_ms != 0 && now_ms - follow->login_ms < soon_ms;

    /* Tokens run out; one that was given just now did not. */
    if (follow->options.user == NULL || follow->state == FOLLOW_LOGGING_IN || is_fresh)
        refuse_login(follow, text, now_ms);
    else {
        follow_act(follow, FOLLOW_STOP);
        follow_log_in(follow, now_ms);
    }
}

void follow_on_failure(struct follow *follow, enum etcd_status status, const char *text,
                       uint64_t now_ms)
{
    if (follow->state == FOLLOW_DOWN || follow->state == FOLLOW_OPENING)
        return;
    if (follow->state == FOLLOW_LOGGING_IN && strstr(text, "authentication is not enabled") != NULL)
        follow_greet(follow, now_ms);
    else if (is_about_login(status, text))
        fail_login(follow, text, now_ms);
    else if (status == ETCD_PERMISSION_DENIED)
        deny(follow, text, now_ms);
    else if (status == ETCD_OUT_OF_RANGE && follow->state == FOLLOW_READING) {
        follow_act(follow, FOLLOW_STOP);
        follow_greet(follow, now_ms);
    } else
        follow_on_lost(follow, text, now_ms);
}

/* ---- versions ---- */

void follow_on_version(struct follow *follow, const char *version)
{
    size_t length = strnlen(version, sizeof follow->version - 1);

    memcpy(follow->version, version, length);
    follow->version[length] = '\0';
}

bool follow_is_old(const char *version, const char **why)
{
    unsigned major = 0, minor = 0, patch = 0;

    *why = "a watch of this version may lose a deletion in silence, and other events under load; "
           "it is found out and mended here, but install etcd 3.4.34, 3.5.16 or newer";
    if (sscanf(version, "%3u.%3u.%5u", &major, &minor, &patch) != 3)
        return false;
    if (major != 3)
        return major < 3;
    if (minor == 4)
        return patch < 34;
    if (minor == 5)
        return patch < 16;
    return minor < 4;
}
