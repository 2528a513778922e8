#pragma once
/**
 * Sends what registry/push.h makes of changes, and marks and dynos that belong to no push.
 *
 * Threads: one.
 */
#include "registry/push.h"
#include "spacedns/session.h"

enum { REGISTRY_WRITER_OCTETS = 160 };

/** Writes who runs this command: USER@HOST; under sudo, who called it. */
void registry_write_writer(char out[REGISTRY_WRITER_OCTETS]);

struct registry_sent {
    uint64_t revision; /* of the last transaction; 0: none was needed */
    unsigned parts;    /* transactions */
    bool is_lost;      /* another writer was first: nothing of this part was written */
};

/**
 * Writes the changes of a request; its keys, `by` and `at` are set here. What is compared is the
 * `config` of the session's view, unless the request leaves it.
 *
 * Returns false with *err; the sentence says what was written before, if the push had parts. With
 * sent->is_lost *err says who was first.
 */
bool registry_send(struct session *session, struct push_request *request,
                   struct registry_sent *sent, struct err *err);
