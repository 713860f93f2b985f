/* One tenant as a worker has it in memory: its version, names, positions, and the entities and cells it has read. All of it
 * is a copy of what stands under the tenant's keys at that version; in doubt it is dropped and read again. One that nothing
 * came for rests: what is left of it is what the clock and others need to know, some 1.4 KB. */
#pragma once

#include "common/siphash.h"
#include "daemon/counters/cell.h"
#include "daemon/entity/entity.h"
#include "daemon/facts/facts.h"
#include "daemon/state/state.h"
#include "daemon/tenant/generations.h"
#include "daemon/tenant/page.h"
#include "daemon/tenant/stored_cell.h"

struct batch;

/* How far the tenant's events of a source partition are in its numbers. */
struct tenant_position {
    struct span partition; /* "topic:number" */
    int64_t next;          /* offset behind the last one counted */
    uint64_t life;         /* of the partition; of another life the position says nothing */
    int64_t confirmed;     /* as far as it was committed or read, also before the tenant was dropped */
    int64_t passed;        /* the first event passed over while the tenant was held or unheard; INT64_MAX: none */
    bool changed;
};

/* How far the tenant is with letting closed entities go (retirement.h). Local days. */
struct retirement {
    int64_t after_days; /* the rule by which it is planned; 0: nobody leaves */
    int32_t since;      /* from this day on the day is noted on which an entity is touched */
    int32_t next;       /* when to go through the pages again */
    bool under_way;
    enum kind kind; /* under way: the next page to look at … */
    uint32_t page;
    int32_t begun, earliest; /* … since when, and the first day on which one of those looked at may leave */
};

struct tenant {
    /* What it holds beside pages, cells and rosters (and their places in its tables); of no bytes: nothing that could be
     * forgotten. */
    struct cached cached;
    struct span name;
    const struct rules *rules;
    struct cache *cache;
    bool loaded;
    bool resting;           /* was loaded, and its numbers and flags still stand here: its names and all that is cached do not */
    bool held;              /* counted by other rules: nothing may be committed before a rebuild */
    struct span terms;      /* what it was counted by, in words (terms.h) */
    struct span undeclared; /* a custom attribute it was counted by, that its rules no longer declare; empty: none */
    struct generations generations;
    const struct kept *kept; /* the last of them: what is counted now */
    int64_t rebuilt;         /* version at which it was last counted anew by `rebuild`; 0 */
    bool listed;             /* stands in crm:tenants */
    bool set_back;           /* read again, a position stood lower than it was confirmed before */
    bool awaited;            /* dropped while it was at work: to be read again, also without an event */
    bool unheard;            /* a dead letter of it was not taken: what came with it waits */
    bool perhaps;            /* a commit of it took place, or will, or not: its answer never came, or it was another instance's */
    int64_t version;         /* 0: does not exist yet */
    int64_t told_held;       /* of which version it was said that it is held; 0 */
    int64_t clock_us;        /* of the last commit; never goes back */
    int32_t today;           /* local day of that clock */
    int32_t busy_day;        /* the last local day of its clock with events; NO_DAY */
    int64_t next_timer_us;   /* earliest entity timer; NEVER */
    bool timers_known;       /* next_timer_us is what stands in the state */
    struct hash_key secret;
    struct names names;
    uint32_t names_stored; /* numbers below are stored */
    name_id known[N_KNOWN_NAMES];
    struct tenant_position *positions;
    size_t n_positions;
    struct {
        uint64_t entities, bytes, pages; /* stored: how many, of how many bytes, spread over how many pages */
        uint64_t retired;                /* of how many there is but a mark */
    } kind[N_ENTITY_KINDS];
    int32_t days_from; /* cells of days before this one stand in their months only (folding.h); a month's first day */
    struct retirement retirement;
    uint64_t retired_weight;   /* of all that those who left have said (counters/weight.h) */
    uint64_t graves;           /* contacts that stand under the hash of their id */
    struct map months;         /* of "yyyy-mm" numbers that have cells */
    struct arena months_arena; /* of their texts, and of the terms */
    struct batch *batch;       /* of the round being collected; NULL */
    uint64_t batches;          /* begun: each has a number */
    struct cell_table cells;
    struct map rosters; /* struct bucket -> struct roster */
    struct page_table pages[N_ENTITY_KINDS];
};

/* What all tenants of a worker share. */
struct tenant_settings {
    const char *prefix;
    const struct kept *needed; /* by the catalogue, of any tenant */
    uint32_t max_events;
    struct hash_key (*fresh_secret)(void); /* for a tenant seen first */
};

/* The key of the hash that the cells of the bucket stand in; in the arena. */
struct span key_bucket(struct arena *arena, const char *prefix, struct span tenant, struct bucket bucket);

struct tenant *tenant_create(struct span name, const struct rules *rules, struct cache *cache);
void tenant_destroy(struct tenant *tenant);
void tenant_drop(struct tenant *tenant); /* forgets all but its name: to be read again */

/* It was used, and its bytes may be others than they were. */
void tenant_count_bytes(struct tenant *tenant);

/* Is it as it stood at its version, though part of it may have to be read again? */
static inline bool tenant_is_known(const struct tenant *tenant)
{
    return tenant->loaded || tenant->resting;
}

/* Reading: fields of its state hash, all of its names, its months, its earliest timer. False: malformed, `error` says what. */
bool tenant_restore(struct tenant *tenant, const struct tenant_settings *settings, const struct hash_read *state,
                    const struct hash_read *names, const struct hash_read *months, struct error *error) MUST_USE;

/* What the tenant's numbers are made by beside what is kept: format, fact rules, settings. */
uint64_t tenant_counted_by(const struct tenant *tenant);

/* What is needed (kept_of) is counted from now on. Called by tenant_restore; else of a tenant that nothing was counted of yet. */
void tenant_cover(struct tenant *tenant, const struct kept *needed);

/* By what the entity was counted; NULL: the tenant is not as it was when that was read. */
static inline const struct generation *tenant_generation(const struct tenant *tenant, const struct entity *entity)
{
    return entity->generation < tenant->generations.n ? &tenant->generations.at[entity->generation] : NULL;
}

/* The clock at which an entity was counted: everything before its wake-up had come, nothing from there on. */
static inline int64_t counted_clock_us(const struct entity *entity)
{
    return entity->wake_us == NEVER ? INT64_MAX - 1 : entity->wake_us - 1;
}

/* What its entities say is told by these rules, at this clock. */
static inline struct facts_context tenant_facts_context(struct tenant *tenant, const struct generation *by, struct arena *arena,
                                                        int64_t clock_us)
{
    return (struct facts_context){ .arena = arena,
                                   .scratch = arena,
                                   .names = &tenant->names,
                                   .known = tenant->known,
                                   .rules = by->rules,
                                   .kept = &by->kept,
                                   .clock_us = clock_us };
}

/* Of how many entities, of all kinds, there is but a mark. */
uint64_t tenant_retired(const struct tenant *tenant);

struct tenant_position *tenant_position(struct tenant *tenant, struct span partition); /* made if need be: next 0, life 0 */

/* A page in memory; NULL: it is not. Added: empty, as one that is not stored is. */
struct page *tenant_page(const struct tenant *tenant, enum kind kind, uint32_t number);
struct page *tenant_page_add(struct tenant *tenant, enum kind kind, uint32_t number);

/* A cell in memory; NULL: it is not. Added: as one that is not stored is. `hash`: cell_hash of bucket and key. */
struct stored_cell *tenant_cell(const struct tenant *tenant, struct bucket bucket, const struct cell_key *key, uint32_t hash);
struct stored_cell *tenant_cell_add(struct tenant *tenant, struct bucket bucket, const struct cell_key *key, uint32_t hash);
void tenant_cell_resized(struct stored_cell *cell); /* after its value changed */
