/* Whose turn at the publisher is next, among however many. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct desk;

struct queue {
    GSequence *ready;   /* desks that wait and may have their turn: who waits longest is first */
    GSequence *resting; /* desks that will: who may soonest is first */
};

/* A desk's place in it. */
struct queue_place {
    struct queue *queue; /* NULL: in none, ever */
    GSequenceIter *at;   /* NULL: it waits for nothing, or has its turn now */
    int64_t key_us;      /* what it is sorted by there; monotonic, as all here */
};

void queue_init(struct queue *queue);   /* first of all: a zeroed one is none */
void queue_deinit(struct queue *queue); /* all have left */

/* Puts a desk where its times say (dirty, waiting_since_us, next_at_us, alerts.due_us): to be called when one of them changed. */
void queue_place(struct desk *desk);
void queue_leave(struct desk *desk);

/* Who waits longest of those that may have their turn now; NULL: nobody. It stays there until it leaves. */
struct desk *queue_first(struct queue *queue, int64_t now_us);

/* When the next one may, at the earliest; NEVER. */
int64_t queue_next_us(const struct queue *queue);

/* Does anybody wait, be it that he may not have his turn yet? */
bool queue_is_waited_in(const struct queue *queue, int64_t now_us);
