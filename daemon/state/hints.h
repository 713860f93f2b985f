/* Hints that a report, or how the alerts stand, has changed, as Redis's channels give them: crm:{acme}:reports and …:alerts. A
 * connection of its own. */
#pragma once

#include "daemon/state/redis.h"

struct hints;

struct hint {
    struct span tenant;
    struct span report; /* empty: the alerts. Both valid until the next call */
    int64_t version;
};

enum hints_news {
    HINTS_NONE,  /* nothing within the time */
    HINTS_ONE,   /* `hint` is filled */
    HINTS_BEGIN, /* subscribed (again): what was hinted at before is not known */
    HINTS_LOST   /* the connection is gone: `error` says why */
};

struct hints *hints_create(const struct redis_settings *settings, const char *prefix); /* copies; not connected yet */
void hints_destroy(struct hints *hints);

/* The next piece of news; connects first where that is needed (at most connect_timeout_ms). Waits at most so long. */
enum hints_news hints_next(struct hints *hints, int wait_ms, struct hint *hint, struct error *error) MUST_USE;
