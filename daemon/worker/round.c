/* One round: records become entries, entries of a tenant a batch, batches commits. */
#include "common/instant.h"
#include "daemon/sink/dead_letter.h"
#include "daemon/state/keys.h"
#include "daemon/worker/inner.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    REFUSED_FLUSH_MS = 1000
};

/* ---- decoding ---- */

struct batch *round_batch(struct worker *worker, struct round *round, struct span name)
{
    struct tenant *tenant = worker_tenant(worker, name);
    if (tenant->batch) return tenant->batch;
    if (round->n_batches == round->room_batches) {
        round->room_batches = round->room_batches ? round->room_batches * 2 : 64;
        round->batches = must_realloc(round->batches, round->room_batches * sizeof(struct batch *));
    }
    struct batch *batch = round->batches[round->n_batches++] = arena_alloc(&round->arena, sizeof *batch);
    *batch = (struct batch){ .tenant = tenant,
                             .settings = &worker->parts.tenants,
                             .arena = &round->arena,
                             .working = &worker->working,
                             .scratch = &worker->folding,
                             .loading = &worker->loading,
                             .now_us = worker_now(worker) };
    return tenant->batch = batch;
}

/* The tag by which an acknowledgement finds its lane again. */
struct letter_tag {
    int64_t offset;
    size_t key_len;
    char key[];
};

void worker_acknowledged(void *context, void *tag, enum delivery delivery, const char *why)
{
    struct worker *worker = context;
    struct letter_tag *letter = tag;
    struct lane *lane = lane_of_key(&worker->lanes, (struct span){ letter->key, letter->key_len });
    if (delivery == UNDELIVERABLE)
        log_event(LEVEL_ERROR, "dead_letter_undeliverable", "partition=%.*s offset=%lld cause=%s", (int)letter->key_len,
                  letter->key, (long long)letter->offset, why);
    worker->counts.letters_unsent += delivery == UNDELIVERED;
    if (lane && delivery == UNDELIVERED)
        lane_letter_failed(lane, letter->offset, worker_monotonic());
    else if (lane)
        lane_letter_acknowledged(lane, letter->offset);
    free(letter);
}

static void send_dead_letter(struct worker *worker, struct lane *lane, const struct record *record,
                             const struct rejection *rejection)
{
    worker->counts.dead_letters++;
    if (worker->parts.rejected) worker->parts.rejected(worker->parts.context, record, rejection);
    if (!worker->parts.dead_letters) return;
    struct letter_tag *tag = must_alloc(sizeof *tag + lane->key.len);
    tag->offset = record->offset;
    tag->key_len = lane->key.len;
    memcpy(tag->key, lane->key.at, lane->key.len);
    struct outgoing letter = dead_letter_build(worker->parts.dead_letter_topic, record, rejection, &worker->working, tag);
    if (sink_produce(worker->parts.dead_letters, &letter)) {
        lane_letter_sent(lane, record->offset);
        return;
    }
    free(tag);
    lane_letter_sent(lane, record->offset);
    lane_letter_failed(lane, record->offset, worker_monotonic());
}

static void decode_record(struct worker *worker, struct round *round, struct lane *lane, const struct record *record)
{
    struct entry *entry = arena_alloc(&worker->working, sizeof *entry);
    round->n_entries++;
    struct rejection rejection;
    *entry = (struct entry){ .partition = lane->key, .offset = record->offset, .life = lane->life, .record = record };
    struct span tenant;
    if (decode(&worker->parts.decode, record, &worker->working, &entry->event, &rejection)) {
        worker->counts.events++;
        tenant = entry->event.tenant;
    } else {
        entry->reason = rejection.reason;
        worker->counts.rejected++;
        worker->counts.rejected_by[rejection.reason]++;
        tenant = rejection.tenant;
        send_dead_letter(worker, lane, record, &rejection);
    }
    batch_add(round_batch(worker, round, tenant), entry);
}

static bool same_partition(const struct record *a, const struct record *b)
{
    return a->partition == b->partition && a->topic.at == b->topic.at;
}

/* Runs of one partition are long: its lane is looked for once. */
void round_decode(struct worker *worker, struct round *round, const struct record *records, size_t n)
{
    struct lane *lane = NULL;
    worker->counts.records += n;
    for (size_t i = 0; i < n; i++) {
        if (!i || !same_partition(&records[i], &records[i - 1]))
            lane = lane_find(&worker->lanes, records[i].topic, records[i].partition);
        if (!lane || !lane->started) continue;
        lane_decoded(lane, records[i].offset, records[i].timestamp_us);
        if (records[i].value.at)
            decode_record(worker, round, lane, &records[i]);
        else
            worker->counts.ignored++;
    }
}

/* ---- folding ---- */

bool worker_read_all(struct worker *worker)
{
    enum outcome outcome = DONE;
    struct error error = { "" };
    if (loading_run(&worker->loading, &worker->parts.tenants, &outcome, &error)) return true;
    worker_set_back(worker, outcome, &error);
    return false;
}

static bool load_tenants(struct worker *worker, struct round *round)
{
    if (worker->in_part) worker_pass_over(worker, round);
    for (size_t i = 0; i < round->n_batches; i++) loading_add_tenant(&worker->loading, round->batches[i]->tenant);
    if (!worker_read_all(worker)) return false;
    worker_pass_over(worker, round);
    return true;
}

/* The lanes of a tenant that was set back behind us must be read again from where it stands now. */
static void lower_lanes(struct worker *worker, struct tenant *tenant)
{
    for (size_t i = 0; i < tenant->n_positions; i++) {
        struct tenant_position *position = &tenant->positions[i];
        struct lane *lane = lane_of_key(&worker->lanes, position->partition);
        if (position->next >= position->confirmed) continue;
        if (lane) lane_lower(lane, position->next);
        position->confirmed = position->next;
    }
    tenant->set_back = false;
}

static bool positions_hold(struct worker *worker, struct round *round)
{
    struct error error = { "" };
    for (size_t i = 0; i < round->n_batches; i++) {
        struct tenant *tenant = round->batches[i]->tenant;
        if (!tenant->set_back) continue;
        fail(&error, "the state of tenant %.*s was set back", SPAN_ARG(tenant->name));
        lower_lanes(worker, tenant);
    }
    if (!error.text[0]) return true;
    log_event(LEVEL_WARN, "state_set_back", "cause=%s", error.text);
    worker_set_back(worker, DONE, &error);
    worker_doubt_state(worker);
    return false;
}

static bool fold_failed(struct worker *worker, struct batch *batch)
{
    if (batch->outcome == DONE) return false;
    struct error error = batch->error; /* the batch goes with its round */
    worker_set_back(worker, batch->outcome, &error);
    return true;
}

static void write_refusal(const struct worker *worker, struct rejection *rejection)
{
    if (rejection->reason == REASON_TOO_MANY_EVENTS)
        snprintf(rejection->message, sizeof rejection->message,
                 "subject holds max_events (%u) events already; give the entity a new id, or raise max_events",
                 worker->parts.tenants.max_events);
    else
        snprintf(rejection->message, sizeof rejection->message,
                 "subject was closed, left alone for longer than the tenant's retire_after, and has left: it stays as it was "
                 "counted; give what is new a new id, or raise retire_after and rebuild the tenant");
}

static void send_refused(struct worker *worker, struct batch *batch)
{
    for (size_t i = 0; i < batch->n_refused; i++) {
        const struct entry *entry = batch->refused[i];
        struct rejection rejection = { .reason = entry->refused, .tenant = batch->tenant->name };
        write_refusal(worker, &rejection);
        worker->counts.rejected++;
        worker->counts.rejected_by[entry->refused]++;
        send_dead_letter(worker, lane_of_key(&worker->lanes, entry->partition), entry->record, &rejection);
    }
}

/* Before they are committed: what is refused then lies below the tenant's position, and would not be seen when it is read again.
 * Once for all tenants: while Kafka is away each time takes as long as is waited at most, and the consumer is not polled meanwhile. */
static void flush_refused(struct worker *worker, const struct round *round)
{
    size_t n = 0;
    for (size_t i = 0; i < round->n_batches; i++) n += round->batches[i]->n_refused;
    if (n && worker->parts.dead_letters) (void)sink_flush(worker->parts.dead_letters, REFUSED_FLUSH_MS);
}

static void note_tenant(struct worker *worker, struct tenant *tenant)
{
    if (tenant->listed) return;
    tenant->listed = true;
    worker->unlisted = must_realloc(worker->unlisted, (worker->n_unlisted + 1) * sizeof *worker->unlisted);
    worker->unlisted[worker->n_unlisted++] = tenant->name;
}

static bool admit(struct worker *worker, const struct commit *commits, size_t n)
{
    struct mark_keeper *marks = worker->parts.marks;
    enum outcome outcome = DONE;
    struct error error = { "" };
    if (!marks || !marks->ops->admit || !n) return true;
    if (marks->ops->admit(marks, commits, n, &outcome, &error)) return true;
    worker_set_back(worker, outcome, &error);
    if (outcome == CONFLICT) worker_doubt_state(worker);
    return false;
}

/* All that came was counted before: by one who may have ended before it was listed, and before its reports were published; or what
 * was known of it to the marks is lost. */
static bool look_after(struct worker *worker, struct tenant *tenant)
{
    if (!tenant->version || (tenant->listed && !tenant->perhaps)) return true;
    struct commit none = { .tenant = tenant->name,
                           .state_key = key_state(&worker->scratch, worker->parts.tenants.prefix, tenant->name) };
    if (!admit(worker, &none, 1)) return false;
    tenant->perhaps = false;
    note_tenant(worker, tenant);
    worker_tell_publisher(worker, tenant);
    return true;
}

bool round_fold(struct worker *worker, struct round *round)
{
    if (!load_tenants(worker, round) || !positions_hold(worker, round)) return false;
    for (size_t i = 0; i < round->n_batches; i++) batch_begin(round->batches[i]);
    if (!worker_read_all(worker)) return false;
    for (size_t i = 0; i < round->n_batches; i++) batch_widen(round->batches[i]);
    if (!worker_read_all(worker)) return false;
    crash_point("loaded");
    for (size_t i = 0; i < round->n_batches; i++) {
        batch_fold(round->batches[i]);
        if (fold_failed(worker, round->batches[i])) return false;
        send_refused(worker, round->batches[i]);
    }
    flush_refused(worker, round);
    if (!worker_read_all(worker)) return false;
    worker_pass_unheard(worker, round);
    crash_point("folded");
    round->commits = arena_alloc(&round->arena, round->n_batches * sizeof *round->commits);
    round->owners = arena_alloc(&round->arena, round->n_batches * sizeof(struct batch *));
    for (size_t i = 0; i < round->n_batches; i++) {
        bool commits = batch_write(round->batches[i]);
        if (fold_failed(worker, round->batches[i])) return false;
        if (commits)
            round->owners[round->n_commits++] = round->batches[i];
        else if (!look_after(worker, round->batches[i]->tenant))
            return false;
    }
    return true;
}

/* ---- committing ---- */

bool round_send(struct worker *worker, struct round *round)
{
    struct error error = { "" };
    for (size_t i = 0; i < round->n_commits; i++) round->commits[i] = round->owners[i]->commit;
    if (!admit(worker, round->commits, round->n_commits)) return false;
    crash_point("before commit");
    if (round->n_commits &&
        !worker->parts.state->ops->commit_begin(worker->parts.state, round->commits, round->n_commits, &error)) {
        for (size_t i = 0; i < round->n_commits; i++) round->owners[i]->commit.outcome = LOST;
        worker_set_back(worker, LOST, &error);
        return false;
    }
    round->sent = true;
    round->sent_at_us = worker_monotonic();
    for (size_t i = 0; i < round->n_batches; i++) round->batches[i]->tenant->batch = NULL; /* the next round may collect for it */
    crash_point("commit sent");
    return true;
}

static struct span own_copy(struct span text)
{
    return (struct span){ memcpy(must_alloc(text.len), text.at, text.len), text.len };
}

static void copy_lines(const struct batch *batch, struct committed *made)
{
    if (!batch->n_list_changes) return;
    made->lines = must_alloc(batch->n_list_changes * sizeof *made->lines);
    made->n_lines = batch->n_list_changes;
    for (size_t i = 0; i < made->n_lines; i++) {
        const struct list_change *change = &batch->list_changes[i];
        made->lines[i] = *change;
        made->lines[i].id = own_copy(change->id);
    }
}

static struct committed *make_committed(struct batch *batch, int64_t version_before)
{
    struct tenant *tenant = batch->tenant;
    struct committed *made = must_zalloc(sizeof *made);
    made->tenant = own_copy(tenant->name);
    if (batch->traceparent.len) made->traceparent = own_copy(batch->traceparent);
    made->version_before = version_before;
    made->version = tenant->version;
    made->clock_us = tenant->clock_us;
    made->differences = batch->ledger.differences;
    made->n_differences = batch->ledger.n;
    made->arena = batch->ledger.arena;
    batch->ledger.arena = (struct arena){ 0 };
    batch->ledger.differences = NULL;
    batch->ledger.n = batch->ledger.room = 0;
    copy_lines(batch, made);
    made->first_name = batch->first_name;
    made->n_names = tenant->names.n - batch->first_name;
    made->names = must_alloc(made->n_names * sizeof *made->names);
    for (size_t i = 0; i < made->n_names; i++)
        made->names[i] = own_copy(names_text(&tenant->names, batch->first_name + (name_id)i));
    return made;
}

void committed_drop(struct committed *committed)
{
    for (size_t i = 0; i < committed->n_differences; i++) difference_deinit(committed->differences[i]);
    arena_deinit(&committed->arena);
    for (size_t i = 0; i < committed->n_names; i++) free((char *)committed->names[i].at);
    for (size_t i = 0; i < committed->n_lines; i++) free((char *)committed->lines[i].id.at);
    free(committed->lines);
    free(committed->differences);
    free(committed->names);
    committed->lines = NULL;
    committed->differences = NULL;
    committed->names = NULL;
    committed->n_differences = committed->n_lines = committed->n_names = 0;
    committed->dropped = true;
}

size_t committed_bytes(const struct committed *committed)
{
    size_t bytes = sizeof *committed + committed->tenant.len + committed->traceparent.len + committed->arena.bytes;
    bytes += committed->n_differences * sizeof *committed->differences;
    for (size_t i = 0; i < committed->n_names; i++) bytes += sizeof *committed->names + committed->names[i].len;
    for (size_t i = 0; i < committed->n_lines; i++) bytes += sizeof *committed->lines + committed->lines[i].id.len;
    return bytes;
}

void committed_destroy(struct committed *committed)
{
    if (!committed) return;
    committed_drop(committed);
    free((char *)committed->traceparent.at);
    free((char *)committed->tenant.at);
    free(committed);
}

static void finish_batch(struct worker *worker, struct batch *batch)
{
    int64_t version_before = batch->tenant->version;
    batch_done(batch);
    batch->tenant->perhaps = false; /* whatever of ours may still come is refused */
    note_tenant(worker, batch->tenant);
    worker->counts.commits++;
    worker->counts.duplicates += batch->duplicates;
    for (int kind = 0; kind < N_KINDS; kind++)
        for (int result = 0; result < N_EVENT_RESULTS; result++)
            worker->counts.events_by[kind][result] += batch->results[kind][result];
    worker->counts.overflows += batch->overflows;
    worker->counts.retired += batch->n_retired;
    if (batch->widens) worker_say_widened(batch->tenant);
    if (batch->overflows)
        log_event(LEVEL_ERROR, "counter_overflow", "tenant=%.*s counters=%zu", SPAN_ARG(batch->tenant->name), batch->overflows);
    if (!worker->parts.committed) return;
    struct committed *committed = make_committed(batch, version_before);
    committed->behind = worker->behind;
    worker->parts.committed(worker->parts.context, committed);
}

bool round_finish(struct worker *worker, struct round *round)
{
    struct error error = { "" };
    if (!round->sent) return true;
    bool answered = !round->n_commits || worker->parts.state->ops->commit_end(worker->parts.state, &error);
    enum outcome worst = answered ? DONE : LOST;
    if (round->n_commits) latency_add(&worker->counts.commit, worker_monotonic() - round->sent_at_us);
    for (size_t i = 0; i < round->n_commits; i++) {
        struct batch *batch = round->owners[i];
        batch->commit = round->commits[i];
        if (batch->commit.outcome == DONE)
            finish_batch(worker, batch);
        else if (worst == DONE || batch->commit.outcome == REFUSED)
            worst = batch->commit.outcome;
        if (batch->commit.outcome == CONFLICT) worker->counts.conflicts++;
    }
    round->sent = false;
    crash_point("commit answered");
    if (worst != DONE) {
        worker_set_back(worker, worst, &error);
        return false;
    }
    return true;
}

void round_clear(struct round *round)
{
    for (size_t i = 0; i < round->n_batches; i++) {
        if (round->batches[i]->tenant->batch == round->batches[i]) round->batches[i]->tenant->batch = NULL;
        batch_deinit(round->batches[i]);
    }
    round->n_batches = round->n_commits = round->n_entries = 0;
    round->sent = false;
    arena_recycle(&round->arena);
}

size_t round_bytes(const struct worker *worker, const struct round *round)
{
    size_t bytes = round->arena.bytes + worker->working.bytes;
    for (size_t i = 0; i < round->n_batches; i++) bytes += ledger_bytes(&round->batches[i]->ledger);
    return bytes;
}
