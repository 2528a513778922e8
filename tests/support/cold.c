#include "support/cold.h"

#include <stdint.h>

static uint8_t octets[COLD_OCTETS];

void cold_start(void)
{
    volatile uint8_t *touched = octets;

    for (unsigned i = 0; i < COLD_OCTETS; i += COLD_LINE)
        touched[i]++;
}
