/* What a commit changes beside strings: its writes and timers as commands, each for one key and of a bounded number of items. */
#pragma once

#include "daemon/state/connection.h"

/* Numbered as in commit.lua. */
enum step_command {
    STEP_HSET = 1,
    STEP_HDEL,
    STEP_ZADD,
    STEP_ZREM
};

struct step {
    struct span key;
    size_t from; /* index of its first write or timer; those that are not of its command are skipped */
    enum step_command command;
    uint8_t n_items;
};

struct steps {
    struct step *at;
    size_t n, room;
};

/* Those of one key are neighbours; timers come last. */
void steps_plan(struct steps *steps, const struct commit *commit);
void steps_deinit(struct steps *steps);

extern const struct span step_names[];          /* by command */
size_t step_arguments(const struct step *step); /* behind the key; fewer than 256 */
void step_write(struct connection *connection, const struct commit *commit, const struct step *step);
