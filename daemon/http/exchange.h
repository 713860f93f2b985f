/* One request and its answer, free of the library that carries them: what routes read and write. */
#pragma once

#include "common/arena.h"
#include "common/buffer.h"
#include "daemon/http/tokens.h"

enum method {
    METHOD_GET = 1,
    METHOD_HEAD = 2,
    METHOD_POST = 4
};

enum {
    ARGUMENTS_MAX = 8,
    BODY_BYTES_MAX = 64 * 1024,
    ETAG_BYTES = 40
};

struct answer {
    unsigned status; /* 0: none yet */
    const char *content_type;
    struct buffer text;    /* its body, or … */
    struct sheet *sheet;   /* owns these; NULL: somebody else does */
    struct span fixed;     /* … bytes that outlive everything */
    char etag[ETAG_BYTES]; /* empty: none */
    const char *allow;     /* of 405 */
    const char *file_name; /* for a browser that saves it; NULL: it is to be shown */
    unsigned retry_after_s;
    bool challenge; /* of 401 */
    bool by_script; /* who asks is no browser's dialog: it is not to ask for a password */
    bool stream;    /* the beginning of a stream of updates: `text` and what follows */
};

struct route;

struct exchange {
    struct arena arena;
    const struct route *route;
    enum method method;
    struct span path, tenant, report, file;
    struct {
        struct span name, value;
    } arguments[ARGUMENTS_MAX];
    size_t n_arguments;
    bool too_many_arguments;
    struct span host, authorization, site, requested_with, if_none_match, last_event_id; /* headers; .at NULL: not given */
    struct scope scope; /* what its token opens; of the exchange's own memory */
    struct buffer body;
    size_t body_seen; /* bytes, also of one that is too large */
    struct answer answer;
    struct exchange *next; /* in a queue */
    void *carrier;         /* whoever waits for the answer */
};

void exchange_init(struct exchange *exchange);
void exchange_deinit(struct exchange *exchange);

/* Of the query string; .at NULL: not given. */
struct span exchange_argument(const struct exchange *exchange, const char *name);

/* Does If-None-Match name this entity tag (or any)? */
bool exchange_matches(const struct exchange *exchange, const char *etag);

/* Answers with an error as application/problem+json: {"title":…,"status":…,"code":…,"detail":…}. Replaces what was answered. */
void answer_problem(struct exchange *exchange, unsigned status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Answers with a document: what is appended to the buffer returned is its body. */
struct buffer *answer_with(struct exchange *exchange, const char *content_type);

extern const char type_json[], type_csv[];
