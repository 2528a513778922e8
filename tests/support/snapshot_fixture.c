#include "support/snapshot_fixture.h"

#include "support/four_spaces.h"

struct snapshot_fixture fixture;

void snapshot_set_up(void)
{
    fixture.policy = policy_usual();
    fixture.snapshot = snapshot_of_files(&fixture.policy, four_spaces_paths, FOUR_SPACES);
}

void snapshot_tear_down(void)
{
    snapshot_free(fixture.snapshot);
}
