/* The goals of a tenant: what each wants, and a tally of its metric in its period, for its owner, team, pipeline and source. */
#pragma once

#include "daemon/report/tally.h"

/* What a goal can be narrowed to: owner, team, pipeline, source. */
enum {
    GOAL_CONDITIONS = 4
};
extern const enum dimension goal_condition_dims[GOAL_CONDITIONS];

struct goal {
    name_id id, currency;
    int64_t count;               /* 0: it was, but is no more (or came before what it replaces was taken back) */
    const struct metric *metric; /* NULL: the catalogue has none of that name that goals can be set on */
    struct period period;
    struct rational target; /* null: none */
    struct tally *tally;    /* of the metric; NULL without one */
    const name_id *dims;    /* of its cell */
    struct goal *next_of_id;
};

struct goals {
    const struct catalogue *catalogue;
    struct tally_spec spec;     /* rules, names, today */
    const struct period *begin; /* only goals whose period begins in one of these have a tally */
    size_t n_begin;
    struct arena *arena;
    struct map by_cell;  /* the cell's dimensions -> struct goal */
    struct map by_id;    /* number of the id's name -> the newest of them, older ones behind it */
    struct map by_terms; /* metric, period, owner, team, pipeline, source -> struct tally: goals that want the same share it */
    struct tally **tallies;
    const struct metric **metrics; /* what each of them is of */
    size_t n_tallies;
    struct goal_group *groups; /* goals that differ in whose they are alone: may be NULL */
};

/* All that is pointed to must stay. `spec`: of it rules, names and today are used. */
void goals_init(struct goals *goals, const struct catalogue *catalogue, const struct tally_spec *spec, const struct period *begin,
                size_t n_begin, struct arena *arena);
void goals_deinit(struct goals *goals); /* its tallies, too */

/* Takes a cell of FACT_GOAL, or a difference of one. There may then be a tally more, whose cells have to be read. */
void goals_take(struct goals *goals, const struct cell_key *key, int64_t count);

/* Adds a cell, or a difference of one, to those of the first `n` tallies that take it: they are found by what they go by.
 * `period`: as of tally_add. True: there was one. */
bool goals_add(struct goals *goals, size_t n, const struct period *period, const struct cell_key *key,
               const struct cell_value *value);

/* Reads all of them, as they stand. False: cells could not be read. */
bool goals_read(struct goals *goals, const struct cell_reader *reader, struct error *error) MUST_USE;

/* What the goals with a tally are set on, after `first`; in the arena. */
const struct metric **goals_metrics(const struct goals *goals, const struct metric *first, size_t *n);

const struct goal *goals_find(const struct goals *goals, name_id id); /* NULL: no such */

/* The period of the goal's cell. False: it is none. */
bool goal_period(const struct rules *rules, const struct names *names, const struct cell_key *key, struct period *period);
