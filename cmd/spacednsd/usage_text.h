#pragma once
/**
 * What calls and HTTP print alike about who uses what: parties, times, counts, lists, tables.
 *
 * Threads: the control thread.  Memory: a table is freed by usage_table_print; values are the
 * caller's.
 */
#include "control/control_socket.h"
#include "inspect/print.h"
#include "traffic/usage.h"

enum { USAGE_TEXT_OCTETS = 320, USAGE_COLUMNS_MOST = 8, USAGE_LISTED_MOST = 1000 };

/** "app open-plain-1001", "peering pcx-111aaa111", "outside"; escaped for a terminal. */
void usage_text_party(const struct party *party, char text[USAGE_TEXT_OCTETS]);

/** {"kind": ..., "name": ..., "space": ...}; without the names that it does not have. */
json_t *usage_json_party(const struct party *party);

/** 2026-11-29T10:00:00Z */
json_t *usage_json_time(uint32_t at_s);

/** Adds asked, each outcome, first and last. */
void usage_json_counts(json_t *object, const struct use_counts *counts);

/** The questions of the last 60 minutes, oldest first; `lately` NULL: none. */
json_t *usage_json_hour(const struct lately *lately);

/** True for a use that is wanted. */
typedef bool usage_wants(const void *context, const struct use *use);

/**
 * Gathers the uses that are wanted, or with NULL all, most asked first. Returns them malloc'ed, or
 * NULL without memory.
 */
const struct use **usage_gather(const struct uses *uses, usage_wants *wants, const void *context,
                                size_t *count);

/** usage_wants: of an app, whose party the context points to. */
bool usage_is_of(const void *context, const struct use *use);

/** Who asks in each of these uses, and how often; USAGE_LISTED_MOST at most. */
json_t *usage_json_users(const struct usage *usage, const struct use *const *found, size_t count);

/** Seconds since 1970, now. */
uint32_t usage_now_s(void);

/** Cells, a row at a time. */
struct usage_table {
    size_t columns; /* USAGE_COLUMNS_MOST at most */
    size_t count;
    size_t capacity;
    char **cells;
};

/** Adds a cell, which is copied. */
void usage_table_add(struct usage_table *table, const char *text);
void usage_table_add_number(struct usage_table *table, uint64_t number);
void usage_table_add_time(struct usage_table *table, uint32_t at_s);

/** Prints the rows, the first one being the titles, and frees them. */
void usage_table_print(struct usage_table *table, FILE *out);
