#include "daemon/recount/topics.h"

#include "daemon/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    RECORDS = 4096,
    WAIT_MS = 200,
    VIEW_MS = 20000,
    STALLED_S = 60
};

/* ---- looking ---- */

static const struct mark *mark_of(const struct mark *marks, size_t n, struct span key)
{
    for (size_t i = 0; i < n; i++)
        if (span_equal(marks[i].partition, key)) return &marks[i];
    return NULL;
}

static void add_lanes(struct topics *topics)
{
    for (struct change change; source_next_change(topics->source, &change);) {
        if (change.type != CHANGE_ASSIGNED) continue;
        topics->lanes = arena_zalloc(&topics->arena, (change.n + 1) * sizeof *topics->lanes);
        for (size_t i = 0; i < change.n; i++) {
            char key[512];
            snprintf(key, sizeof key, "%.*s:%d", SPAN_ARG(change.partitions[i].topic), change.partitions[i].number);
            topics->lanes[i].of = change.partitions[i];
            topics->lanes[i].partition.key = arena_copy(&topics->arena, span_of(key));
        }
        topics->n = change.n;
    }
}

/* NULL: the partition holds, from its beginning, all that the mark speaks of. */
static const char *what_lacks(const struct mark *mark, const struct partition_view *view)
{
    if (!mark) return "nothing of it was ever counted";
    if (view->low > 0) return "it no longer reaches back to its beginning";
    if (mark->next > view->high) return "it ends before what was counted";
    if (mark->last >= 0 && (!view->found || view->timestamp_us != mark->last_timestamp_us))
        return "the record counted last is not there as it was";
    return NULL;
}

static bool look(struct topics *topics, const struct mark *marks, size_t n_marks, struct error *error)
{
    struct partition_view *views = arena_zalloc(&topics->arena, (topics->n + 1) * sizeof *views);
    for (size_t i = 0; i < topics->n; i++) {
        const struct mark *mark = mark_of(marks, n_marks, topics->lanes[i].partition.key);
        views[i] = (struct partition_view){ .partition = topics->lanes[i].of,
                                            .probe = mark && mark->last >= 0 ? mark->last : NO_OFFSET };
    }
    if (!source_view(topics->source, views, topics->n, VIEW_MS, error)) return false;
    for (size_t i = 0; i < topics->n; i++) {
        struct topics_lane *lane = &topics->lanes[i];
        const struct mark *mark = mark_of(marks, n_marks, lane->partition.key);
        lane->lack = what_lacks(mark, &views[i]);
        lane->whole = !lane->lack;
        lane->high = views[i].high;
        lane->partition.life = mark ? mark->life : 0;
    }
    return true;
}

bool topics_open(struct topics *topics, struct source *source, const struct mark *marks, size_t n_marks, struct error *error)
{
    *topics = (struct topics){ .source = source };
    topics->records = must_alloc(RECORDS * sizeof *topics->records);
    topics->partitions = must_alloc(RECORDS * sizeof *topics->partitions);
    add_lanes(topics);
    return look(topics, marks, n_marks, error);
}

void topics_close(struct topics *topics)
{
    free(topics->records);
    free(topics->partitions);
    arena_deinit(&topics->arena);
    *topics = (struct topics){ 0 };
}

struct topics_lane *topics_lane(const struct topics *topics, struct span key)
{
    for (size_t i = 0; i < topics->n; i++)
        if (span_equal(topics->lanes[i].partition.key, key)) return &topics->lanes[i];
    return NULL;
}

const char *topics_lack(const struct topics *topics, const struct tenant *tenant)
{
    for (size_t i = 0; i < tenant->n_positions; i++) {
        const struct tenant_position *position = &tenant->positions[i];
        const struct topics_lane *lane = topics_lane(topics, position->partition);
        if (!position->next) continue;
        if (!lane) return "a topic that was counted is no longer among those of the settings";
        if (!lane->whole) return lane->lack;
        if (lane->partition.life != position->life) return "a topic was created anew since it was counted";
        if (position->next > lane->high) return "it ends before what was counted";
    }
    return NULL;
}

/* ---- reading ---- */

static int64_t now_s(void)
{
    return clock_us(CLOCK_MONOTONIC) / MICROS_PER_SECOND;
}

static struct topics_lane *lane_of_record(const struct topics *topics, const struct record *record)
{
    for (size_t i = 0; i < topics->n; i++)
        if (topics->lanes[i].of.number == record->partition && span_equal(topics->lanes[i].of.topic, record->topic))
            return &topics->lanes[i];
    return NULL;
}

static const struct topics_lane *first_behind(const struct topics *topics)
{
    for (size_t i = 0; i < topics->n; i++)
        if (topics->lanes[i].next < topics->lanes[i].until) return &topics->lanes[i];
    return NULL;
}

static void tell(const struct topics *topics, tell_progress progress, void *context)
{
    int64_t done = 0, all = 0;
    for (size_t i = 0; progress && i < topics->n; i++) {
        const struct topics_lane *lane = &topics->lanes[i];
        done += lane->next < lane->until ? lane->next : lane->until;
        all += lane->until;
    }
    if (progress) progress(context, done, all);
}

/* One receive, folded. */
static bool read_some(struct topics *topics, struct refold *refold, size_t *n, struct error *error)
{
    *n = source_receive(topics->source, topics->records, RECORDS, WAIT_MS);
    const struct topics_lane *lane = NULL;
    for (size_t i = 0; i < *n; i++) {
        const struct record *record = &topics->records[i];
        struct topics_lane *of = lane_of_record(topics, record);
        lane = of;
        topics->partitions[i] = lane && (topics->beyond || record->offset < lane->until) ? &lane->partition : NULL;
        if (of) of->next = record->offset + 1;
    }
    bool fine = refold_take(refold, topics->records, topics->partitions, *n, error);
    source_release(topics->source);
    for (struct change change; source_next_change(topics->source, &change);)
        if (change.type == CHANGE_MOVED) fine = fail(error, "a topic was cut or created anew while it was read");
    return fine;
}

/* Some are wanted later than others: a tenant's first event there came while the others were read. */
static void start(struct topics *topics)
{
    for (size_t i = 0; i < topics->n; i++) {
        struct topics_lane *lane = &topics->lanes[i];
        if (lane->started || lane->until <= 0) continue;
        source_start(topics->source, lane->of, 0);
        lane->started = true;
    }
}

bool topics_read(struct topics *topics, struct refold *refold, tell_progress progress, void *context, struct error *error)
{
    const struct topics_lane *behind;
    int64_t moved_s = now_s();
    start(topics);
    while ((behind = first_behind(topics))) {
        size_t n = 0;
        if (!read_some(topics, refold, &n, error)) return false;
        if (n) moved_s = now_s();
        tell(topics, progress, context);
        const char *trouble = source_trouble(topics->source);
        if (now_s() - moved_s > STALLED_S)
            return fail(error, "%.*s cannot be read on from offset %lld: %s", SPAN_ARG(behind->partition.key),
                        (long long)behind->next, trouble ? trouble : "no record came for a minute");
    }
    return true;
}
