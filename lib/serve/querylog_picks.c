#include "serve/querylog_picks.h"

#include <string.h>

bool querylog_picks_init(struct querylog_picks *picks)
{
    return uv_mutex_init(&picks->lock) == 0;
}

void querylog_picks_close(struct querylog_picks *picks)
{
    uv_mutex_destroy(&picks->lock);
}

static bool copy_text(char *to, size_t size, const char *from)
{
    if (from == NULL)
        return true;
    if (strlen(from) >= size)
        return false; /* no record has a text as long as that */
    memcpy(to, from, strlen(from) + 1);
    return true;
}

int querylog_picks_add(struct querylog_picks *picks, const struct querylog_filter *filter)
{
    struct querylog_pick pick = {.is_used = true, .filter = *filter};
    int number = 0;

    while (number < QUERYLOG_PICKS && picks->items[number].is_used)
        number++;
    if (number == QUERYLOG_PICKS || !copy_text(pick.app, sizeof pick.app, filter->app) ||
        !copy_text(pick.space, sizeof pick.space, filter->space))
        return QUERYLOG_PICKS_NONE;
    pick.app_length = strlen(pick.app);
    uv_mutex_lock(&picks->lock);
    picks->items[number] = pick;
    uv_mutex_unlock(&picks->lock);
    return number;
}

void querylog_picks_remove(struct querylog_picks *picks, int number)
{
    uv_mutex_lock(&picks->lock);
    picks->items[number].is_used = false;
    uv_mutex_unlock(&picks->lock);
}

bool querylog_picks_copy(struct querylog_picks *picks, struct querylog_pick copy[QUERYLOG_PICKS])
{
    if (uv_mutex_trylock(&picks->lock) != 0)
        return false;
    memcpy(copy, picks->items, sizeof picks->items);
    uv_mutex_unlock(&picks->lock);
    for (size_t i = 0; i < QUERYLOG_PICKS; i++) {
        struct querylog_filter *filter = &copy[i].filter;
        filter->app = filter->app == NULL ? NULL : copy[i].app;
        filter->space = filter->space == NULL ? NULL : copy[i].space;
    }
    return true;
}
