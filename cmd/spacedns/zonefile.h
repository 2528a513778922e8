#pragma once
/**
 * What a space answers to one client, as a zone file.
 *
 * Every name that the space declares (inspect/space_names.h) is asked of respond(), as a client
 * would, and the answer is read by ldns. So the records are those the server sends, and the comment
 * at a name without one is what `explain` says:
 *
 *     api.example.com.   60 IN CNAME   random-haiku-5196.also-random-3847.herokuspace.com.
 *     ; sleepy-river-2739.herokuapp.com A
 *     ;   app=sleepy-river-2739 ... web_up=0 (zones/test-space.yaml:45)
 *     ;   remedy=every web dyno of the app has crashed: read its log, then restart or roll back
 *     ;   verdict=NOERROR without data: Q10 app crashed: ...
 *
 * Left out are texts about the server (_why, _apps, _dynos, _whoami) and SOA records: the names are
 * in several zones.
 *
 * Sources: RFC 1035 section 5 (form), RFC 3597 section 5 (types without a name).
 * Threads: one.  Memory: ldns ends the program when memory runs out.
 */
#include <stdbool.h>
#include <stdio.h>

#include "inspect/explain_request.h"

struct zonefile {
    const struct snapshot *snapshot;
    const struct segment *segment; /* the space, one of the snapshot's */
    struct explain_source source;  /* the client */
};

/**
 * Finds a client of that class: an address that the space takes for one. Returns false
 * when the space has none.
 */
bool zonefile_find_client(struct zonefile *zonefile, enum client_class class);

/** Prints the text, or one JSON object. Returns false without memory. */
bool zonefile_print(const struct zonefile *zonefile, bool is_json, FILE *out);
