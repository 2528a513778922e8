#pragma once
/**
 * What is requested of the server while it reloads, and which of it comes next.
 *
 *     signal ───────────────► wants_reload ─┐
 *     call (reload, plan, forget) ► waiting ─┼─► request, with the calls that share it
 *     documents changed ────► wants_documents ─┤
 *     names let go ─────────► releases ─────┤
 *     upkeep is due ────────► wants_upkeep ─┘
 *
 * Equal reloads share one request. A signal comes first, upkeep last. Documents of a registry need
 * no request of their own when a reload is requested: it takes them with it.
 *
 * Threads: the control thread; the request and its names may be read by the loading.
 * Memory: reload_queue_close frees what is held; calls are answered by others.
 */
#include "control/control_socket.h"
#include "spacednsd/audit.h"
#include "spacednsd/kept.h"

enum reload_request_kind {
    REQUEST_RELOAD,
    REQUEST_FORGET, /* let go of the names of a call */
    REQUEST_UPKEEP, /* let go of the names that have expired, and store what is not stored yet */
};

struct reload_request {
    enum reload_request_kind kind;
    bool is_dry;        /* print what would change, and change nothing */
    bool is_documents;  /* of a registry that have changed; settings stay as they are */
    bool is_forced;     /* without the guard */
    bool reads_all;     /* read also files that seem unchanged */
    bool has_traffic;   /* try what would be served on the last questions; of a dry run */
    const char *folder; /* of a dry run; NULL: the server's own */
};

struct reload_queue {
    struct reload_request request; /* taken last */
    struct audit audit;            /* who caused it */
    char *folder;                  /* of that request */
    struct kept_names names;       /* of a request to forget */
    struct call *calls;            /* of the request */
    struct call *waiting;          /* for later ones */
    bool wants_reload;             /* a signal arrived ... */
    struct signal_sender sender;   /* ... the last one from here */
    bool wants_documents;          /* a registry's have changed */
    struct kept_names releases;    /* let go on purpose by the documents that are served now */
    bool wants_upkeep;             /* it is due */
};

void reload_queue_add(struct reload_queue *queue, struct call *call);

/** Adds a signal. */
void reload_queue_add_signal(struct reload_queue *queue, const struct signal_sender *sender);

/**
 * Takes the next request, and all calls with an equal one. A call whose operands are wrong is
 * answered here.
 *
 * is_guarded  whether the settings in force have the guard
 *
 * Returns false when there is none.
 */
bool reload_queue_take(struct reload_queue *queue, bool is_guarded);

/** Answers all calls: the server is stopping. */
void reload_queue_stop(struct reload_queue *queue);

void reload_queue_close(struct reload_queue *queue);
