/* A router over connections: reads and commits are split by server, on their way to all of them at once, and come back in order.
 * It follows no redirection: a server that has not got a slot any more is left, like one that is lost, and what was asked is
 * asked again by whoever asked, once cluster_connect has found out who has it. */
#include "daemon/state/cluster.h"

#include "daemon/state/server.h"
#include "daemon/state/slots.h"

#include <stdio.h>
#include <stdlib.h>

struct cluster {
    struct state state;
    struct connection *any;
    struct server *nowhere; /* what nobody serves is asked of it, in vain */
    struct slot_map map;
    struct server **nodes; /* as many as in the map, in its order */
};

extern const struct state_ops cluster_ops;

static struct cluster *cluster_of(const struct state *state)
{
    REQUIRE(state->ops == &cluster_ops);
    return (struct cluster *)state;
}

static struct server *server_of_slot(const struct cluster *cluster, uint16_t slot)
{
    uint16_t owner = cluster->map.owner[slot];
    return owner == NO_OWNER ? cluster->nowhere : cluster->nodes[owner];
}

struct state *cluster_server(struct state *state, uint16_t slot)
{
    return &server_of_slot(cluster_of(state), slot)->state;
}

size_t cluster_owner(const struct state *state, uint16_t slot)
{
    return cluster_of(state)->map.owner[slot];
}

struct state *cluster_node(struct state *state, size_t i)
{
    const struct cluster *cluster = cluster_of(state);
    return i < cluster->map.n_nodes ? &cluster->nodes[i]->state : NULL;
}

const char *cluster_where(const struct state *state)
{
    return connection_where(cluster_of(state)->any);
}

/* ---- who has which slot ---- */

static bool ask_slots(struct connection *connection, struct slot_map *map, struct error *error)
{
    enum outcome outcome;
    if (!connection_open(connection, error)) return false;
    request_texts(connection, 2, "CLUSTER", "SLOTS");
    redisReply *reply = connection_answer_ok(connection, &outcome, error);
    bool good = reply && slot_map_read(map, reply, connection_address(connection)->host, error);
    if (reply) freeReplyObject(reply);
    connection_settle(connection);
    if (!good) return false;
    size_t unserved = slot_map_unserved(map);
    if (!unserved) return true;
    slot_map_deinit(map);
    return fail(error, "redis %s: %zu of %d slots of the cluster are served by nobody", connection_where(connection), unserved,
                (int)N_SLOTS);
}

/* Nodes whose connection stands, then those of the url. */
static bool find_slots(struct cluster *cluster, struct slot_map *map, struct error *error)
{
    const struct address *address = connection_address(cluster->any);
    struct error why = { "" };
    for (size_t i = 0; i < cluster->map.n_nodes; i++)
        if (connection_is_open(cluster->nodes[i]->connection) && ask_slots(cluster->nodes[i]->connection, map, &why)) return true;
    for (size_t i = 0; i < address->n_seeds; i++) {
        struct connection *seed = connection_to(cluster->any, &address->seeds[i]);
        bool found = ask_slots(seed, map, &why);
        connection_destroy(seed);
        if (found) return true;
    }
    return fail(error, "%s", why.text);
}

static struct server *take_node(struct cluster *cluster, const struct endpoint *endpoint)
{
    for (size_t i = 0; i < cluster->map.n_nodes; i++) {
        struct server *node = cluster->nodes[i];
        const struct address *address = node ? connection_address(node->connection) : NULL;
        if (!node || address->port != endpoint->port || strcmp(address->host, endpoint->host) != 0) continue;
        cluster->nodes[i] = NULL;
        return node;
    }
    return server_create(connection_to(cluster->any, endpoint));
}

static void drop_nodes(struct cluster *cluster)
{
    for (size_t i = 0; i < cluster->map.n_nodes; i++)
        if (cluster->nodes[i]) server_ops.destroy(&cluster->nodes[i]->state);
    free(cluster->nodes);
    slot_map_deinit(&cluster->map);
}

static void follow_map(struct cluster *cluster, const struct slot_map *map)
{
    struct server **nodes = must_alloc(map->n_nodes * sizeof(struct server *));
    for (size_t i = 0; i < map->n_nodes; i++) nodes[i] = take_node(cluster, &map->nodes[i]);
    drop_nodes(cluster);
    cluster->nodes = nodes;
    cluster->map = *map;
}

bool cluster_connected(const struct state *state)
{
    const struct cluster *cluster = cluster_of(state);
    for (size_t i = 0; i < cluster->map.n_nodes; i++)
        if (!connection_is_open(cluster->nodes[i]->connection)) return false;
    return cluster->map.n_nodes > 0;
}

bool cluster_connect(struct state *state, struct error *error)
{
    struct cluster *cluster = cluster_of(state);
    struct slot_map map;
    bool all = true;
    if (cluster_connected(state)) return true;
    if (!find_slots(cluster, &map, error)) return false;
    follow_map(cluster, &map);
    for (size_t i = 0; i < map.n_nodes; i++) all &= connection_open(cluster->nodes[i]->connection, error);
    return all;
}

/* ---- reads ---- */

/* The reads of each server, together, in the order given. */
struct split {
    struct reading *of; /* per node, and last nowhere */
    size_t n;
    uint16_t *owners; /* of each read */
};

static uint16_t owner_of(const struct cluster *cluster, struct span key)
{
    uint16_t owner = cluster->map.owner[slot_of(key)];
    return owner == NO_OWNER ? (uint16_t)cluster->map.n_nodes : owner;
}

static struct split split_reads(struct cluster *cluster, const struct hash_read *reads, size_t n, struct arena *arena,
                                struct error *error)
{
    struct split split = { .n = cluster->map.n_nodes + 1 };
    size_t *counts = arena_zalloc(arena, split.n * sizeof *counts);
    split.of = arena_alloc(arena, split.n * sizeof *split.of);
    split.owners = arena_alloc(arena, n * sizeof *split.owners);
    for (size_t i = 0; i < n; i++) counts[split.owners[i] = owner_of(cluster, reads[i].key)]++;
    for (size_t node = 0; node < split.n; node++) {
        struct server *server = node < cluster->map.n_nodes ? cluster->nodes[node] : cluster->nowhere;
        struct hash_read *own = arena_alloc(arena, counts[node] * sizeof *own);
        for (size_t i = 0, at = 0; at < counts[node]; i++)
            if (split.owners[i] == node) own[at++] = reads[i];
        split.of[node] = reading_begin(server, own, counts[node], error);
    }
    return split;
}

/* What was read, back to where it was asked for. */
static void join_reads(const struct split *split, struct hash_read *reads, size_t n, struct arena *arena)
{
    size_t *at = arena_zalloc(arena, split->n * sizeof *at);
    for (size_t i = 0; i < n; i++) {
        uint16_t owner = split->owners[i];
        reads[i] = split->of[owner].reads[at[owner]++];
    }
}

static bool cluster_read(struct state *state, struct hash_read *reads, size_t n, struct arena *arena, enum outcome *outcome,
                         struct error *error)
{
    struct split split = split_reads(cluster_of(state), reads, n, arena, error);
    *outcome = DONE;
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < split.n; i++)
            if (!reading_is_over(&split.of[i])) reading_ask(&split.of[i], error);
        for (size_t i = 0; i < split.n; i++) {
            reading_answer(&split.of[i], arena, error);
            more |= !reading_is_over(&split.of[i]);
        }
    }
    for (size_t i = 0; i < split.n; i++)
        if (*outcome != LOST && split.of[i].outcome != DONE) *outcome = split.of[i].outcome;
    if (*outcome == DONE) join_reads(&split, reads, n, arena);
    return *outcome == DONE;
}

/* ---- what one server answers ---- */

static bool cluster_read_atomic(struct state *state, struct hash_read *reads, size_t n, struct arena *arena,
                                enum outcome *outcome, struct error *error)
{
    *outcome = DONE;
    return !n || server_ops.read_atomic(state_of_key(state, reads[0].key), reads, n, arena, outcome, error);
}

static bool cluster_timers(struct state *state, struct span timers_key, int64_t until_us, size_t limit, struct arena *arena,
                           struct timer **timers, size_t *n, enum outcome *outcome, struct error *error)
{
    return server_ops.timers(state_of_key(state, timers_key), timers_key, until_us, limit, arena, timers, n, outcome, error);
}

static bool cluster_clock(struct state *state, int64_t *now_us, enum outcome *outcome, struct error *error)
{
    return server_ops.clock(cluster_server(state, 0), now_us, outcome, error);
}

/* ---- commits ---- */

static bool cluster_commit_begin(struct state *state, struct commit *commits, size_t n, struct error *error)
{
    struct cluster *cluster = cluster_of(state);
    size_t under_way = 0;
    commits_begin(&cluster->nowhere->commits);
    for (size_t i = 0; i < cluster->map.n_nodes; i++) commits_begin(&cluster->nodes[i]->commits);
    for (size_t i = 0; i < n; i++) commits_add(&server_of_slot(cluster, slot_of(commits[i].state_key))->commits, &commits[i]);
    for (size_t i = 0; i <= cluster->map.n_nodes; i++) {
        struct commits *own = i < cluster->map.n_nodes ? &cluster->nodes[i]->commits : &cluster->nowhere->commits;
        under_way += own->n && commits_send(own, error);
    }
    return under_way > 0;
}

static bool cluster_commit_end(struct state *state, struct error *error)
{
    struct cluster *cluster = cluster_of(state);
    bool good = commits_end(&cluster->nowhere->commits, error);
    for (size_t i = 0; i < cluster->map.n_nodes; i++) good &= commits_end(&cluster->nodes[i]->commits, error);
    return good;
}

/* ---- life ---- */

static void cluster_destroy(struct state *state)
{
    struct cluster *cluster = cluster_of(state);
    drop_nodes(cluster);
    server_ops.destroy(&cluster->nowhere->state);
    connection_destroy(cluster->any);
    free(cluster);
}

const struct state_ops cluster_ops = {
    .read = cluster_read,
    .read_atomic = cluster_read_atomic,
    .timers = cluster_timers,
    .commit_begin = cluster_commit_begin,
    .commit_end = cluster_commit_end,
    .clock = cluster_clock,
    .destroy = cluster_destroy,
};

struct state *cluster_create(struct connection *any)
{
    struct cluster *cluster = must_zalloc(sizeof *cluster);
    struct endpoint nowhere = { "(nobody)", 1 };
    cluster->state.ops = &cluster_ops;
    cluster->any = any;
    cluster->nowhere = server_create(connection_to(any, &nowhere));
    slot_map_deinit(&cluster->map);
    return &cluster->state;
}
