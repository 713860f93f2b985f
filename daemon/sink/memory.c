/* A sink that keeps what it is given: for replay and tests. */
#include "daemon/sink/memory.h"

#include <stdlib.h>

struct memory_sink {
    struct sink sink;
    struct acknowledged acknowledged;
    struct arena arena;
    struct outgoing *records;
    size_t n, room;
    size_t acknowledged_n; /* records below are acknowledged */
    enum delivery delivery;
    size_t waiting_max;
};

static const struct memory_sink *of_const(const struct sink *sink)
{
    return (const struct memory_sink *)sink;
}
static struct memory_sink *of(struct sink *sink)
{
    return (struct memory_sink *)sink;
}

static struct span copy(struct memory_sink *memory, struct span text)
{
    return text.at ? (struct span){ arena_text(&memory->arena, text), text.len } : NO_SPAN;
}

static const struct header *copy_headers(struct memory_sink *memory, const struct header *headers, size_t n)
{
    struct header *copies = arena_alloc(&memory->arena, (n ? n : 1) * sizeof *copies);
    for (size_t i = 0; i < n; i++) copies[i] = (struct header){ copy(memory, headers[i].name), copy(memory, headers[i].value) };
    return copies;
}

static bool memory_produce(struct sink *sink, const struct outgoing *outgoing)
{
    struct memory_sink *memory = of(sink);
    if (memory->n - memory->acknowledged_n >= memory->waiting_max) return false;
    if (memory->n == memory->room) {
        memory->room = memory->room ? 2 * memory->room : 16;
        memory->records = must_realloc(memory->records, memory->room * sizeof *memory->records);
    }
    memory->records[memory->n++] = (struct outgoing){
        .topic = copy(memory, outgoing->topic),
        .key = copy(memory, outgoing->key),
        .value = copy(memory, outgoing->value),
        .headers = copy_headers(memory, outgoing->headers, outgoing->n_headers),
        .n_headers = outgoing->n_headers,
        .tag = outgoing->tag,
    };
    return true;
}

static void acknowledge_all(struct memory_sink *memory, enum delivery delivery)
{
    static const char *const why[] = { [DELIVERED] = "", [UNDELIVERED] = "not delivered", [UNDELIVERABLE] = "too large" };
    while (memory->acknowledged_n < memory->n) {
        void *tag = memory->records[memory->acknowledged_n++].tag;
        if (memory->acknowledged.call) memory->acknowledged.call(memory->acknowledged.context, tag, delivery, why[delivery]);
    }
}

static void memory_poll(struct sink *sink, int timeout_ms)
{
    (void)timeout_ms;
    acknowledge_all(of(sink), of(sink)->delivery);
}

static bool memory_flush(struct sink *sink, int timeout_ms)
{
    memory_poll(sink, timeout_ms);
    return true;
}

static void memory_destroy(struct sink *sink)
{
    struct memory_sink *memory = of(sink);
    acknowledge_all(memory, UNDELIVERED);
    arena_deinit(&memory->arena);
    free(memory->records);
    free(memory);
}

static const struct sink_ops ops = { memory_produce, memory_poll, memory_flush, memory_destroy };

struct sink *memory_sink_create(struct acknowledged acknowledged)
{
    struct memory_sink *memory = must_zalloc(sizeof *memory);
    memory->sink.ops = &ops;
    memory->acknowledged = acknowledged;
    memory->delivery = DELIVERED;
    memory->waiting_max = SIZE_MAX;
    return &memory->sink;
}

const struct outgoing *memory_sink_records(const struct sink *sink, size_t *n)
{
    *n = of_const(sink)->n;
    return of_const(sink)->records;
}

void memory_sink_behave(struct sink *sink, enum delivery delivery, size_t room)
{
    of(sink)->delivery = delivery;
    of(sink)->waiting_max = room;
}
