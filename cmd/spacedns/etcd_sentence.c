#include "spacedns/etcd_sentence.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "etcd/rights.h"

enum { RIGHTS_MOST = 3, WHO_OCTETS = 128, RIGHTS_OCTETS = 256 };

static bool has(const struct etcd_refusal *refusal, const char *words)
{
    return strstr(refusal->text, words) != NULL;
}

/* Whose rights count: etcd takes a certificate's common name for a user when none logs in. */
static void write_who(const struct etcd_refusal *refusal, char who[WHO_OCTETS])
{
    if (refusal->user != NULL)
        snprintf(who, WHO_OCTETS, "user %.100s", refusal->user);
    else if (refusal->certificate != NULL)
        snprintf(who, WHO_OCTETS, "the user named by the common name of %.60s",
                 refusal->certificate);
    else
        snprintf(who, WHO_OCTETS, "a client without a log-in");
}

static bool fail_rights(const struct etcd_refusal *refusal, struct err *err)
{
    char who[WHO_OCTETS], needed[RIGHTS_OCTETS];
    struct text text = text_over(needed, sizeof needed - 1);
    struct arena *arena = arena_new();
    const struct etcd_right *rights = NULL;
    size_t count =
        arena == NULL ? 0 : etcd_list_rights(arena, refusal->method, refusal->request, &rights);

    write_who(refusal, who);
    etcd_add_rights(&text, rights, count, RIGHTS_MOST);
    *text.next = '\0';
    arena_free(arena);
    if (count == 0)
        return err_set(err, ERR_RULE,
                       "etcd at %s denies it to %s; it is for users with the role root",
                       refusal->endpoint, who);
    return err_set(
        err, ERR_RULE,
        "etcd at %s denies to %s %s: %s; have %s granted to a role of this user (etcdctl role "
        "grant-permission; spacedns registry:init --print has the lines), or correct "
        "registry.root and registry.cell",
        refusal->endpoint, who, count == 1 ? "this right" : "one of these rights", needed,
        count == 1 ? "it" : "them");
}

static bool fail_space(const struct etcd_refusal *refusal, struct err *err)
{
    return err_set(err, ERR_LIMIT,
                   "etcd at %s has no space left, so nothing can be written; make some on each "
                   "member: etcdctl compaction --physical REVISION (the one of etcd that spacedns "
                   "registry prints), "
                   "etcdctl defrag, then etcdctl alarm "
                   "disarm (and raise --quota-backend-bytes, or set --auto-compaction-retention)",
                   refusal->endpoint);
}

static bool fail_unavailable(const struct etcd_refusal *refusal, struct err *err)
{
    return err_set(err, ERR_SYSTEM,
                   "etcd at %s cannot do it now (%s): most of its members must reach each other; "
                   "look at etcdctl endpoint status --cluster, then try again",
                   refusal->endpoint, refusal->text);
}

bool etcd_sentence(const struct etcd_refusal *refusal, struct err *err)
{
    if (refusal->status == ETCD_PERMISSION_DENIED)
        return fail_rights(refusal, err);
    if (has(refusal, "database space exceeded"))
        return fail_space(refusal, err);
    if (has(refusal, "user name is empty"))
        return err_set(
            err, ERR_RULE,
            "etcd at %s wants a log-in; set registry.user and registry.password_file, or "
            "registry.certificate and registry.key",
            refusal->endpoint);
    if (has(refusal, "request is too large"))
        return err_set(
            err, ERR_LIMIT,
            "this is more than etcd at %s takes at once; change fewer spaces at a time, or "
            "raise its --max-request-bytes",
            refusal->endpoint);
    if (has(refusal, "too many operations"))
        return err_set(
            err, ERR_LIMIT,
            "these are more keys than etcd at %s takes at once; change fewer spaces at a "
            "time, or raise its --max-txn-ops",
            refusal->endpoint);
    if (has(refusal, "has been compacted"))
        return err_set(err, ERR_LIMIT,
                       "etcd at %s does not have that revision any more, it was compacted; take a "
                       "later one, or zone files from a backup",
                       refusal->endpoint);
    if (has(refusal, "future revision"))
        return err_set(err, ERR_RULE,
                       "etcd at %s has not come to that revision yet; spacedns registry prints the "
                       "present one",
                       refusal->endpoint);
    if (refusal->status == ETCD_UNIMPLEMENTED)
        return err_set(
            err, ERR_SYSTEM,
            "what answers at %s is no etcd with API version 3; name its port for clients "
            "(--listen-client-urls)",
            refusal->endpoint);
    if (refusal->status == ETCD_UNAVAILABLE || refusal->status == ETCD_DEADLINE_EXCEEDED)
        return fail_unavailable(refusal, err);
    return err_set(err, ERR_SYSTEM, "etcd at %s refuses it: %s (status %d); look at its log",
                   refusal->endpoint, refusal->text[0] != '\0' ? refusal->text : "no reason given",
                   (int)refusal->status);
}

bool etcd_sentence_login(const struct etcd_refusal *refusal, struct err *err)
{
    if (refusal->status == ETCD_INVALID_ARGUMENT && has(refusal, "invalid user ID or password"))
        return err_set(
            err, ERR_RULE,
            "etcd at %s does not know user %s with this password; correct registry.user, "
            "or the first line of registry.password_file",
            refusal->endpoint, refusal->user);
    return etcd_sentence(refusal, err);
}
