#pragma once
/**
 * A table for people: a title over each column, columns as wide as their widest cell.
 *
 *      Name    Status  Tunnels
 *      office  active  UP/UP
 *
 * Threads: one.  Memory: rows and cells live in the arena.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"
#include "space/model.h"
#include "spacedns/color.h"

enum { GRID_COLUMNS_MOST = 8 };

struct grid_cell {
    const char *text;
    enum color color;
};

struct grid {
    struct arena *arena;
    const char *const *titles;
    size_t columns; /* GRID_COLUMNS_MOST at most */
    size_t widths[GRID_COLUMNS_MOST];
    struct grid_cell *cells;
    size_t count;
    size_t capacity;
    bool is_out_of_memory;
};

struct grid grid_over(struct arena *arena, const char *const *titles, size_t columns);

/** Adds the next cell, row by row, escaped for a terminal; NULL is an empty cell. */
void grid_add(struct grid *grid, const char *cell);

/** A text of a zone file, escaped for a terminal. Returns NULL when out of memory. */
const char *text_for_people(struct arena *arena, const char *text);

/** Add a cell: an address; an address block; a list of blocks; a number. */
void grid_add_address(struct grid *grid, uint32_t address);
void grid_add_cidr(struct grid *grid, struct cidr cidr);
void grid_add_blocks(struct grid *grid, const struct blocks *blocks);
void grid_add_number(struct grid *grid, size_t number);

/** Adds a cell with the state of something, in the colour of that state. */
void grid_add_state(struct grid *grid, const char *state);

/** Prints the rows to the session's output. Returns the exit code, with the error printed. */
int grid_print(const struct grid *grid, struct session *session);
