#pragma once
/**
 * Edits the text of one zone file.
 *
 * Each edit changes only its subject and keeps every other octet: comments, order, spelling,
 * indentation and line ends. New items take the style of their neighbours: lines in a block list,
 * or items within brackets. An edit is accepted only after the new text has been read again and
 * its meaning differs from that of the old text in the one change only.
 *
 *     edit_init(&edit, text, length) → edit_add_app(…), edit_set_state(…), … → edit.text
 *
 * The caller checks the new text against the rules. Given texts (names, host names, words) are
 * quoted if necessary. Edits refuse texts with quotes, backslashes or control characters.
 *
 * Threads: pure.  Memory: new texts live until edit_close; the first text is borrowed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "space/model.h"

struct edit {
    struct arena *arena;
    const char *text; /* after the last successful edit; not zero-terminated */
    size_t length;
};

/** Names a dyno: web.1 of an app. */
struct dyno_name {
    const char *app;
    const char *type;
    uint32_t number;
};

/** Returns false if memory runs out; edit_close is allowed then, too. */
bool edit_init(struct edit *edit, const char *text, size_t length);

void edit_close(struct edit *edit);

/*
 * The edits. Each returns false with *err, and leaves the text unchanged, if the subject does not
 * exist (or, for an addition, exists already), or if the text cannot be edited safely.
 */

bool edit_add_app(struct edit *edit, const char *name, bool internal_routing, struct err *err);
bool edit_remove_app(struct edit *edit, const char *name, struct err *err);

/** Changes the name and nothing else; a default domain that is written out stays. */
bool edit_rename_app(struct edit *edit, const char *name, const char *new_name, struct err *err);

/** cname: NULL for a domain without a DNS target. */
bool edit_add_domain(struct edit *edit, const char *app, const char *hostname, const char *cname,
                     struct err *err);

/** Host names are compared without case and closing dot. */
bool edit_remove_domain(struct edit *edit, const char *app, const char *hostname, struct err *err);

/** Adds a dyno that is up, and its process type if that is new. */
bool edit_add_dyno(struct edit *edit, const struct dyno_name *dyno, uint32_t ip, struct err *err);

/** Removes a dyno. The process type stays, even without dynos. */
bool edit_remove_dyno(struct edit *edit, const struct dyno_name *dyno, struct err *err);

/** Adds a router that is up. az: its availability zone, or NULL. */
bool edit_add_router(struct edit *edit, uint32_t ip, const char *az, struct err *err);

bool edit_remove_router(struct edit *edit, uint32_t ip, struct err *err);

/** Sets the state. A router that is written as an address only becomes a mapping if necessary. */
bool edit_set_router(struct edit *edit, uint32_t ip, enum router_state state, struct err *err);

/** A peering or VPN connection to be added. */
struct new_connection {
    const char *name;   /* pcx id, or the VPN's name */
    const char *status; /* in the zone file's word */
    const char *blocks; /* "10.20.0.0/16, 10.21.0.0/16" */
    uint32_t public_ip; /* of a VPN's gateway; 0: not given */
};

bool edit_add_peering(struct edit *edit, const struct new_connection *new, struct err *err);
bool edit_add_vpn(struct edit *edit, const struct new_connection *new, struct err *err);
bool edit_remove_peering(struct edit *edit, const char *pcx_id, struct err *err);
bool edit_remove_vpn(struct edit *edit, const char *name, struct err *err);

bool edit_set_peering(struct edit *edit, const char *pcx_id, enum peering_status status,
                      struct err *err);
bool edit_set_vpn(struct edit *edit, const char *name, enum vpn_status status, struct err *err);

/** Adds a static record, a line in presentation format; the rules check it. */
bool edit_add_record(struct edit *edit, const char *line, struct err *err);

/** Removes a static record, which is compared in wire form and without its TTL. */
bool edit_remove_record(struct edit *edit, const struct record *record, struct err *err);

/**
 * Adds the end mark (zone_text.h) as the last line, unless it exists. Any valid YAML can be marked,
 * so this fails, with *err, only if an edit would fail, too.
 */
bool edit_mark_end(struct edit *edit, struct err *err);

bool edit_set_state(struct edit *edit, const struct dyno_name *dyno, enum dyno_state state,
                    struct err *err);
