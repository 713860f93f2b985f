#include "daemon/publish/queue.h"

#include "common/instant.h"
#include "daemon/publish/desk.h"

void queue_init(struct queue *queue)
{
    *queue = (struct queue){ g_sequence_new(NULL), g_sequence_new(NULL) };
}

void queue_deinit(struct queue *queue)
{
    if (queue->ready) g_sequence_free(queue->ready);
    if (queue->resting) g_sequence_free(queue->resting);
    *queue = (struct queue){ 0 };
}

/* For changes, or for a row of its alerts whose time comes. */
static int64_t waits_since(const struct desk *desk)
{
    return desk->dirty && desk->waiting_since_us < desk->alerts.due_us ? desk->waiting_since_us : desk->alerts.due_us;
}

static int64_t may_at(const struct desk *desk)
{
    int64_t since_us = waits_since(desk);
    return since_us > desk->next_at_us ? since_us : desk->next_at_us;
}

static gint by_key(gconstpointer a, gconstpointer b, gpointer unused)
{
    int64_t a_us = ((const struct desk *)a)->place.key_us, b_us = ((const struct desk *)b)->place.key_us;
    (void)unused;
    return (a_us > b_us) - (a_us < b_us);
}

static void put(GSequence *where, struct desk *desk, int64_t key_us)
{
    desk->place.key_us = key_us;
    desk->place.at = g_sequence_insert_sorted(where, desk, by_key, NULL);
}

void queue_leave(struct desk *desk)
{
    if (desk->place.at) g_sequence_remove(desk->place.at);
    desk->place.at = NULL;
}

void queue_place(struct desk *desk)
{
    if (!desk->place.queue) return;
    queue_leave(desk);
    if (waits_since(desk) != NEVER) put(desk->place.queue->resting, desk, may_at(desk));
}

static struct desk *first_of(const GSequence *desks)
{
    GSequenceIter *first = g_sequence_get_begin_iter((GSequence *)desks);
    return g_sequence_iter_is_end(first) ? NULL : g_sequence_get(first);
}

/* Those whose rest is over go to where it counts how long they wait. */
static void end_rests(struct queue *queue, int64_t now_us)
{
    for (struct desk *desk; (desk = first_of(queue->resting)) && desk->place.key_us <= now_us;) {
        queue_leave(desk);
        put(queue->ready, desk, waits_since(desk));
    }
}

struct desk *queue_first(struct queue *queue, int64_t now_us)
{
    end_rests(queue, now_us);
    return first_of(queue->ready);
}

int64_t queue_next_us(const struct queue *queue)
{
    const struct desk *ready = first_of(queue->ready), *resting = first_of(queue->resting);
    return ready ? may_at(ready) : resting ? resting->place.key_us : NEVER;
}

bool queue_is_waited_in(const struct queue *queue, int64_t now_us)
{
    GSequenceIter *at = g_sequence_get_begin_iter(queue->resting);
    bool found = first_of(queue->ready) != NULL;
    for (; !found && !g_sequence_iter_is_end(at); at = g_sequence_iter_next(at))
        found = waits_since(g_sequence_get(at)) <= now_us;
    return found;
}
