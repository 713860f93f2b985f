/* What Redis says when it refuses, in words that name the cause. */
#pragma once

#include "common/span.h"

#include <stdbool.h>

struct refusal {
    const char *code; /* in the server's error, most often its first word; the last row's is empty */
    const char *says; /* "is out of memory (maxmemory)" */
    bool leave;       /* another connection may meet another server, or be let in again */
};

/* The row of an error's text, also where a script's error carries it inside. Never NULL. */
const struct refusal *refusal_find(struct span text);
