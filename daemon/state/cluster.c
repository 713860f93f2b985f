/* A router over connections: reads and commits are split by server, on their way to all of them at once, and come back in order.
 * It follows no redirection: a server that has not got a slot any more is left, like one that is lost, and what was asked is
 * asked again by whoever asked, once cluster_connect has found out who has it. */
#include "daemon/state/cluster.h"

#include "daemon/clock.h"
#include "daemon/state/server.h"
#include "daemon/state/slots.h"

#include <stdlib.h>

#define RETRY_FIRST_US (100 * MICROS_PER_MS)
#define RETRY_LONGEST_US (1000 * MICROS_PER_MS)

/* A server that lets us wait for it is tried so rarely that four fifths of the time are left for the others. To greet it we do not
 * wait for as long as a command may take: it is noticed within two seconds that it is back. */
enum {
    PAUSE_PER_WAIT = 4,
    PATIENCE_MS = 1000,
    PATIENCE_OUT_MS = 350
};

struct node {
    struct server *server;
    bool out; /* could not be reached: its slots wait, the others go on */
    int64_t retry_wait_us, retry_at_us;
};

struct cluster {
    struct state state;
    struct connection *any;
    struct slot_map map;
    struct node *nodes; /* as many as in the map, in its order, and one more: what nobody serves is asked of it, in vain */
    int64_t look_at_us; /* while one is out: whether another has taken its place is asked of the others so soon */
};

static const struct state_ops cluster_ops;

static struct cluster *cluster_of(const struct state *state)
{
    REQUIRE(state->ops == &cluster_ops);
    return (struct cluster *)state;
}

static size_t node_of_slot(const struct cluster *cluster, uint16_t slot)
{
    uint16_t owner = cluster->map.owner[slot];
    return owner == NO_OWNER ? cluster->map.n_nodes : owner;
}

struct state *cluster_server(struct state *state, uint16_t slot)
{
    const struct cluster *cluster = cluster_of(state);
    return &cluster->nodes[node_of_slot(cluster, slot)].server->state;
}

size_t cluster_owner(const struct state *state, uint16_t slot)
{
    return cluster_of(state)->map.owner[slot];
}

struct state *cluster_node(struct state *state, size_t i)
{
    const struct cluster *cluster = cluster_of(state);
    return i < cluster->map.n_nodes ? &cluster->nodes[i].server->state : NULL;
}

const char *cluster_where(const struct state *state)
{
    return connection_where(cluster_of(state)->any);
}

/* ---- who has which slot ---- */

static bool ask_slots(struct connection *connection, struct slot_map *map, struct error *error)
{
    enum outcome outcome;
    if (!connection_open_within(connection, PATIENCE_MS, error)) return false;
    request_texts(connection, 2, "CLUSTER", "SLOTS");
    redisReply *reply = connection_answer_ok(connection, &outcome, error);
    bool good = reply && slot_map_read(map, reply, connection_address(connection)->host, error);
    reply_free(reply);
    connection_settle(connection);
    if (good && slot_map_unserved(map) < N_SLOTS) return true;
    if (good) slot_map_deinit(map);
    return good && fail(error, "redis %s serves no slot, and knows of nobody who does", connection_where(connection));
}

static bool ask_endpoint(const struct cluster *cluster, const struct endpoint *endpoint, struct slot_map *map,
                         struct error *error)
{
    struct connection *connection = connection_to(cluster->any, endpoint);
    bool found = ask_slots(connection, map, error);
    connection_destroy(connection);
    return found;
}

/* Nodes whose connection stands, then those of the url, then those that once were. */
static bool find_slots(struct cluster *cluster, struct slot_map *map, struct error *error)
{
    const struct address *address = connection_address(cluster->any);
    for (size_t i = 0; i < cluster->map.n_nodes; i++) {
        struct connection *connection = cluster->nodes[i].server->connection;
        if (connection_is_open(connection) && ask_slots(connection, map, error)) return true;
    }
    for (size_t i = 0; i < address->n_seeds; i++)
        if (ask_endpoint(cluster, &address->seeds[i], map, error)) return true;
    for (size_t i = 0; i < cluster->map.n_nodes; i++)
        if (ask_endpoint(cluster, &cluster->map.nodes[i], map, error)) return true;
    return false;
}

static struct node take_node(struct cluster *cluster, const struct endpoint *endpoint)
{
    for (size_t i = 0; i < cluster->map.n_nodes; i++) {
        struct node node = cluster->nodes[i];
        const struct address *address = node.server ? connection_address(node.server->connection) : NULL;
        if (!address || address->port != endpoint->port || strcmp(address->host, endpoint->host) != 0) continue;
        cluster->nodes[i].server = NULL;
        return node;
    }
    return (struct node){ .server = server_create(connection_to(cluster->any, endpoint)) };
}

static void drop_nodes(struct cluster *cluster)
{
    for (size_t i = 0; i < cluster->map.n_nodes; i++)
        if (cluster->nodes[i].server) server_ops.destroy(&cluster->nodes[i].server->state);
    free(cluster->nodes);
    slot_map_deinit(&cluster->map);
}

static void follow_map(struct cluster *cluster, const struct slot_map *map)
{
    struct node *nodes = must_alloc((map->n_nodes + 1) * sizeof *nodes), nowhere = cluster->nodes[cluster->map.n_nodes];
    for (size_t i = 0; i < map->n_nodes; i++) nodes[i] = take_node(cluster, &map->nodes[i]);
    nodes[map->n_nodes] = nowhere;
    drop_nodes(cluster);
    cluster->nodes = nodes;
    cluster->map = *map;
}

/* ---- who can be reached ---- */

static void note_reached(struct node *node, bool reached, int64_t began_us)
{
    int64_t now_us = clock_us(CLOCK_MONOTONIC), pause_us = (now_us - began_us) * PAUSE_PER_WAIT;
    int64_t wait_us = node->out ? node->retry_wait_us * 2 : RETRY_FIRST_US;
    node->out = !reached;
    node->retry_wait_us = wait_us < RETRY_LONGEST_US ? wait_us : RETRY_LONGEST_US;
    node->retry_at_us = now_us + (pause_us > node->retry_wait_us ? pause_us : node->retry_wait_us);
}

/* Nothing to be done about it now. */
static bool is_settled(const struct node *node)
{
    return node->out ? clock_us(CLOCK_MONOTONIC) < node->retry_at_us : connection_is_open(node->server->connection);
}

/* Stands for the slots that nobody serves. */
static bool are_settled_nowhere(const struct cluster *cluster)
{
    const struct node *nowhere = &cluster->nodes[cluster->map.n_nodes];
    return !nowhere->out || is_settled(nowhere);
}

bool cluster_connected(const struct state *state)
{
    const struct cluster *cluster = cluster_of(state);
    size_t open = 0, out = 0;
    for (size_t i = 0; i < cluster->map.n_nodes; i++) {
        if (!is_settled(&cluster->nodes[i])) return false;
        open += connection_is_open(cluster->nodes[i].server->connection);
        out += cluster->nodes[i].out;
    }
    if (out && clock_us(CLOCK_MONOTONIC) >= cluster->look_at_us) return false;
    return open > 0 && are_settled_nowhere(cluster);
}

static bool reach(struct node *node, struct error *error)
{
    int64_t began_us = clock_us(CLOCK_MONOTONIC);
    struct connection *connection = node->server->connection;
    if (node->out && began_us < node->retry_at_us) return false;
    bool reached = connection_open_within(connection, node->out ? PATIENCE_OUT_MS : PATIENCE_MS, error);
    note_reached(node, reached, began_us);
    return reached;
}

bool cluster_connect(struct state *state, struct error *error)
{
    struct cluster *cluster = cluster_of(state);
    struct slot_map map;
    size_t open = 0;
    if (cluster_connected(state)) return true;
    if (!find_slots(cluster, &map, error)) return false;
    *error = (struct error){ "" }; /* who was asked for the slots in vain may not even be needed */
    follow_map(cluster, &map);
    for (size_t i = 0; i < map.n_nodes; i++) open += reach(&cluster->nodes[i], error);
    cluster->look_at_us = clock_us(CLOCK_MONOTONIC) + RETRY_LONGEST_US;
    size_t unserved = slot_map_unserved(&map);
    note_reached(&cluster->nodes[map.n_nodes], !unserved, clock_us(CLOCK_MONOTONIC));
    if (unserved) fail(error, "redis %s: nobody serves %zu of %d slots", cluster_where(state), unserved, (int)N_SLOTS);
    if (!open && !error->text[0]) fail(error, "redis %s: none of %zu servers answers", cluster_where(state), map.n_nodes);
    return open > 0;
}

bool cluster_reaches(const struct state *state, uint16_t slot)
{
    const struct cluster *cluster = cluster_of(state);
    return connection_is_open(cluster->nodes[node_of_slot(cluster, slot)].server->connection);
}

bool cluster_reaches_all(const struct state *state)
{
    const struct cluster *cluster = cluster_of(state);
    for (size_t i = 0; i < cluster->map.n_nodes; i++)
        if (!connection_is_open(cluster->nodes[i].server->connection)) return false;
    return cluster->map.n_nodes > 0 && !cluster->nodes[cluster->map.n_nodes].out;
}

bool state_redis_reaches(const struct state *state, struct span tenant)
{
    return state->ops != &cluster_ops || cluster_reaches(state, slot_of(tenant));
}

/* ---- reads ---- */

/* The reads of each server, together, in the order given. */
struct split {
    struct server_reading *of; /* per node, and last nowhere */
    size_t n;
    uint16_t *owners; /* of each read */
};

static struct split split_reads(struct cluster *cluster, const struct hash_read *reads, size_t n, struct arena *arena,
                                struct error *error)
{
    struct split split = { .n = cluster->map.n_nodes + 1 };
    size_t *counts = arena_zalloc(arena, split.n * sizeof *counts);
    split.of = arena_alloc(arena, split.n * sizeof *split.of);
    split.owners = arena_alloc(arena, n * sizeof *split.owners);
    for (size_t i = 0; i < n; i++) counts[split.owners[i] = (uint16_t)node_of_slot(cluster, slot_of(reads[i].key))]++;
    for (size_t node = 0; node < split.n; node++) {
        struct hash_read *own = arena_alloc(arena, counts[node] * sizeof *own);
        for (size_t i = 0, at = 0; at < counts[node]; i++)
            if (split.owners[i] == node) own[at++] = reads[i];
        split.of[node] = server_reading_begin(cluster->nodes[node].server, own, counts[node], error);
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
            if (!server_reading_is_over(&split.of[i])) server_reading_ask(&split.of[i], error);
        for (size_t i = 0; i < split.n; i++) {
            server_reading_answer(&split.of[i], arena, error);
            more |= !server_reading_is_over(&split.of[i]);
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
    const struct cluster *cluster = cluster_of(state);
    size_t i = 0;
    while (i < cluster->map.n_nodes && !connection_is_open(cluster->nodes[i].server->connection)) i++;
    return server_ops.clock(&cluster->nodes[i].server->state, now_us, outcome, error);
}

/* ---- commits ---- */

static bool cluster_commit_begin(struct state *state, struct commit *commits, size_t n, struct error *error)
{
    struct cluster *cluster = cluster_of(state);
    size_t under_way = 0;
    for (size_t i = 0; i <= cluster->map.n_nodes; i++) commits_begin(&cluster->nodes[i].server->commits);
    for (size_t i = 0; i < n; i++)
        commits_add(&cluster->nodes[node_of_slot(cluster, slot_of(commits[i].state_key))].server->commits, &commits[i]);
    for (size_t i = 0; i <= cluster->map.n_nodes; i++) {
        struct commits *own = &cluster->nodes[i].server->commits;
        under_way += own->n && commits_send(own, error);
    }
    return under_way > 0;
}

static bool cluster_commit_end(struct state *state, struct error *error)
{
    struct cluster *cluster = cluster_of(state);
    bool good = true;
    for (size_t i = 0; i <= cluster->map.n_nodes; i++) good &= commits_end(&cluster->nodes[i].server->commits, error);
    return good;
}

/* ---- life ---- */

static void cluster_destroy(struct state *state)
{
    struct cluster *cluster = cluster_of(state);
    server_ops.destroy(&cluster->nodes[cluster->map.n_nodes].server->state);
    drop_nodes(cluster);
    connection_destroy(cluster->any);
    free(cluster);
}

static const struct state_ops cluster_ops = {
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
    slot_map_deinit(&cluster->map);
    cluster->nodes = must_zalloc(sizeof *cluster->nodes);
    cluster->nodes[0].server = server_create(connection_to(any, &nowhere));
    return &cluster->state;
}
