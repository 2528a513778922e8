#pragma once
/**
 * The registry that a session's settings name, read once and loaded as a folder is.
 *
 *     registry_open ──► registry_reread ──► registry_load ──► snapshot
 *      connects          all keys, at one      documents, dynos and what is fixed;
 *                        revision              documents with errors are left out, and told
 *
 * What a command sees is what a replica answers from that has nothing else: a document with errors
 * is left out of it with a line on standard error, and everything else counts.
 *
 * Threads: one.  Memory: the session's, until session_close.
 */
#include "source/overlay.h"
#include "spacedns/etcd_client.h"
#include "spacedns/registry_view.h"
#include "spacedns/session.h"

struct registry_session {
    struct etcd_client_options options; /* the client's, which borrows them */
    struct etcd_client *client;
    struct keys keys;
    struct registry_view view;
    bool has_view;
    uint64_t revision;               /* set before reading: a former one; 0: the newest */
    bool leaves_dynos;               /* set before reading: the command asks nothing about dynos */
    const struct dyno_key **waiting; /* of the view: of apps that no document has */
    size_t waiting_count;
    char password[256];
    char place[700];  /* "the registry /spacedns/eu at http://10.1.0.3:2379" */
    int64_t shown_ms; /* progress: of the monotonic clock, when it began or was printed last */
    bool has_progress;
};

/** Prints that no registry is named, with the remedy. Returns EXIT_REFUSED. */
int registry_fail_unnamed(struct session *session);

/**
 * Reads the settings, makes sure that they name a registry, and connects. Returns EXIT_DONE, or
 * another code with the error printed.
 */
int registry_start(struct session *session);

/** Connects, if that is not done. Returns false with *err. */
bool registry_open(struct session *session, struct err *err);

/** Reads everything anew; drafts are gone. Returns false with *err. */
bool registry_reread(struct session *session, struct err *err);

/** Adds an error to the session's report for each document that a load has left out. */
void registry_report_broken(struct session *session);

/** "the registry /spacedns/eu at http://10.1.0.3:2379", the session's. */
const char *registry_place(struct session *session);

/** The view; registry_load or registry_reread has read it. */
struct registry_view *registry_view_of(struct session *session);

/**
 * Loads what the registry has, with drafts of the view and perhaps a text laid over it (overlay.h).
 *
 * request  of session_load_draft; its source, keys and fixed are set here
 * overlay  NULL: none
 *
 * Without `before` and drafts, documents with errors are hidden from then on. With either, errors
 * refuse the load: NULL with the findings in the report, or with *err.
 */
struct snapshot *registry_load(struct session *session, struct load_request *request,
                               const struct overlay_text *overlay, struct err *err);

/** Prints on a terminal how far long work is, now and then; the end takes the line away. */
void registry_show_progress(const struct session *session, const char *what, size_t done,
                            size_t of);
void registry_end_progress(const struct session *session);

void registry_session_free(struct registry_session *registry);
