/* A binary heap whose members know their place in it. */
#include "daemon/state/schedule.h"

#include <stdlib.h>

struct due {
    size_t place; /* in the heap */
    size_t member_len;
    char member[];
};

static struct span due_member(const struct due *due)
{
    return (struct span){ due->member, due->member_len };
}

static bool is_earlier(struct due_at a, struct due_at b)
{
    if (a.at_us != b.at_us) return a.at_us < b.at_us;
    return span_compare(due_member(a.due), due_member(b.due)) < 0;
}

static void place(struct schedule *schedule, size_t at, struct due_at item)
{
    schedule->heap[at] = item;
    item.due->place = at;
}

static void move_up(struct schedule *schedule, size_t at, struct due_at item)
{
    for (size_t above; at && is_earlier(item, schedule->heap[above = (at - 1) / 2]); at = above)
        place(schedule, at, schedule->heap[above]);
    place(schedule, at, item);
}

static void move_down(struct schedule *schedule, size_t at, struct due_at item)
{
    for (size_t below; (below = at * 2 + 1) < schedule->n; at = below) {
        if (below + 1 < schedule->n && is_earlier(schedule->heap[below + 1], schedule->heap[below])) below++;
        if (!is_earlier(schedule->heap[below], item)) break;
        place(schedule, at, schedule->heap[below]);
    }
    place(schedule, at, item);
}

/* Fills the place with an item that may belong above or below it. */
static void settle(struct schedule *schedule, size_t at, struct due_at item)
{
    if (at && is_earlier(item, schedule->heap[(at - 1) / 2]))
        move_up(schedule, at, item);
    else
        move_down(schedule, at, item);
}

static void take_out(struct schedule *schedule, size_t at)
{
    struct due_at last = schedule->heap[--schedule->n];
    if (at < schedule->n) settle(schedule, at, last);
}

static void put_in(struct schedule *schedule, struct due_at item)
{
    if (schedule->n == schedule->room) {
        schedule->room = schedule->room ? schedule->room * 2 : 64;
        schedule->heap = must_realloc(schedule->heap, schedule->room * sizeof *schedule->heap);
    }
    move_up(schedule, schedule->n++, item);
}

static struct due *due_create(struct span member)
{
    struct due *due = must_zalloc(sizeof *due + member.len);
    due->member_len = member.len;
    if (member.len) memcpy(due->member, member.at, member.len);
    return due;
}

void schedule_set(struct schedule *schedule, struct span member, int64_t at_us)
{
    struct due *due = map_get(&schedule->by_member, member);
    if (at_us == NEVER) {
        if (!due) return;
        take_out(schedule, due->place);
        map_remove(&schedule->by_member, member);
        free(due);
    } else if (due) {
        settle(schedule, due->place, (struct due_at){ at_us, due });
    } else {
        due = due_create(member);
        map_put(&schedule->by_member, due_member(due), due);
        put_in(schedule, (struct due_at){ at_us, due });
    }
}

/* The earliest are taken out and put back. */
size_t schedule_due(struct schedule *schedule, int64_t until_us, size_t limit, struct arena *arena, struct timer **timers)
{
    if (limit > schedule->n) limit = schedule->n;
    struct due_at *taken = must_alloc(limit * sizeof *taken);
    size_t n = 0;
    for (; n < limit && schedule->heap[0].at_us <= until_us; n++) {
        taken[n] = schedule->heap[0];
        take_out(schedule, 0);
    }
    *timers = arena_alloc(arena, n * sizeof **timers);
    for (size_t i = 0; i < n; i++) {
        (*timers)[i] = (struct timer){ arena_copy(arena, due_member(taken[i].due)), taken[i].at_us };
        put_in(schedule, taken[i]);
    }
    free(taken);
    return n;
}

void schedule_deinit(struct schedule *schedule)
{
    for (size_t i = 0; i < schedule->n; i++) free(schedule->heap[i].due);
    free(schedule->heap);
    map_deinit(&schedule->by_member);
    *schedule = (struct schedule){ 0 };
}
