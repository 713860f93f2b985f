/* Answers as hiredis parses them, each in one piece of memory and given back as one: a hash that is read whole has thousands of
 * parts, and hiredis by itself allocates each of them twice. */
#pragma once

#include "common/arena.h"

#include <hiredis/hiredis.h>

/* Where the answers of one connection lie. A zeroed one is empty. Has to stay where it is while it is used. */
struct replies {
    struct arena arena;
    size_t n_taken; /* answers not given back yet; at 0 the memory is used again */
};

/* What the reader parses from now on lies here; each answer is given back with reply_free, nothing else frees it. */
void replies_use(struct replies *replies, redisReader *reader);
void replies_deinit(struct replies *replies);

/* Of a whole answer, not of a part. NULL: nothing happens. */
void reply_free(redisReply *reply);
