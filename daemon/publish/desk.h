/* A tenant at the publisher: its reports in memory, as of one version, and how far they are published. */
#pragma once

#include "daemon/alert/assess.h"
#include "daemon/alert/outbox.h"
#include "daemon/publish/publisher.h"
#include "daemon/publish/queue.h"
#include "daemon/report/document.h"

struct desk_report {
    int64_t version;   /* of the document in Redis; 0: none yet, or not looked at */
    int64_t sent;      /* newest version produced to the topic */
    bool send_again;   /* the topic lacks what stands in Redis */
    bool overtaken;    /* the topic has a newer one than Redis, which was set back: a still newer one is due */
    uint64_t noted_by; /* of the publisher: by which of its notes of what the topic acknowledged */
};

/* The single numbers of a period as they were written last: metric, value, metric, value … (buffer_text). */
struct desk_numbers {
    int64_t version; /* 0: not known */
    struct buffer texts;
};

/* A tenant's alerts at the publisher. */
struct desk_alerts {
    const struct alert_rule **watched; /* the rules that apply to it */
    size_t n_watched;
    struct alert_book book;
    struct alert_outbox outbox[N_ALERT_WAYS];
    int64_t looked_us;               /* monotonic: when somebody looked whether others have changed them (alert_look.c) */
    bool known;                      /* book and outboxes are what stands in Redis */
    bool all;                        /* every rule is to be looked at */
    int64_t due_us;                  /* monotonic: when a row's time is up, or something is to be done again; NEVER */
    int64_t behind, behind_since_us; /* the tenant has this version, which was not here yet at that (monotonic) time; 0 */
    /* alert_recall.c: */
    struct alert_book told; /* rows that stood raised when last seen, and do no more: others cleared them, or Redis forgot them */
    struct alert_book older; /* rows that stand raised as they did before something that was seen since */
    int64_t newest;    /* version of them that was ever read or written: later ones are above, also when Redis is set back */
    bool set_back;     /* Redis lost something: what stands is to be told again … */
    int64_t recall_us; /* … at that (monotonic) time; NEVER */
    bool recalls;      /* now: the book says what is to be told again */
};

struct desk {
    struct span tenant;
    const struct rules *rules;
    struct names names;
    struct board *board; /* NULL: it was not loaded yet */
    bool loaded;         /* the board stands at `version` */
    bool compared;       /* what stands in Redis was looked at, and is what the board takes for sent */
    bool refused;        /* somebody else published this or a newer version: look later whether it came to the topic */
    bool returned;       /* something moved, and a report is what was sent last again */
    bool doubted;        /* Redis lost something: the topic may have a newer document than it, with other numbers */
    bool unsure;         /* while that is found out: something else stands there, and cannot be replaced yet */
    bool dirty;
    int64_t version, clock_us;
    int64_t newest;                       /* version that was read or told of last, whether the board follows or not */
    struct hash_key secret;               /* of the tenant: one that was created anew has another */
    int64_t waiting_since_us, next_at_us; /* monotonic */
    struct queue_place place;
    size_t bytes;                 /* of memory, as last counted (desk_bytes) … */
    size_t uncounted;             /* … and how often it may have grown since */
    struct desk_report *reports;  /* as in the catalogue */
    struct desk_numbers *numbers; /* as the periods in the settings */
    size_t n_numbers;
    bool numbers_elsewhere;    /* somebody else wrote some: all are to be written */
    struct buffer traceparent; /* of the last event since it was last published; empty: none */
    struct desk_alerts alerts;
};

struct desk *desk_create(const struct engine *engine, struct span tenant);

/* Something waits to be published from now on, or has been waiting. */
void desk_mark_dirty(struct desk *desk, int64_t now_us);

/* From now on these rules hold (NULL: none); they must stay until others do. The tenant is to be looked at again. */
void desk_watch(struct desk *desk, const struct alert_rules *rules, int64_t now_us);
void desk_destroy(struct desk *desk);

/* A commit took place: follows it, or, when it does not continue what the desk has, is to be loaded again. */
void desk_follow(struct desk *desk, const struct committed *committed, int64_t now_us);

/* Gives back what the board holds: before it is rendered again it is to be loaded. What was sent stays known. */
void desk_rest(struct desk *desk);

/* Is all at hand that its reports are rendered from? */
bool desk_is_ready(const struct desk *desk);

/* About how much memory it holds. */
size_t desk_bytes(const struct desk *desk, const struct engine *engine);

/* Is anything still to be sent to the topic (its queue was full)? */
bool desk_lacks(const struct desk *desk, const struct engine *engine);

/* Redis may have lost something: what stands there is to be looked at, and what is published to be renewed. `surely`: it has. */
void desk_was_set_back(struct desk *desk, bool surely, int64_t now_us);

/* What was taken in is not known any more: everything is to be read again. */
void desk_doubt(struct desk *desk);

/* Reads what the board lacks, if the tenant still stands at the desk's version. False: load it. */
bool desk_catch_up(struct desk *desk, const struct engine *engine, struct state *state) MUST_USE;

/* Reads everything as it stands now. */
bool desk_load(struct desk *desk, const struct engine *engine, struct state *state, enum outcome *outcome,
               struct error *error) MUST_USE;
