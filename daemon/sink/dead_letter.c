/* A rejected record as it goes to the dead-letter topic: itself, with headers that say where it was and why. Pure. */
#include "daemon/sink/dead_letter.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    DEAD_LETTER_HEADERS = 6,
    NUMBER_BYTES = 24
};

static struct span number(struct arena *arena, int64_t value)
{
    char text[NUMBER_BYTES];
    snprintf(text, sizeof text, "%" PRId64, value);
    return arena_copy(arena, span_of(text));
}

struct outgoing dead_letter_build(struct span topic, const struct record *record, const struct rejection *rejection,
                                  struct arena *arena, void *tag)
{
    const struct header own[DEAD_LETTER_HEADERS] = {
        { SPAN("__connect.errors.topic"), record->topic },
        { SPAN("__connect.errors.partition"), number(arena, record->partition) },
        { SPAN("__connect.errors.offset"), number(arena, record->offset) },
        { SPAN("__connect.errors.stage"),
          reason_is_unreadable(rejection->reason) ? SPAN("VALUE_CONVERTER") : SPAN("TRANSFORMATION") },
        { SPAN("__connect.errors.exception.class.name"), span_of(reason_names[rejection->reason]) },
        { SPAN("__connect.errors.exception.message"), arena_copy(arena, span_of(rejection->message)) },
    };
    struct header *headers = arena_alloc(arena, (record->n_headers + DEAD_LETTER_HEADERS) * sizeof *headers);
    if (record->n_headers) memcpy(headers, record->headers, record->n_headers * sizeof *headers);
    memcpy(headers + record->n_headers, own, sizeof own);
    return (struct outgoing){
        .topic = topic,
        .key = record->key,
        .value = record->value,
        .headers = headers,
        .n_headers = record->n_headers + DEAD_LETTER_HEADERS,
        .tag = tag,
    };
}
