/* How often a registry is written to the state folder. */
#include "spacednsd/replica_save.h"

#include "support/suite.h"

TEST(writing_takes_one_part_of_fifty_within_bounds)
{
    static const struct {
        uint64_t took_ms, pause_ms;
    } rows[] = {{0, 20000}, {399, 20000}, {400, 20000}, {500, 25000}, {800, 40000}, {9000, 40000}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_uint_eq(replica_save_pause_ms(rows[i].took_ms), rows[i].pause_ms);
}
