#include "findings/location.h"

enum { LINE_MOST = (1 << 24) - 1, COLUMN_MOST = 255 };

struct location location_at(uint32_t line, uint32_t column)
{
    return (struct location){.line = (line < LINE_MOST ? line : LINE_MOST) & LINE_MOST,
                             .column = (column < COLUMN_MOST ? column : COLUMN_MOST) & COLUMN_MOST};
}
