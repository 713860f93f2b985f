/* What commits and reads cost in Redis: CPU of the server by its own account (INFO), and of this side.
 * bench_state [fields [hashes [tenants a batch]]]: a private redis-server is started; figures are the best of several runs. */
#include "daemon/state/redis.h"
#include "tests/unit/private_redis.h"

#include <time.h>

enum {
    RUNS = 20,
    BATCHES = 20,
    TENANTS_MAX = 64
};

struct bench {
    struct private_redis redis;
    struct state *state;
    size_t n_fields, n_hashes, n_tenants;
    struct commit commits[TENANTS_MAX];
    struct hash_read *reads;
    size_t n_reads;
    struct arena arena;
};

struct cost {
    double server_us, own_us, wall_us; /* per field */
};

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The number behind `name` in what INFO says. */
static double info(struct bench *bench, const char *section, const char *name)
{
    redisReply *reply = redisCommand(bench->redis.admin, "INFO %s", section);
    const char *at = strstr(reply->str, name);
    double number = at ? strtod(at + strlen(name), NULL) : 0;
    freeReplyObject(reply);
    return number;
}

static double server_seconds(struct bench *bench)
{
    return info(bench, "cpu", "used_cpu_user:") + info(bench, "cpu", "used_cpu_sys:");
}

static struct span text(struct bench *bench, const char *format, size_t a, size_t b)
{
    char line[96];
    int len = snprintf(line, sizeof line, format, a, b);
    return arena_copy(&bench->arena, (struct span){ line, (size_t)len });
}

static void prepare(struct bench *bench)
{
    bench->n_reads = bench->n_tenants * bench->n_fields;
    bench->reads = arena_zalloc(&bench->arena, bench->n_reads * sizeof *bench->reads);
    for (size_t t = 0; t < bench->n_tenants; t++) {
        struct hash_write *writes = arena_alloc(&bench->arena, bench->n_fields * sizeof *writes);
        for (size_t i = 0; i < bench->n_fields; i++) {
            writes[i].key = text(bench, "crm:{t%zu}:day:%04zu-03-02", t, 2000 + i * bench->n_hashes / bench->n_fields);
            writes[i].field = text(bench, "deal_won:%zu,%zu,,7", i % 97, i);
            writes[i].value = text(bench, "%zu 1300000 0 86400000 %zu", i % 100, i);
            bench->reads[t * bench->n_fields + i] =
                (struct hash_read){ .key = writes[i].key, .fields = &writes[i].field, .n_fields = 1 };
        }
        bench->commits[t] = (struct commit){ .state_key = text(bench, "crm:{t%zu}:state", t, 0),
                                             .timers_key = text(bench, "crm:{t%zu}:timers", t, 0),
                                             .writes = writes,
                                             .n_writes = bench->n_fields };
    }
}

static void commit_batch(struct bench *bench)
{
    struct error error = { 0 };
    bool good = bench->state->ops->commit_begin(bench->state, bench->commits, bench->n_tenants, &error) &&
                bench->state->ops->commit_end(bench->state, &error);
    if (!good) fprintf(stderr, "%s\n", error.text);
    REQUIRE(good);
    for (size_t i = 0; i < bench->n_tenants; i++) bench->commits[i].version = bench->commits[i].version_new;
}

static void read_batch(struct bench *bench)
{
    struct arena arena = { 0 };
    struct error error = { 0 };
    enum outcome outcome;
    REQUIRE(bench->state->ops->read(bench->state, bench->reads, bench->n_reads, &arena, &outcome, &error));
    arena_deinit(&arena);
}

static double lesser(double a, double b)
{
    return a == 0 || b < a ? b : a;
}

static void measure(struct bench *bench, void (*batch)(struct bench *), struct cost *best)
{
    double server = server_seconds(bench), own = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
    for (int i = 0; i < BATCHES; i++) batch(bench);
    wall = seconds(CLOCK_MONOTONIC) - wall;
    own = seconds(CLOCK_PROCESS_CPUTIME_ID) - own;
    server = server_seconds(bench) - server;
    double scale = 1e6 / (double)(BATCHES * bench->n_fields * bench->n_tenants);
    best->server_us = lesser(best->server_us, server * scale);
    best->own_us = lesser(best->own_us, own * scale);
    best->wall_us = lesser(best->wall_us, wall * scale);
}

static void report(const char *what, struct bench *bench, void (*batch)(struct bench *))
{
    struct cost best = { 0 };
    for (int i = 0; i < RUNS; i++) measure(bench, batch, &best);
    printf("%-7s %zu fields in %zu hashes, %zu tenants: server %.2f us a field, own %.2f, wall %.2f\n", what, bench->n_fields,
           bench->n_hashes, bench->n_tenants, best.server_us, best.own_us, best.wall_us);
}

int main(int argc, char **argv)
{
    struct bench bench = { .n_fields = argc > 1 ? strtoul(argv[1], NULL, 10) : 500,
                           .n_hashes = argc > 2 ? strtoul(argv[2], NULL, 10) : 200,
                           .n_tenants = argc > 3 ? strtoul(argv[3], NULL, 10) : 10 };
    struct error error = { 0 };
    REQUIRE(bench.n_fields > 0 && bench.n_tenants > 0 && bench.n_tenants <= TENANTS_MAX);
    private_redis_create(&bench.redis, "");
    bench.state = state_redis_create(
        &(struct redis_settings){ .url = bench.redis.url, .connect_timeout_ms = 2000, .command_timeout_ms = 10000 });
    REQUIRE(state_redis_connect(bench.state, &error));
    prepare(&bench);
    report("commits", &bench, commit_batch);
    report("reads", &bench, read_batch);
    bench.state->ops->destroy(bench.state);
    arena_deinit(&bench.arena);
    private_redis_destroy(&bench.redis);
    return 0;
}
