/* The boards of some tenants, following commits as the publisher's do, without publishing. */
#pragma once

#include "daemon/report/board.h"
#include "daemon/run/engine.h"

struct followed {
    struct span tenant;
    struct names names;
    struct board *board;
};

struct following {
    struct engine *engine;
    struct followed **at; /* boards point to their names: each stays where it is */
    size_t n;
    size_t rendered, bytes; /* documents and their bytes so far; may be set back */
};

/* Loads the tenant's board as it stands in the state. */
struct followed *following_load(struct following *following, struct state *state, struct span tenant);
struct followed *following_of(const struct following *following, struct span tenant); /* NULL: not loaded */
void following_add(struct followed *followed, const struct committed *committed);
void following_render(struct following *following, struct followed *followed); /* what is touched; taken as sent */
