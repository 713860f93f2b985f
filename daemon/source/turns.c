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
        int64_t now = left(&owned->positions[i]);
        if (now <= TURN_BEHIND || now >= least) continue;
        least = now;
        found = i;
    }
    return found;
}

/* The next one that is behind; n: nobody is. */
static size_t find_next(const struct turns *turns, const struct owned *owned)
{
    size_t first = turns->last < turns->n ? turns->last + 1 : 0;
    for (size_t i = 0; i < turns->n; i++)
        if (left(&owned->positions[(first + i) % turns->n]) > TURN_BEHIND) return (first + i) % turns->n;
    return turns->n;
}

/* After silence it is anybody's turn but his, however little he has left. */
static void begin(struct turns *turns, const struct owned *owned, bool after_silence, int64_t now_ms)
{
    turns->holder = after_silence ? turns->n : find_short(turns, owned);
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
    if (turns->n != owned->n) resize(turns, owned->n);
    const struct position *holder = turns->holder < turns->n ? &owned->positions[turns->holder] : NULL;
    bool silent = holder && is_silent(turns, holder, now_ms);
    if (holder && !silent && holder->next < turns->until && left(holder) > TURN_DONE) return false;
    begin(turns, owned, silent, now_ms);
    for (size_t i = 0; i < turns->n; i++) {
        bool waits = i != turns->holder && left(&owned->positions[i]) > TURN_BEHIND;
        changed |= waits != turns->waits[i];
        turns->waits[i] = waits;
    }
    return changed;
}
