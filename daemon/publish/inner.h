/* A publisher's insides, shared by the files of this folder. */
#pragma once

#include "daemon/publish/desk.h"
#include "daemon/sink/sink.h"
#include "daemon/state/published.h"
#include "daemon/webhook/webhook.h"

#include <pthread.h>
#include <stdatomic.h>

struct publisher {
    struct engine *engine;
    struct state *state;
    uint64_t history; /* who answered behind the last connection; 0: there was none */
    struct sink *sink;
    pthread_t thread;
    pthread_mutex_t lock; /* of the inbox */
    pthread_cond_t filled;
    struct committed **inbox;
    size_t n_inbox, room_inbox, inbox_bytes;
    atomic_bool flooded;             /* so much comes that documents are old before they are written */
    int64_t flood_turn_us;           /* how long commits must say otherwise */
    int64_t taken_us;                /* monotonic: when something came last */
    int64_t turning_since_us;        /* monotonic: since when commits say otherwise; NEVER: they do not */
    struct alert_rules *fresh_rules; /* also behind the lock: to be taken over */
    bool has_fresh_rules;
    bool started;
    atomic_bool stop, ending;
    bool draining; /* the thread has ended: what waits is published, however young its documents are */
    /* the thread's own: */
    struct map desks; /* tenant -> struct desk */
    struct queue queue;
    struct map sleepers; /* tenant -> struct sleeper: desks that had to go … */
    int64_t wake_us;     /* … and before when (monotonic) none of them is to be woken */
    struct alert_rules *rules;
    struct webhooks *webhooks;         /* NULL: nothing was posted yet */
    struct map underway[N_ALERT_WAYS]; /* alerts that set out and did not come back yet, whether their desk is there or not */
    struct arena arena;
    int64_t retry_at_us;
    int64_t rest_until_us;                 /* while flooded */
    int64_t clock_off_us, clock_looked_us; /* how far the clock is off Redis's, and when (monotonic) that was looked at */
    size_t unacknowledged;
    size_t bytes;                 /* of all desks, as each was counted last */
    struct report_tag *delivered; /* acknowledged by the topic and not noted yet (topic.c) */
    size_t n_delivered;
    uint64_t notes;     /* how often such were noted */
    int64_t note_at_us; /* monotonic: while there are turns, not before */
    struct log_cause cause;
    struct log_cause unsent_reports, unsent_alerts, alerts_bounded; /* each a thing that can fail */
    struct publisher_counts counts;
    int64_t look_at_us, look_alerts_us; /* monotonic: when sight.c, alert_look.c look next */
    pthread_mutex_t sight_lock;
    struct publisher_sight sight; /* under its lock */
};

int64_t publisher_monotonic(void);                                       /* microseconds */
void publisher_renew_sight(struct publisher *publisher, int64_t now_us); /* sight.c */

/* A publisher without state, sink and thread: the caller puts them in (publisher_start; a simulation has turns, no thread). */
struct publisher *publisher_create(struct engine *engine);

/* What the thread does again and again: takes what is in the inbox (waits for something until this monotonic instant), then
 * publishes the tenant that has waited longest, or polls the sink. */
void publisher_turn(struct publisher *publisher, int64_t until_us);

struct desk *publisher_desk(struct publisher *publisher, struct span tenant);        /* made if need be */
bool publisher_connected(struct publisher *publisher, struct error *error) MUST_USE; /* connects if need be */

/* publish_desk.c: brings Redis and the topic up to date with a tenant. False: see outcome. */

/* The single numbers of a period. */
struct turn_numbers {
    struct publication_number *at;
    size_t n;
};

/* A tenant's turn (publish_desk.c). Between its two halves the caller puts what it publishes into Redis, together with that of other
 * tenants. All of it is in the publisher's arena. False: see outcome; the turn is over. */
struct turn {
    struct desk *desk;
    int64_t began_us;
    bool loaded;               /* anew, all of it */
    struct span *standing;     /* the documents that stand in Redis, report by report; NULL: they are known */
    struct rendered *rendered; /* the reports that changed */
    size_t n_rendered;
    size_t bytes;                   /* of their documents */
    struct publication publication; /* of no reports and no periods: nothing is to be stored */
    struct turn_numbers *numbers;   /* all of them, of each of its periods */
};
bool turn_begin(struct publisher *publisher, struct turn *turn, enum outcome *outcome, struct error *error) MUST_USE;
bool turn_end(struct publisher *publisher, struct turn *turn, enum outcome *outcome, struct error *error) MUST_USE;

/* numbers.c: puts single numbers into the turn's publication, those that changed since they were written last or all; once it is
 * stored, keeps what was written. */
void numbers_collect(struct publisher *publisher, struct turn *turn, bool all);
void numbers_stored(const struct turn *turn);

/* alerts.c: judges the tenant's rules, commits what changes, sends what is not acknowledged. False: see outcome. */
bool publish_alerts(struct publisher *publisher, struct desk *desk, enum outcome *outcome, struct error *error) MUST_USE;

/* alert_send.c: sends what is not acknowledged, to the topic and to webhooks, and notes what is. */
void send_alerts(struct publisher *publisher, struct desk *desk);
enum {
    ALERT_AGAIN_US = 500 * 1000 /* until what could not be done is tried again */
};

/* alert_recall.c: after Redis lost something, what stands is told again. In the order in which a commit calls them. */
void recall_letters(struct desk *desk, const struct span *unsent, size_t n); /* these are to be sent; what became of others? */
void recall_load(struct desk *desk, const struct span *rows, size_t n);      /* the book as it stands; was there more in it? */
void recall_look(struct desk *desk);                                         /* is that to be done, and when? */
void recall_begin(struct desk *desk);                                        /* the book says what is to be told, if it is time */
void recall_took(struct desk *desk, const struct alert_changes *changes);    /* they are committed */
void recall_wait(struct desk *desk); /* Redis has nothing of the tenant: others may count it anew, it is read again later */

/* alert_look.c: have others changed a tenant's alerts? About one tenant a second. */
void look_at_alerts(struct publisher *publisher, int64_t now_us);

/* The tenant stands at this version. Is the desk to be read again because others went on without it? */
void note_behind(struct desk *desk, int64_t tenant_now);
bool alerts_left_behind(struct desk *desk);

/* sleep.c: tenants whose desk had to go, to be woken when their time has come. */
void sleepers_put(struct publisher *publisher, const struct desk *desk);
void sleepers_take(struct publisher *publisher, struct desk *desk);    /* back, with what it knew; if it slept */
void sleepers_were_set_back(struct publisher *publisher, bool surely); /* see desk_was_set_back */
void sleepers_wake(struct publisher *publisher, int64_t now_us);       /* INT64_MAX: all */
void sleepers_deinit(struct publisher *publisher);

/* What goes with a record to the topic and comes back with its acknowledgement; the first member of the tag of a kind. */
struct sent_tag {
    /* Whoever sent it; takes ownership of the tag. */
    void (*acknowledged)(struct publisher *publisher, struct sent_tag *tag, enum delivery delivery);
    const char *what;        /* "report_not_sent": the event in the log … */
    struct log_cause *cause; /* … and what it repeats */
};
bool topic_produce(struct publisher *publisher, const char *topic, struct span key, struct span value, struct sent_tag *tag);

/* topic.c: what stands behind the snapshot in a record's data. */
struct changes {
    int64_t since; /* 0: null */
    struct span list;
    bool truncated;
    struct span traceparent; /* of the event that caused it, as far as known; empty */
};
void topic_send(struct publisher *publisher, struct desk *desk, size_t report, int64_t version, struct span document,
                const struct changes *changes);
void topic_acknowledged(void *publisher, void *tag, enum delivery delivery, const char *why);

/* Notes in Redis what the topic has acknowledged, of each report the newest, all in one round trip. To be called soon: until it is
 * noted nobody knows that a record lies over a newer one. */
void topic_note_delivered(struct publisher *publisher);
void topic_forget_delivered(struct publisher *publisher); /* the publisher ends: whoever comes next sends them again */
