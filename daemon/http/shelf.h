/* The shelf: report documents at hand, so that a thousand readers cost Redis one question. A document is as good as Redis's own as
 * long as no hint has come since it was asked for; it is given out for five seconds at most. Who asks while it is being asked for
 * already waits for that answer. Used by one thread; knows no socket. */
#pragma once

#include "common/map.h"
#include "daemon/http/exchange.h"

enum {
    SHELF_REPORTS_MAX = 1024
};
#define SHELF_BYTES_MAX (64 * 1024 * 1024)

/* A document, shared by whoever is sending it. */
struct sheet {
    int users;
    char etag[ETAG_BYTES];
    size_t len;
    char text[];
};
void sheet_release(void *sheet); /* NULL is fine */

/* A zeroed shelf is an empty one. */
struct shelf {
    struct map reports; /* "tenant/report" -> struct shelved */
    size_t bytes;
    uint64_t news; /* hints and questions so far, to tell which came first */
};

enum shelf_says {
    SHELF_HAS,   /* `exchange` has its answer */
    SHELF_WAITS, /* it will get one, by a shelf_take of another */
    SHELF_ASK    /* ask Redis for it, then shelf_take */
};
enum shelf_says shelf_ask(struct shelf *shelf, struct exchange *exchange, int64_t now_us);

/* The answer to a question of SHELF_ASK: keeps a document, answers those that waited. Returns these, linked by `next`. */
struct exchange *shelf_take(struct shelf *shelf, struct exchange *exchange);

void shelf_hint(struct shelf *shelf, struct span tenant, struct span report);
void shelf_clear(struct shelf *shelf);  /* what is kept counts no more */
void shelf_deinit(struct shelf *shelf); /* nobody waits any more */
