#include "daemon/source/turns.h"

#include <stdlib.h>

void turns_deinit(struct turns *turns)
{
    free(turns->waits);
    *turns = (struct turns){ 0 };
}

void turns_restart(struct turns *turns)
{
    turns->holder = turns->n;
    turns->seen = NO_OFFSET;
}

static int64_t left(const struct position *position)
{
    return position->next == NO_OFFSET || position->high == NO_OFFSET ? 0 : position->high - position->next;
}

/* Of others than before: nobody waits. */
static void resize(struct turns *turns, size_t n)
{
    if (n > turns->room) {
        turns->waits = must_realloc(turns->waits, n * sizeof *turns->waits);
        turns->room = n;
    }
    turns->n = turns->last = n;
    for (size_t i = 0; i < n; i++) turns->waits[i] = false;
    turns_restart(turns);
}

static bool goes_on(struct turns *turns, const struct position *holder, int64_t now_ms)
{
    if (turns->seen != holder->next) {
        turns->seen = holder->next;
        turns->seen_ms = now_ms;
    }
    return holder->next < turns->until && left(holder) > TURN_DONE && now_ms - turns->seen_ms < TURN_SILENT_MS;
}

/* The next one that is behind; n: nobody. */
static size_t find_next(const struct turns *turns, const struct owned *owned)
{
    size_t first = turns->last < turns->n ? turns->last + 1 : 0;
    for (size_t i = 0; i < turns->n; i++)
        if (left(&owned->positions[(first + i) % turns->n]) > TURN_BEHIND) return (first + i) % turns->n;
    return turns->n;
}

static void begin(struct turns *turns, const struct owned *owned, int64_t now_ms)
{
    turns->holder = find_next(turns, owned);
    if (turns->holder == turns->n) return;
    turns->last = turns->holder;
    turns->seen = owned->positions[turns->holder].next;
    turns->seen_ms = now_ms;
    turns->until = turns->seen + TURN_OFFSETS;
}

bool turns_follow(struct turns *turns, const struct owned *owned, int64_t now_ms)
{
    bool changed = false;
    if (turns->n != owned->n) resize(turns, owned->n);
    if (turns->holder < turns->n && goes_on(turns, &owned->positions[turns->holder], now_ms)) return false;
    begin(turns, owned, now_ms);
    for (size_t i = 0; i < turns->n; i++) {
        bool waits = i != turns->holder && left(&owned->positions[i]) > TURN_BEHIND;
        changed |= waits != turns->waits[i];
        turns->waits[i] = waits;
    }
    return changed;
}
