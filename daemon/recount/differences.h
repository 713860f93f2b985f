/* Holds what stands in Redis against what the topics and the stored entities say, and names every number that differs. */
#pragma once

#include "daemon/recount/census.h"

struct comparison {
    const struct rules *rules;
    const struct names *names;     /* of all of them: those of Redis, and behind them what the topics added */
    const struct census *redis;    /* its cells, and its entities */
    const struct census *entities; /* the cells that its entities say */
    const struct census *topics;   /* cells and entities; NULL: they are not compared with */
    bool by_topics;                /* only its entities against the topics: that Redis has what they say has been looked at */
    const struct census *due;      /* what timers are about to change: the topics' cells are ahead by it */
    const char *entities_name;     /* what `entities` is called; NULL: "its entities" */
    bool without_cells;            /* some of its entities have left: see balance.h */
    bool without_intake;           /* … and what was rejected since then is no difference */
    bool is_folded;                /* days before this one are not compared: they stand in their months only */
    int32_t days_from;
    bool with_lines;  /* the lists of reports, too */
    bool with_graves; /* there are deleted contacts: whose ids, in the list of unknown references, nobody knows */
    void (*tell)(void *context, const char *line); /* each difference, in order */
    void *context;
};

/* Returns how many there are; the first `most` are told. */
size_t differences_find(const struct comparison *comparison, size_t most);
