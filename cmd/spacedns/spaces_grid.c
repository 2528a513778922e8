#include "spacedns/spaces_grid.h"

#include <string.h>

#include "base/escape.h"

enum { GAP = 2 };
enum { ESCAPED_MOST = 20 }; /* octets for one, of the longest name of a character */

struct grid grid_over(struct arena *arena, const char *const *titles, size_t columns)
{
    struct grid grid = {.arena = arena, .titles = titles, .columns = columns};

    for (size_t i = 0; i < columns; i++)
        grid.widths[i] = strlen(titles[i]);
    return grid;
}

const char *text_for_people(struct arena *arena, const char *text)
{
    size_t room = text == NULL ? 0 : strlen(text) * ESCAPED_MOST + 1;
    char *escaped = text == NULL ? NULL : arena_take(arena, room);

    if (escaped != NULL)
        escape_string(escaped, room, text);
    return escaped;
}

static void add_cell(struct grid *grid, const char *cell, enum color color)
{
    struct grid_cell *cells =
        arena_grow(grid->arena, grid->cells, grid->count, &grid->capacity, sizeof *cells);
    const char *kept = text_for_people(grid->arena, cell == NULL ? "" : cell);
    size_t *width = &grid->widths[grid->count % grid->columns];

    if (cells == NULL || kept == NULL) {
        grid->is_out_of_memory = true;
        return;
    }
    grid->cells = cells;
    grid->cells[grid->count++] = (struct grid_cell){.text = kept, .color = color};
    if (strlen(kept) > *width)
        *width = strlen(kept);
}

void grid_add(struct grid *grid, const char *cell)
{
    add_cell(grid, cell, COLOR_NONE);
}

void grid_add_state(struct grid *grid, const char *state)
{
    add_cell(grid, state, color_of_state(state));
}

void grid_add_address(struct grid *grid, uint32_t address)
{
    char text[CIDR_TEXT_MAX] = "";

    if (address != 0)
        ipv4_write(address, text);
    grid_add(grid, text);
}

void grid_add_cidr(struct grid *grid, struct cidr cidr)
{
    char text[CIDR_TEXT_MAX] = "";

    if (cidr.bits != 0)
        cidr_write(cidr, text);
    grid_add(grid, text);
}

void grid_add_blocks(struct grid *grid, const struct blocks *blocks)
{
    enum { EACH = CIDR_TEXT_MAX + 2 };
    char *list = arena_take(grid->arena, blocks->count * EACH + 1);
    size_t length = 0;

    for (size_t i = 0; list != NULL && i < blocks->count; i++) {
        if (i > 0)
            length += (size_t)snprintf(list + length, EACH, ", ");
        cidr_write(blocks->items[i].cidr, list + length);
        length += strlen(list + length);
    }
    if (list == NULL)
        grid->is_out_of_memory = true;
    else
        grid_add(grid, list);
}

void grid_add_number(struct grid *grid, size_t number)
{
    char text[32];

    snprintf(text, sizeof text, "%zu", number);
    grid_add(grid, text);
}

/* The blanks before a cell are printed with it, so that no line ends in blanks. */
static void print_row(const struct grid *grid, const struct grid_cell *cells,
                      const struct session *session)
{
    size_t owed = 1;

    for (size_t column = 0; column < grid->columns; column++) {
        size_t length = strlen(cells[column].text);
        if (length > 0) {
            fprintf(session->out, "%*s", (int)owed, "");
            color_print(session, session->out, cells[column].color, cells[column].text);
        }
        owed = (length > 0 ? 0 : owed) + grid->widths[column] - length + GAP;
    }
    fputc('\n', session->out);
}

int grid_print(const struct grid *grid, struct session *session)
{
    struct grid_cell titles[GRID_COLUMNS_MOST];

    if (grid->is_out_of_memory)
        return session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
    for (size_t column = 0; column < grid->columns; column++)
        titles[column] = (struct grid_cell){.text = grid->titles[column], .color = COLOR_TITLE};
    print_row(grid, titles, session);
    for (size_t row = 0; row + grid->columns <= grid->count; row += grid->columns)
        print_row(grid, grid->cells + row, session);
    return EXIT_DONE;
}
