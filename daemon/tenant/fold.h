/* A batch of one tenant's events on its way into the numbers: applied to their entities, facts compared before and after,
 * what is handed over delivered, until a commit can be written. Nothing here knows where the state lives. */
#pragma once

#include "daemon/tenant/ledger.h"
#include "daemon/tenant/loading.h"

/* One record of the batch. Batches are walked over several times and are larger than the processor's cache: what every walk
 * looks at stands first, and first in its event. */
struct entry {
    struct span partition; /* "topic:number" */
    int64_t offset;
    uint64_t life;      /* of the partition */
    enum reason reason; /* REASON_NONE: `event` is one; otherwise the record was rejected */
    bool skipped;       /* out: counted before, says the tenant's position … */
    uint32_t position;  /* … which is this one */
    uint64_t place;     /* the hash of its entity's id, by which pages are found */
    struct page *page;  /* that its entity stands on, once it was asked for … */
    struct work *work;  /* … and the entity at work */
    struct event event;
    enum reason refused; /* out: why the fold rejected it; REASON_NONE: it did not */
    const void *record;  /* the caller's: what to send as a dead letter when the fold rejects it */
};

/* A line of a list that comes, goes or becomes another one. */
struct list_change {
    enum list list;
    struct span id; /* "deal D-17" */
    bool was, is;   /* did, does it stand there? */
    struct list_line before, after;
};

/* An entity while its batch is folded; what walks look at stands first here as well. */
struct work {
    struct work *next; /* of the same hash */
    struct page *page;
    uint64_t place;            /* the hash by which the page was found */
    char last;                 /* of its id, which that hash leaves out */
    bool grave;                /* stands there under the hash of its id */
    bool retired, retires;     /* there is but its mark; it leaves with this commit */
    bool dirty, changed, rang; /* to be evaluated; evaluated before; its timer rang */
    bool widened;              /* what it refers to was asked for */
    bool heard;                /* something came for it: an event, or what another handed to it */
    struct span stored;        /* bytes on the page; .at NULL: it is not there */
    int64_t old_wake_us;       /* as stored */
    struct entity entity;
    struct statement before; /* as it was counted */
    struct statement said;   /* what it said last, and has handed over */
};

enum {
    RANKS = 5
};

struct work_queue {
    struct work **at;
    size_t n, room;
};

/* What became of an event that was taken. */
enum event_result {
    EVENT_COUNTED,
    EVENT_REPEATED,
    N_EVENT_RESULTS
};

struct batch {
    struct tenant *tenant;
    const struct tenant_settings *settings;
    struct arena *arena;     /* of the batch, until its commit is answered: what that points to */
    struct arena *working;   /* of what is needed to make it: entries and their texts, entities at work; may be the same */
    struct arena *scratch;   /* of its fold: what entities say, until the ledger knows it */
    struct loading *loading; /* for what is found out to be needed while folding */
    struct entry **entries;
    size_t n_entries, room_entries;
    const struct timer *timers; /* entities to be looked at again */
    size_t n_timers;
    int64_t now_us; /* the clock; the tenant's own never goes back behind it */
    bool begun, committed;
    struct page **raw_pages; /* changed by the caller himself: to be written, too */
    size_t n_raw_pages;
    bool retires;          /* goes through some pages, for entities that leave */
    bool reads_part;       /* of the tenant's partitions others are read by somebody else, who may be behind */
    bool moves_retirement; /* … and what came of it is to be committed */
    bool folds;            /* days become part of their months … */
    struct span *gone;     /* … and these keys go, in the arena */
    size_t n_gone;
    bool new_day; /* the local day changed: commit even without entries */
    bool widens;  /* out: more is counted from this commit on */

    uint64_t number; /* among the tenant's batches */
    struct work_queue all, queues[RANKS];
    struct work **works; /* the newest of each hash; `room_works` of them, a power of two */
    size_t room_works;
    struct ledger ledger;
    struct page_write *records;       /* what is to be written, the last one first */
    struct timer_write *timer_writes; /* own memory */
    size_t n_timer_writes, room_timer_writes;
    struct list_change *list_changes; /* own memory */
    size_t n_list_changes, room_list_changes;
    name_id first_name;     /* numbers of names from here on are new */
    struct commit commit;   /* made by batch_write */
    struct entry **refused; /* rejected by the fold: their dead letters go out before the commit */
    size_t n_refused;
    const struct entry *traced; /* the last one applied that has a traceparent; NULL */
    struct span traceparent;    /* its, in the arena; empty: none */
    size_t duplicates, applied, overflows, evaluations, n_retired;
    uint32_t results[N_KINDS][N_EVENT_RESULTS];
    enum outcome outcome; /* DONE so far; else the fold was cut short and `error` says why */
    struct error error;
};

void batch_add(struct batch *batch, struct entry *entry); /* before the first stage; the entry stays as long as the batch */

/* Stages, in this order; between them the caller runs the reading for all batches at once. */
void batch_begin(struct batch *batch); /* positions decide what is skipped; asks for entities named by events (ahead.c) */
void batch_widen(struct batch *batch); /* asks for what those refer to, and for the addresses of contacts */
/* Applies, evaluates, delivers, encodes; asks for cells, and for pages that will be split. */
void batch_fold(struct batch *batch);
bool batch_write(struct batch *batch); /* makes the commit; false: there is nothing to commit */
void batch_done(struct batch *batch);  /* the commit took place: memory follows */
void batch_deinit(struct batch *batch);

/* What was read does not fit together: it moved on between two reads (the commit would be refused), or it is damaged. */
void batch_doubt(struct batch *batch, const struct work *work, const char *what);

/* ---- inner, shared by ahead.c, cells.c, encode.c, fold.c, merge.c, retirement.c and write_pages.c ---- */
struct work *batch_work(struct batch *batch, enum kind kind, struct span id); /* never NULL; a failure is sticky in the batch */
void batch_touch(struct batch *batch, struct work *work);                     /* it changes: evaluate it again */
struct entity_context batch_entity_context(const struct batch *batch);
bool batch_is_folded(const struct batch *batch, const struct entry *entry); /* does its event change an entity? */

/* What the entity says differs in its lines of lists (listing.c). */
void batch_list(struct batch *batch, const struct work *work);

/* What changed becomes bytes. All of it before any is put on a page: what one hands on to another may still lie in the bytes of the
 * first (encode.c). */
void batch_encode(struct batch *batch, struct work *work, struct buffer *scratch);
/* As in page.h. */
void batch_put_record(struct batch *batch, const struct work *work, struct span id, struct span old, struct span bytes);
void batch_put_timer(struct batch *batch, struct span member, int64_t at_us); /* NEVER: no longer */

/* How many pages there will be is known once all is encoded: asks for those of the old that give to the new (write_pages.c). */
void batch_ask_for_pages(const struct batch *batch);

/* Finds the cells of the differences, and asks for those that are not in memory (cells.c). */
void batch_ask_for_cells(struct batch *batch);

/* An entity that stands on a page in memory, at work; looked at by what it was counted by. */
struct work *batch_work_on(struct batch *batch, struct page *page, uint64_t place, struct span id);
void batch_evaluate_before(struct batch *batch, struct work *work);
bool batch_has_work(const struct batch *batch, const struct page *page, struct span id);

/* A contact's merge link changed from `old` (NULL: none) to what it says now: cuts and heals circles. */
void batch_relink(struct batch *batch, struct work *contact, const struct entity_event *old);
