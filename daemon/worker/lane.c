#include "daemon/worker/lane.h"

#include "common/instant.h"

#include <stdio.h>
#include <stdlib.h>

#define RESEND_FIRST_US MICROS_PER_SECOND
#define RESEND_LONGEST_US (60 * MICROS_PER_SECOND)

struct lane *lane_add(struct lanes *lanes, struct partition partition)
{
    struct lane *lane = must_zalloc(sizeof *lane + 2 * partition.topic.len + 16);
    char *text = (char *)(lane + 1);
    int n = sprintf(text, "%.*s:%d", SPAN_ARG(partition.topic), partition.number);
    lane->key = (struct span){ text, (size_t)n };
    lane->topic = (struct span){ text, partition.topic.len };
    lane->number = partition.number;
    lane->mark.next = NO_OFFSET;
    lane->committed = (struct reached){ 0, NO_OFFSET, NO_INSTANT };
    lane->first.last = NO_OFFSET;
    lane->resend_from = NO_OFFSET;
    lane->floor = INT64_MAX;
    lane->passed = INT64_MAX;
    lanes->at = must_realloc(lanes->at, (lanes->n + 1) * sizeof(struct lane *));
    return lanes->at[lanes->n++] = lane;
}

struct lane *lane_find(const struct lanes *lanes, struct span topic, int32_t number)
{
    for (size_t i = 0; i < lanes->n; i++)
        if (lanes->at[i]->number == number && span_equal(lanes->at[i]->topic, topic)) return lanes->at[i];
    return NULL;
}

struct lane *lane_of_key(const struct lanes *lanes, struct span key)
{
    for (size_t i = 0; i < lanes->n; i++)
        if (span_equal(lanes->at[i]->key, key)) return lanes->at[i];
    return NULL;
}

static void lane_destroy(struct lane *lane)
{
    free(lane->letters);
    free(lane);
}

void lane_remove(struct lanes *lanes, struct lane *lane)
{
    for (size_t i = 0; i < lanes->n; i++) {
        if (lanes->at[i] != lane) continue;
        lanes->at[i] = lanes->at[--lanes->n];
        lane_destroy(lane);
        return;
    }
}

void lanes_deinit(struct lanes *lanes)
{
    for (size_t i = 0; i < lanes->n; i++) lane_destroy(lanes->at[i]);
    free(lanes->at);
    *lanes = (struct lanes){ 0 };
}

struct partition lane_partition(const struct lane *lane)
{
    return (struct partition){ lane->topic, lane->number };
}

bool lane_needs_pin(const struct lane *lane)
{
    return lane->started && lane->mark.last < 0 && lane->first.last >= 0;
}

struct mark lane_pinned_mark(const struct lane *lane)
{
    struct mark mark = lane->mark;
    mark.last = lane->first.last;
    mark.last_timestamp_us = lane->first.last_timestamp_us;
    return mark;
}

void lane_pin(struct lane *lane, const struct mark *mark)
{
    lane->mark = *mark;
    if (lane->committed.last >= 0) return;
    lane->committed.last = mark->last;
    lane->committed.last_timestamp_us = mark->last_timestamp_us;
}

void lane_decoded(struct lane *lane, int64_t offset, int64_t timestamp_us)
{
    lane->decoded = (struct reached){ offset + 1, offset, timestamp_us };
    if (lane->mark.last < 0 && lane->first.last < 0) lane->first = lane->decoded;
}

void lane_send(struct lane *lane)
{
    lane->sent = lane->decoded;
}

void lane_commit(struct lane *lane)
{
    if (lane->sent.next > lane->committed.next) lane->committed = lane->sent;
    if (lane->started) lane_forget_floor(lane);
}

void lane_rewind(struct lane *lane)
{
    lane->decoded = lane->sent = lane->committed;
}

void lane_lower(struct lane *lane, int64_t offset)
{
    if (offset < lane->floor) lane->floor = offset;
    lane->floor_until = INT64_MAX; /* known once it is known where the lane would begin without it */
}

void lane_forget_floor(struct lane *lane)
{
    if (lane->committed.next >= lane->floor_until) lane->floor = INT64_MAX;
}

/* ---- dead letters ---- */

void lane_letter_sent(struct lane *lane, int64_t offset)
{
    if (lane->n_letters == lane->room_letters) {
        lane->room_letters = lane->room_letters ? lane->room_letters * 2 : 16;
        lane->letters = must_realloc(lane->letters, lane->room_letters * sizeof *lane->letters);
    }
    lane->letters[lane->n_letters++] = (struct letter){ .offset = offset };
}

static void forget_letter(struct lane *lane, int64_t offset)
{
    size_t done = 0;
    for (size_t i = 0; i < lane->n_letters; i++) {
        if (lane->letters[i].offset != offset || lane->letters[i].acknowledged) continue;
        lane->letters[i].acknowledged = true;
        break;
    }
    while (done < lane->n_letters && lane->letters[done].acknowledged) done++;
    lane->n_letters -= done;
    if (done) memmove(lane->letters, lane->letters + done, lane->n_letters * sizeof *lane->letters);
}

void lane_letter_acknowledged(struct lane *lane, int64_t offset)
{
    forget_letter(lane, offset);
    lane->resend_wait_us = 0;
}

void lane_letter_failed(struct lane *lane, int64_t offset, int64_t now_us)
{
    forget_letter(lane, offset); /* no longer waited for: it is read and sent again */
    if (lane->resend_from == NO_OFFSET || offset < lane->resend_from) lane->resend_from = offset;
    if (!lane->resend_wait_us) lane->resend_wait_us = RESEND_FIRST_US;
    lane->resend_at_us = now_us + lane->resend_wait_us;
}

bool lane_letter_waits(const struct lane *lane, int64_t offset)
{
    for (size_t i = 0; i < lane->n_letters; i++)
        if (lane->letters[i].offset == offset && !lane->letters[i].acknowledged) return true;
    return lane->resend_from != NO_OFFSET && lane->resend_from <= offset;
}

bool lane_resends(struct lane *lane, int64_t now_us)
{
    if (!lane->started || lane->resend_from == NO_OFFSET || lane->n_letters || now_us < lane->resend_at_us) return false;
    lane->resend_wait_us = lane->resend_wait_us < RESEND_LONGEST_US / 2 ? 2 * lane->resend_wait_us : RESEND_LONGEST_US;
    return true;
}

struct mark lane_safe_mark(const struct lane *lane)
{
    struct mark mark = { .partition = lane->key,
                         .next = lane->committed.next,
                         .last = lane->committed.last,
                         .last_timestamp_us = lane->committed.last_timestamp_us,
                         .life = lane->life };
    int64_t held = lane->n_letters ? lane->letters[0].offset : INT64_MAX;
    for (size_t i = 1; i < lane->n_letters; i++)
        if (!lane->letters[i].acknowledged && lane->letters[i].offset < held) held = lane->letters[i].offset;
    if (lane->resend_from != NO_OFFSET && lane->resend_from < held) held = lane->resend_from;
    if (lane->passed < held) held = lane->passed;
    return held < mark.next || mark.next < lane->counted ? lane->mark : mark;
}
