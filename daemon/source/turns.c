#include "daemon/source/turns.h"

#include <stdlib.h>

void turns_deinit(struct turns *turns)
{
    free(turns->at);
    *turns = (struct turns){ 0 };
}

void turns_restart(struct turns *turns)
{
    turns->n = 0;
}

static int64_t left(const struct position *position)
{
    return position->next == NO_OFFSET || position->high == NO_OFFSET ? 0 : position->high - position->next;
}

/* Its broker may be away, or what is left are no records (of transactions that were aborted): for that nobody waits. */
static bool is_behind(const struct turns *turns, const struct owned *owned, size_t i)
{
    return left(&owned->positions[i]) > TURN_BEHIND && owned->positions[i].next != turns->at[i].silent;
}

/* Nobody waits, nobody was silent. */
static void begin_anew(struct turns *turns, size_t n)
{
    if (n > turns->room) {
        turns->at = must_realloc(turns->at, n * sizeof *turns->at);
        turns->room = n;
    }
    turns->n = turns->last = turns->holder = n;
    for (size_t i = 0; i < n; i++) turns->at[i] = (struct partition_turn){ .silent = NO_OFFSET };
}

/* Has nothing come for long of whose turn it is? */
static bool is_silent(struct turns *turns, const struct position *holder, int64_t now_ms)
{
    if (turns->seen != holder->next) {
        turns->seen = holder->next;
        turns->seen_ms = now_ms;
    }
    return now_ms - turns->seen_ms >= TURN_SILENT_MS;
}

/* Who is done within a turn comes first, the least behind before others; n: nobody is. */
static size_t find_short(const struct turns *turns, const struct owned *owned)
{
    size_t found = turns->n;
    int64_t least = TURN_OFFSETS + 1;
    for (size_t i = 0; i < turns->n; i++) {
        if (!is_behind(turns, owned, i) || left(&owned->positions[i]) >= least) continue;
        least = left(&owned->positions[i]);
        found = i;
    }
    return found;
}

/* The next one that is behind; n: nobody is. */
static size_t find_next(const struct turns *turns, const struct owned *owned)
{
    size_t first = turns->last < turns->n ? turns->last + 1 : 0;
    for (size_t i = 0; i < turns->n; i++)
        if (is_behind(turns, owned, (first + i) % turns->n)) return (first + i) % turns->n;
    return turns->n;
}

static void begin(struct turns *turns, const struct owned *owned, int64_t now_ms)
{
    turns->holder = find_short(turns, owned);
    if (turns->holder == turns->n) turns->holder = find_next(turns, owned);
    if (turns->holder == turns->n) return;
    turns->last = turns->holder;
    turns->seen = owned->positions[turns->holder].next;
    turns->seen_ms = now_ms;
    turns->until = turns->seen + TURN_OFFSETS;
}

bool turns_follow(struct turns *turns, const struct owned *owned, int64_t now_ms)
{
    bool changed = false;
    if (turns->n != owned->n) begin_anew(turns, owned->n);
    const struct position *holder = turns->holder < turns->n ? &owned->positions[turns->holder] : NULL;
    if (holder && is_silent(turns, holder, now_ms))
        turns->at[turns->holder].silent = holder->next;
    else if (holder && holder->next < turns->until && left(holder) > TURN_DONE)
        return false;
    begin(turns, owned, now_ms);
    for (size_t i = 0; i < turns->n; i++) {
        bool waits = i != turns->holder && is_behind(turns, owned, i);
        changed |= waits != turns->at[i].waits;
        turns->at[i].waits = waits;
    }
    return changed;
}
