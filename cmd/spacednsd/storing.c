#include "spacednsd/storing.h"

#include "base/clock.h"
#include "base/log.h"

enum {
    WAIT_MS_FIRST = 1000,
    WAIT_MS_MOST = 600 * 1000,
    NS_PER_MS = 1000000,
    NS_PER_SECOND = 1000000000,
};

void storing_begin(struct storing *storing, const struct state *state)
{
    storing->opened_ns = clock_monotonic_ns();
    storing->opened_ran_s = state->stored.ran_s;
}

int64_t storing_ran_s(const struct storing *storing)
{
    uint64_t ns = clock_monotonic_ns() - storing->opened_ns;

    return storing->opened_ran_s + (int64_t)(ns / NS_PER_SECOND);
}

static void log_decayed(const struct state *state, const struct load_outcome *outcome)
{
    struct log_line line;

    if (state->damage.code != ERR_NONE)
        log_sentence(LOG_WARNING, "state_decayed", state->damage.text);
    if (outcome->lost_texts == 0)
        return;
    log_start(&line, LOG_WARNING, "state_decayed");
    log_number(&line, "count", outcome->lost_texts);
    log_string(&line, "text",
               "texts of zone files in state_dir cannot be read; names that only they have are not "
               "kept back");
    log_send(&line);
}

static void log_stored(const struct state *state)
{
    struct log_line line;

    log_start(&line, LOG_INFO, "state_stored");
    log_string(&line, "state_dir", state->path);
    log_string(&line, "text", "everything is stored again");
    log_send(&line);
}

/* Loads try as well, perhaps many a second: those before it is due move nothing. */
static void plan_retry(struct storing *storing, bool had_failed)
{
    uint64_t now_ns = clock_monotonic_ns();

    if (had_failed && now_ns < storing->retry_ns)
        return;
    storing->wait_ms = had_failed ? 2 * storing->wait_ms : WAIT_MS_FIRST;
    if (storing->wait_ms > WAIT_MS_MOST)
        storing->wait_ms = WAIT_MS_MOST;
    storing->retry_ns = now_ns + storing->wait_ms * NS_PER_MS;
}

void storing_note(struct storing *storing, const struct state *state,
                  const struct load_outcome *outcome)
{
    bool had_failed = storing->problem.code != ERR_NONE;
    bool has_failed = state->problem.code != ERR_NONE;

    log_decayed(state, outcome);
    if (has_failed && !had_failed)
        log_sentence(LOG_WARNING, state_is_used(state) ? "state_failed" : "state_unused",
                     state->problem.text);
    if (!has_failed && had_failed)
        log_stored(state);
    plan_retry(storing, had_failed);
    storing->problem = state->problem;
}

uint64_t storing_next_ms(const struct storing *storing, const struct state *state)
{
    uint64_t now_ns = clock_monotonic_ns();

    if (!state_is_used(state) || !state->is_behind)
        return 0;
    return storing->retry_ns > now_ns ? (storing->retry_ns - now_ns) / NS_PER_MS + 1 : 1;
}
