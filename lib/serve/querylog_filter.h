#pragma once
/**
 * Which records of the query log somebody wants to see. What is not set lets every record pass.
 *
 * Threads: pure.  Memory: never allocates.
 */
#include "base/err.h"
#include "serve/querylog_line.h"

/** A block of client addresses: an IPv4 address or block, or an IPv6 one. */
struct querylog_block {
    uint8_t octets[16];
    uint8_t bits;
    bool is_ipv6;
};

struct querylog_filter {
    bool is_failed;    /* failures only */
    const char *app;   /* borrowed, as are the others */
    const char *space; /* of the name, or of the client for a name of no space */
    const char *code;  /* of the reason, as Q14 */
    bool has_block;
    struct querylog_block block;
};

/**
 * Reads "10.0.130.0/24", "10.0.130.56", "2001:db8::/32" or "2001:db8::9". Returns false with *err;
 * bits behind the prefix are an error.
 */
bool querylog_block_read(const char *text, struct querylog_block *block, struct err *err);

/** Finds a reason's code, in letters of any case. Returns NULL with *err, which lists the codes. */
const char *querylog_code_find(const char *text, struct err *err);

/** True when a record may pass by its kind alone. */
static inline bool querylog_filter_takes(const struct querylog_filter *filter, unsigned kind)
{
    return kind == QUERYLOG_FAILURE || !filter->is_failed;
}

/** True when the kind alone decides. */
static inline bool querylog_filter_is_plain(const struct querylog_filter *filter)
{
    return filter->app == NULL && filter->space == NULL && filter->code == NULL &&
           !filter->has_block;
}

/** What filters look at; its texts are borrowed, and as long as in a record. */
struct querylog_facts {
    enum querylog_kind kind;
    enum reason reason;
    const struct endpoint *client;
    const char *space, *app;
    size_t space_length, app_length; /* 0: none */
};

bool querylog_filter_takes_facts(const struct querylog_filter *filter,
                                 const struct querylog_facts *facts);

bool querylog_filter_passes(const struct querylog_filter *filter,
                            const struct querylog_record *record);
