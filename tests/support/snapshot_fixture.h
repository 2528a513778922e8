#pragma once
/**
 * A snapshot of the four spaces of support/four_spaces.h, for tests that only read it:
 *
 *     FIXTURE(snapshot_set_up, snapshot_tear_down)
 */
#include "support/zones.h"

struct snapshot_fixture {
    struct policy policy; /* policy_usual() */
    struct snapshot *snapshot;
};

extern struct snapshot_fixture fixture;

void snapshot_set_up(void);
void snapshot_tear_down(void);
