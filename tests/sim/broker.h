/* Kafka as a model: one topic of partitions that grow, are cut from the front, are deleted and created anew; a group whose
 * members come, go, and fall asleep. What a member knows lags behind what is the case. */
#pragma once

#include "daemon/source/source.h"
#include "tests/sim/dice.h"

enum {
    PARTITIONS_MAX = 6,
    MEMBERS_MAX = 4,
    NOBODY = -1
};

struct log_record {
    struct span value; /* .at NULL: a null record */
    int64_t timestamp_us;
    int event; /* its number in the history */
    bool bad;  /* must become a dead letter */
    bool lettered;
};

/* One life of a partition. */
struct log {
    struct log_record *records;
    size_t n, room;
    int64_t low; /* first offset there is */
    int64_t committed;
    int64_t marked;      /* the highest mark that ever stood for it */
    uint64_t known_life; /* as that mark says; 0: there was none */
    int owner, wanted;
    unsigned life;
};

struct member {
    bool joined;  /* as the group sees it */
    bool expired; /* its session is over, and it does not know */
};

struct broker {
    struct log logs[PARTITIONS_MAX];
    int n_logs;
    struct log *buried; /* of topics deleted: for the reckoning at the end */
    size_t n_buried;
    struct member members[MEMBERS_MAX];
    bool away;         /* no broker answers */
    bool outputs_away; /* the topics we write to take nothing */
    bool reborn;       /* the topic was created anew at least once */
    bool cut;          /* something was removed by retention */
    int64_t n_records; /* ever: each has a timestamp of its own */
    unsigned turn;     /* of assignments: each gives partitions to others */
};

void broker_deinit(struct broker *broker);
void broker_grow(struct broker *broker, int partitions);
void broker_append(struct broker *broker, int partition, const struct log_record *record);

/* The topic is deleted and created anew, with the same partitions, empty; nobody owns them any more. */
void broker_rebirth(struct broker *broker, bool keep_offsets);

void broker_join(struct broker *broker, int member);
void broker_leave(struct broker *broker, int member); /* also: its session is over */
