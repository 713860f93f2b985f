#include "tests/bench/stages.h"

#include "daemon/intake/decode.h"
#include "daemon/state/commit.h"
#include "daemon/tenant/writer.h"

/* ---- functions ---- */

static bool decodes_twice;

void stages_slow_down(void)
{
    decodes_twice = true;
}

#define TIMED(where, type, name, parameters, arguments)                                                                          \
    type __real_##name parameters;                                                                                               \
    type __wrap_##name parameters;                                                                                               \
    type __wrap_##name parameters                                                                                                \
    {                                                                                                                            \
        enum stage before = stage_enter(where);                                                                                  \
        type result = __real_##name arguments;                                                                                   \
        stage_leave(before);                                                                                                     \
        return result;                                                                                                           \
    }

#define TIMED_VOID(where, name, parameters, arguments)                                                                           \
    void __real_##name parameters;                                                                                               \
    void __wrap_##name parameters;                                                                                               \
    void __wrap_##name parameters                                                                                                \
    {                                                                                                                            \
        enum stage before = stage_enter(where);                                                                                  \
        __real_##name arguments;                                                                                                 \
        stage_leave(before);                                                                                                     \
    }

bool __real_decode(const struct decode_settings *settings, const struct record *record, struct arena *arena, struct event *event,
                   struct rejection *rejection);
bool __wrap_decode(const struct decode_settings *settings, const struct record *record, struct arena *arena, struct event *event,
                   struct rejection *rejection);
bool __wrap_decode(const struct decode_settings *settings, const struct record *record, struct arena *arena, struct event *event,
                   struct rejection *rejection)
{
    enum stage before = stage_enter(STAGE_DECODE);
    if (decodes_twice) (void)__real_decode(settings, record, arena, event, rejection);
    bool result = __real_decode(settings, record, arena, event, rejection);
    stage_leave(before);
    return result;
}

TIMED_VOID(STAGE_LOOK_UP, batch_begin, (struct batch * batch), (batch))
TIMED_VOID(STAGE_LOOK_UP, batch_widen, (struct batch * batch), (batch))
TIMED(STAGE_LOOK_UP, struct span, page_find, (const struct page *page, struct span id), (page, id))
TIMED(STAGE_LOOK_UP, bool, loading_run,
      (struct loading * loading, const struct tenant_settings *settings, enum outcome *outcome, struct error *error),
      (loading, settings, outcome, error))
TIMED(STAGE_ENTITY, bool, entity_decode,
      (struct entity * entity, struct span bytes, struct arena *arena, const struct names *names), (entity, bytes, arena, names))
TIMED_VOID(STAGE_FOLD, batch_fold, (struct batch * batch), (batch))
TIMED(STAGE_FOLD, enum applied, entity_apply,
      (struct entity * entity, const struct entity_context *context, const struct event *event), (entity, context, event))
TIMED_VOID(STAGE_FACTS, facts_of, (const struct entity *entity, const struct facts_context *context, struct statement *out),
           (entity, context, out))
TIMED_VOID(STAGE_DIFFERENCE, ledger_replace,
           (struct ledger * ledger, const struct statement *before_, const struct statement *after), (ledger, before_, after))
TIMED_VOID(STAGE_COUNTER, ledger_settle, (struct ledger * ledger), (ledger))
TIMED_VOID(STAGE_COUNTER, batch_ask_for_cells, (struct batch * batch), (batch))
TIMED_VOID(STAGE_COUNTER, write_cells, (struct writer * writer), (writer))
TIMED(STAGE_ENCODE, bool, batch_write, (struct batch * batch), (batch))
TIMED_VOID(STAGE_ENCODE, write_pages, (struct writer * writer), (writer))
TIMED_VOID(STAGE_ENCODE, entity_encode, (const struct entity *entity, struct buffer *out), (entity, out))

/* ---- the source ---- */

static struct source_ops source_timed;
static const struct source_ops *source_real;

static size_t receive(struct source *source, struct record *records, size_t room, int timeout_ms)
{
    enum stage before = stage_enter(STAGE_SOURCE);
    size_t n = source_real->receive(source, records, room, timeout_ms);
    stage_leave(before);
    return n;
}

void stages_time_source(struct source *source)
{
    source_real = source->ops;
    source_timed = *source->ops;
    source_timed.receive = receive;
    source->ops = &source_timed;
}

/* ---- the state ---- */

static const struct redis_settings nowhere = { .url = "redis://nowhere" };
static struct state_ops state_timed;
static const struct state_ops *state_real;
static struct commits commits;
static struct sent sent;

/* What goes to Redis in pieces goes nowhere; the connection begins anew, as empty as one that was sent. */
bool __wrap_connection_flush(struct connection *connection, struct error *error);
bool __wrap_connection_flush(struct connection *connection, struct error *error)
{
    (void)error;
    sent.bytes += connection_unsent_bytes(connection);
    connection_destroy(connection);
    commits.connection = connection_create(&nowhere);
    return true;
}

static uint64_t commands_of(const struct commit *commit)
{
    uint64_t n = commit->n_strings + (commit->n_timers > 0);
    for (size_t i = 0; i < commit->n_writes; i++) n += !i || !span_equal(commit->writes[i].key, commit->writes[i - 1].key);
    return n;
}

static void write_bodies(struct commit *made, size_t n)
{
    enum stage before = stage_enter(STAGE_BODY);
    struct error error = { "" };
    commits.n = 0;
    for (size_t i = 0; i < n; i++) commits_add(&commits, &made[i]);
    REQUIRE(commits_send(&commits, &error));
    stage_leave(before);
    sent.commits += n;
    for (size_t i = 0; i < n; i++) sent.commands += commands_of(&made[i]);
}

static bool read_timed(struct state *state, struct hash_read *reads, size_t n, struct arena *arena, enum outcome *outcome,
                       struct error *error)
{
    enum stage before = stage_enter(STAGE_STATE);
    bool fine = state_real->read(state, reads, n, arena, outcome, error);
    stage_leave(before);
    return fine;
}

static bool commit_begin_timed(struct state *state, struct commit *made, size_t n, struct error *error)
{
    write_bodies(made, n);
    enum stage before = stage_enter(STAGE_STATE);
    bool fine = state_real->commit_begin(state, made, n, error);
    stage_leave(before);
    return fine;
}

static bool commit_end_timed(struct state *state, struct error *error)
{
    enum stage before = stage_enter(STAGE_STATE);
    bool fine = state_real->commit_end(state, error);
    stage_leave(before);
    return fine;
}

void stages_time_state(struct state *state)
{
    state_real = state->ops;
    state_timed = *state->ops;
    state_timed.read = read_timed;
    state_timed.commit_begin = commit_begin_timed;
    state_timed.commit_end = commit_end_timed;
    state->ops = &state_timed;
    commits_init(&commits, connection_create(&nowhere));
    memset(commits.script.hash, 'x', sizeof commits.script.hash - 1); /* as if it were loaded */
}

struct sent stages_sent(void)
{
    return sent;
}
