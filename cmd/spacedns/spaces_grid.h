#pragma once
/**
 * A table for people: a title over each column, columns as wide as their widest cell.
 *
 *      Name   Status Tunnels
 *      office active UP/UP
 *
 * Threads: one.  Memory: rows and cells live in the arena.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"
#include "space/model.h"

enum { GRID_COLUMNS_MOST = 8 };

struct grid {
    struct arena *arena;
    const char *const *titles;
    size_t columns; /* GRID_COLUMNS_MOST at most */
    size_t widths[GRID_COLUMNS_MOST];
    const char **cells;
    size_t count;
    size_t capacity;
    bool is_out_of_memory;
};

struct grid grid_over(struct arena *arena, const char *const *titles, size_t columns);

/** Adds the next cell, row by row, escaped for a terminal; NULL is an empty cell. */
void grid_add(struct grid *grid, const char *cell);

/** A text of a zone file, escaped for a terminal. Returns NULL when out of memory. */
const char *text_for_people(struct arena *arena, const char *text);

/** Add a cell: an address block; a list of blocks; a number. */
void grid_add_cidr(struct grid *grid, struct cidr cidr);
void grid_add_blocks(struct grid *grid, const struct blocks *blocks);
void grid_add_number(struct grid *grid, size_t number);

/** Prints the rows, `gap` blanks between columns. Returns false when out of memory. */
bool grid_print(const struct grid *grid, unsigned gap, FILE *out);
