#include "tests/sim/broker.h"

#include <stdlib.h>

static void log_open(struct log *log, unsigned life)
{
    *log = (struct log){ .committed = NO_OFFSET, .owner = NOBODY, .wanted = NOBODY, .life = life };
}

void broker_deinit(struct broker *broker)
{
    for (int p = 0; p < broker->n_logs; p++) free(broker->logs[p].records);
    for (size_t i = 0; i < broker->n_buried; i++) free(broker->buried[i].records);
    free(broker->buried);
    *broker = (struct broker){ 0 };
}

void broker_append(struct broker *broker, int partition, const struct log_record *record)
{
    struct log *log = &broker->logs[partition];
    if (log->n == log->room) {
        log->room = log->room ? log->room * 2 : 64;
        log->records = must_realloc(log->records, log->room * sizeof *log->records);
    }
    log->records[log->n] = *record;
    log->records[log->n++].timestamp_us += ++broker->n_records * 1000;
}

/* ---- the group ---- */

/* Every partition to somebody: those at work keep some of theirs, by chance of the turn. */
static void assign(struct broker *broker)
{
    int present[MEMBERS_MAX], n = 0;
    for (int m = 0; m < MEMBERS_MAX; m++)
        if (broker->members[m].joined) present[n++] = m;
    for (int p = 0; p < broker->n_logs; p++)
        broker->logs[p].wanted = n ? present[((unsigned)p + broker->turn) % (unsigned)n] : NOBODY;
}

void broker_grow(struct broker *broker, int partitions)
{
    for (; broker->n_logs < partitions; broker->n_logs++) log_open(&broker->logs[broker->n_logs], 1);
    assign(broker);
}

void broker_join(struct broker *broker, int member)
{
    broker->members[member] = (struct member){ .joined = true };
    broker->turn++;
    assign(broker);
}

void broker_leave(struct broker *broker, int member)
{
    broker->members[member].joined = false;
    for (int p = 0; p < broker->n_logs; p++)
        if (broker->logs[p].owner == member) broker->logs[p].owner = NOBODY;
    assign(broker);
}

void broker_rebirth(struct broker *broker, bool keep_offsets)
{
    size_t n = broker->n_buried + (size_t)broker->n_logs;
    broker->buried = must_realloc(broker->buried, n * sizeof *broker->buried);
    for (int p = 0; p < broker->n_logs; p++) {
        struct log *log = &broker->logs[p];
        int64_t committed = log->committed;
        broker->buried[broker->n_buried++] = *log;
        log_open(log, log->life + 1);
        if (keep_offsets) log->committed = committed;
    }
    broker->reborn = true;
    assign(broker);
}
