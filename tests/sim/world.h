/* The world of one history: a Redis, a Kafka, up to four instances of the daemon, one clock for all, and the weather, which
 * says how often things go wrong just now. */
#pragma once

#include "daemon/publish/inner.h"
#include "daemon/worker/worker.h"
#include "tests/sim/broker.h"
#include "tests/sim/store.h"

#include <stdio.h>

/* In thousandths of the occasions. All 0: nothing goes wrong, nothing is late. */
struct weather {
    uint32_t cut;         /* a connection to Redis breaks in the middle of a question */
    uint32_t refused;     /* Redis says no */
    uint32_t late;        /* a commit takes place only when its answer is waited for */
    uint32_t undelivered; /* a record sent to a topic is not acknowledged */
    uint32_t full;        /* the queue of records to be sent is */
    uint32_t slow;        /* a change of assignment is noticed only later; acknowledgements are */
    uint32_t unseen;      /* the broker does not answer a question */
};

struct world;

/* A client's connection to Redis: the state, the marks and the publisher's documents go through it. */
struct link {
    struct state base;
    struct mark_keeper marks;
    struct world *world;
    struct store *store;
    bool connected, met;
    uint64_t run, run_met;  /* of the server: now connected to; when the keeper connected last */
    struct commit *commits; /* under way */
    size_t n_commits, applied, answered;
    bool waits; /* they take place when their answers are waited for */
};

struct reader {
    struct source base;
    struct world *world;
    int member;
    bool mine[PARTITIONS_MAX], started[PARTITIONS_MAX], moved[PARTITIONS_MAX];
    unsigned life[PARTITIONS_MAX]; /* of the partition when it became ours */
    int64_t next[PARTITIONS_MAX];
    bool revoking[PARTITIONS_MAX], waiting; /* for confirm */
    struct partition told[PARTITIONS_MAX];
};

struct outlet_record {
    struct span key, value;
    int partition; /* where a dead letter comes from */
    int64_t offset;
    void *tag;
    bool alert;
    bool arrived; /* its acknowledgement is still to come */
};
struct outlet {
    struct sink base;
    struct world *world;
    struct acknowledged acknowledged;
    struct outlet_record *waiting;
    size_t n, room;
};

struct instance {
    struct world *world;
    int number;
    bool alive, asleep;
    size_t losses; /* of Redis, when it last heard of one */
    struct link worker_link, publisher_link;
    struct reader reader;
    struct outlet letters, reports;
    struct worker *worker;
    struct publisher *publisher;
};

/* A request whose connection is gone, but which the server may still carry out. */
struct stray {
    uint64_t run;
    struct commit commit;
};

/* What stands last under a key of the topic of reports. */
struct topic_record {
    struct span value;
    const struct outlet *from;
    const struct topic_record *over; /* a newer one that it lies over; NULL */
};

struct world {
    struct dice dice; /* of the step at work */
    int64_t now_us, monotonic_us;
    struct weather weather;
    struct store store;
    struct broker broker;
    struct instance instances[MEMBERS_MAX];
    struct stray *strays;
    size_t n_strays, room_strays;
    struct arena arena;  /* events, strays, records of the topics we write to */
    struct map topic;    /* of reports: key -> struct topic_record, the last one */
    struct span *alerts; /* all records of their topic, in order */
    size_t n_alerts, room_alerts;
    struct engine *engine; /* what all instances count by */
    _Atomic int64_t lag_us;
    bool unwatched;        /* no rule of alerts is for anybody */
    bool floods;           /* publishers take any commit behind which more waits for one of many, and follow none */
    bool new_life;         /* a partition was taken for another one: repeats and bad records in it are counted again */
    bool forgotten;        /* nobody knows any more what the topic had: who did ended, before or after Redis lost it */
    bool aged;             /* so long has passed that entities leave; no event comes any more */
    bool set_back;         /* Redis was set back or emptied at least once */
    size_t losses;         /* how often */
    bool alerts_forgotten; /* what was told of them was known to nobody but Redis, which lost it */
    struct error wrong;    /* what should never be */
    struct error waits;    /* what was last seen to be still to do */
    int64_t two_turns_us;  /* monotonic, in the end: since then each instance has had two turns, however long they took */
    struct error stopped;  /* an instance stopped for a reason that may be one */
};

extern struct world *world_here; /* the one at work: for the clock and the publisher's calls */

void world_init(struct world *world, struct engine *engine, int partitions);
void world_deinit(struct world *world);
extern const char world_topic[];
bool world_partition(const struct world *world, struct partition partition, int *number);

/* link.c, shelf.c: Redis */
void link_init(struct link *link, struct world *world, struct store *store);
bool link_alive(struct link *link, bool writes, enum outcome *outcome, struct error *error);
void strays_arrive(struct world *world, bool all_lost);
extern const char state_prefix[];

/* reader.c, outlet.c: Kafka */
void reader_init(struct reader *reader, struct world *world, int member);
/* Its process is gone. An older record that it had put over a newer one, without a chance to see it, is not held against us. */
void outlet_gone(struct outlet *outlet);
int64_t record_version(struct span record); /* of a report */
void reports_lost(struct world *world);     /* Redis lost something: is there anybody who knows what the topic has? */
void outlet_init(struct outlet *outlet, struct world *world, struct acknowledged acknowledged);

/* alerts.c: a record has come to their topic */
void alerts_arrive(struct world *world, struct span event);
void alerts_note(const struct world *world, int64_t *versions); /* of each tenant, before a loss of Redis … */
void alerts_lost(struct world *world, const int64_t *versions); /* … after it */
bool alerts_told_again(const struct world *world, const struct desk *desk);
bool alerts_all_told(const struct instance *instance);      /* has it made good what Redis lost? */
struct alert_rules *world_rules(const struct world *world); /* fresh ones, to be taken over */

/* instance.c */
void instance_start(struct world *world, int number);
void instance_kill(struct instance *instance);
void instance_terminate(struct instance *instance);
void instance_turn(struct instance *instance);
void instance_publish(struct instance *instance);
