/* A tenant's state in Redis: the adapter behind struct state, and what else is asked of a server by itself.
 * Not thread-safe: each thread has its own, with its own connection. The process must ignore SIGPIPE. */
#pragma once

#include "daemon/state/state.h"

/* The way of commits: a script each, or all together in one transaction, which is cheaper for large ones (transaction.h). A cluster
 * has scripts only. */
enum commit_way {
    COMMIT_BY_SIZE,
    COMMIT_BY_SCRIPT,
    COMMIT_IN_TRANSACTION
};

/* Copied by state_redis_create. Texts may be NULL or empty: not set. */
struct redis_settings {
    const char *url;                                /* address.h has its forms */
    const char *user, *password;                    /* over those of the url */
    const char *ca_file;                            /* for rediss://: certificates to trust; not set: the system's */
    const char *client_name;                        /* for CLIENT LIST; not set: crm-reportd */
    int64_t connect_timeout_ms, command_timeout_ms; /* > 0; the latter: longest wait without a byte moving */
    enum commit_way commit_way;                     /* other than by size: for tests */
};

/* Not connected yet. Never NULL: a wrong url is an error of state_redis_connect. */
struct state *state_redis_create(const struct redis_settings *settings);

/* One attempt, at most connect_timeout_ms for the socket and command_timeout_ms for the greeting; the caller waits between
 * attempts. Returns true at once when connected. Of a cluster true when any of its servers is reached: `error` then tells of those
 * that are not. No message ever holds the password. */
bool state_redis_connect(struct state *state, struct error *error) MUST_USE;

/* Can anything be asked of the tenant now? In a cluster some servers may be out while the others are connected. */
bool state_redis_reaches(const struct state *state, struct span tenant);

/* False after any LOST, and after refusals that another connection may not meet (READONLY, NOAUTH). */
bool state_redis_connected(const struct state *state);

/* "127.0.0.1:6379/0" or "/run/redis.sock", for logs. Lives as long as the state. */
const char *state_redis_where(const struct state *state);

/* Each server by itself, as a state: the only one, or a cluster's primaries as they were found last. NULL: there are no more.
 * Valid until the next state_redis_connect. */
struct state *state_redis_server(struct state *state, size_t i);

/* Who answers, to notice after a new connection that it is another server or one that was set back, and for `check`. */
struct redis_identity {
    char run_id[48], replication_id[48], version[24];
    bool is_master, is_cluster, aof_enabled;
    bool wants_all_shards; /* of a cluster: answers nobody while a shard is out; false: not so, or not allowed to ask */
    char maxmemory_policy[32];
    int64_t maxmemory_bytes;                                          /* 0: no limit */
    int64_t hash_max_listpack_entries, hash_max_listpack_value_bytes; /* -1: not allowed to ask */
};
/* Of a server by itself. */
bool state_redis_identity(struct state *server, struct redis_identity *identity, enum outcome *outcome,
                          struct error *error) MUST_USE;

/* Who answers, of all servers that are connected, as a number: another process or another history of data makes it another one. */
bool state_redis_history(struct state *state, uint64_t *history, struct error *error) MUST_USE;

/* Same process and same history of data? */
bool redis_identity_same(const struct redis_identity *a, const struct redis_identity *b);
uint64_t redis_identity_hash(const struct redis_identity *identity); /* odd */
