#include "daemon/run/daemon.h"

#include "daemon/publish/publisher.h"
#include "daemon/run/kafka.h"
#include "daemon/sink/kafka.h"
#include "daemon/source/kafka.h"
#include "daemon/state/marks.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    TURN_MS = 50,
    DRAIN_MS = 2000,
    LOOK_MS = 250
};

/* One worker and what it works with. The engine is found through the daemon. */
struct post {
    struct daemon *daemon;
    int number;
    pthread_t thread; /* its worker's; once that has ended, the one that leaves Kafka */
    bool running, leaving;
    struct source *source;
    struct state *state;
    struct mark_keeper *marks;
    struct sink *dead_letters;
    struct worker *worker;
    struct error error;
    atomic_bool failed;
    struct worker_sight *sight; /* the newest; NULL: none yet. Under the daemon's lock */
    int64_t look_at_us;         /* monotonic: when the next is due */
};

struct daemon {
    struct engine *engine;
    struct post *posts;
    int n_posts;
    struct publisher *publisher;
    atomic_bool stop;
    pthread_mutex_t lock; /* of the posts' sights */
};

/* ---- callbacks ---- */

static int64_t post_clock(void *context)
{
    const struct post *post = context;
    return engine_clock(post->daemon->engine);
}

static void hand_over(void *context, struct committed *committed)
{
    struct post *post = context;
    publisher_take(post->daemon->publisher, committed);
}

static void post_acknowledged(void *context, void *tag, enum delivery delivery, const char *why)
{
    struct post *post = context;
    worker_acknowledged(post->worker, tag, delivery, why);
}

/* ---- one worker ---- */

static bool open_adapters(struct post *post, struct error *error)
{
    struct arena arena = { 0 };
    struct engine *engine = post->daemon->engine;
    const struct settings *settings = engine->settings;
    struct kafka_source_settings source = { .kafka = run_kafka_settings(engine, &arena),
                                            .topics = settings->topics.in.at,
                                            .n_topics = settings->topics.in.n,
                                            .batch_records = BATCH_RECORDS,
                                            .worker = post->number,
                                            .workers = (int)settings->workers };
    struct redis_settings redis = engine_redis(engine);
    post->state = state_redis_create(&redis);
    post->marks = marks_redis_create(post->state, settings->prefix);
    post->source = kafka_source_create(&source, error);
    struct acknowledged acknowledged = { post_acknowledged, post };
    if (post->source) post->dead_letters = kafka_sink_create(&source.kafka, acknowledged, error);
    arena_deinit(&arena);
    return post->dead_letters != NULL;
}

/* From the worker's own thread, or before there is one. */
static void limit(struct post *post)
{
    const struct memory *memory = &post->daemon->engine->memory;
    worker_limit(post->worker, memory->cache / (size_t)post->daemon->n_posts, memory->round, memory->unused);
}

static bool open_post(struct post *post, bool accept_gap, struct error *error)
{
    if (!open_adapters(post, error)) return false;
    struct worker_parts parts = engine_parts(post->daemon->engine);
    parts.source = post->source;
    parts.state = post->state;
    parts.marks = post->marks;
    parts.dead_letters = post->dead_letters;
    parts.clock = post_clock;
    parts.context = post;
    parts.committed = hand_over;
    parts.accept_gap = accept_gap;
    post->worker = worker_create(&parts);
    limit(post);
    return true;
}

/* Takes its time where Kafka does not answer. The worker stays for what is still acknowledged. */
static void *leave_kafka(void *context)
{
    struct post *post = context;
    source_destroy(post->source);
    sink_destroy(post->dead_letters);
    post->source = NULL;
    post->dead_letters = NULL;
    return NULL;
}

static void close_post(struct post *post)
{
    if (post->leaving)
        pthread_join(post->thread, NULL);
    else
        leave_kafka(post);
    worker_destroy(post->worker);
    marks_redis_destroy(post->marks);
    if (post->state) post->state->ops->destroy(post->state);
}

/* Now and then a new sight takes the place of the one before. */
static void look(struct post *post)
{
    int64_t now_us = worker_monotonic();
    if (now_us < post->look_at_us) return;
    post->look_at_us = now_us + LOOK_MS * MICROS_PER_MS;
    if (!post->number) memory_balance(&post->daemon->engine->memory, memory_resident());
    limit(post);
    struct worker_sight *fresh = worker_look(post->worker);
    pthread_mutex_lock(&post->daemon->lock);
    struct worker_sight *old = post->sight;
    post->sight = fresh;
    pthread_mutex_unlock(&post->daemon->lock);
    worker_sight_destroy(old);
}

static void *work(void *context)
{
    struct post *post = context;
    pthread_setname_np(pthread_self(), "worker");
    while (!atomic_load(&post->daemon->stop) && worker_turn(post->worker, TURN_MS, &post->error)) look(post);
    worker_drain(post->worker, DRAIN_MS);
    if (post->error.text[0]) {
        log_event(LEVEL_ERROR, "worker_stopped", "worker=%d cause=%s", post->number, post->error.text);
        atomic_store(&post->failed, true);
    }
    return NULL;
}

/* ---- the whole ---- */

static void free_daemon(struct daemon *daemon)
{
    for (int i = 0; i < daemon->n_posts; i++) close_post(&daemon->posts[i]);
    publisher_destroy(daemon->publisher);
    for (int i = 0; i < daemon->n_posts; i++) worker_sight_destroy(daemon->posts[i].sight);
    pthread_mutex_destroy(&daemon->lock);
    free(daemon->posts);
    free(daemon);
}

static bool start_all(struct daemon *daemon, bool accept_gap, struct error *error)
{
    daemon->publisher = publisher_start(daemon->engine, error);
    if (!daemon->publisher) return false;
    for (int i = 0; i < daemon->n_posts; i++) {
        daemon->posts[i].daemon = daemon;
        daemon->posts[i].number = i;
        if (!open_post(&daemon->posts[i], accept_gap, error)) return false;
    }
    for (int i = 0; i < daemon->n_posts; i++) {
        daemon->posts[i].running = pthread_create(&daemon->posts[i].thread, NULL, work, &daemon->posts[i]) == 0;
        if (!daemon->posts[i].running) return fail(error, "no thread for worker %d", i);
    }
    return true;
}

static void join_workers(struct daemon *daemon)
{
    atomic_store(&daemon->stop, true);
    for (int i = 0; i < daemon->n_posts; i++)
        if (daemon->posts[i].running) pthread_join(daemon->posts[i].thread, NULL);
}

/* All at once, while the publisher sends what is committed: one after the other many workers would take too long. */
static void leave_all(struct daemon *daemon)
{
    for (int i = 0; i < daemon->n_posts; i++) {
        struct post *post = &daemon->posts[i];
        post->leaving = pthread_create(&post->thread, NULL, leave_kafka, post) == 0;
    }
}

struct daemon *daemon_start(struct engine *engine, bool accept_gap, struct error *error)
{
    struct daemon *daemon = must_zalloc(sizeof *daemon);
    daemon->engine = engine;
    pthread_mutex_init(&daemon->lock, NULL);
    daemon->n_posts = (int)engine->settings->workers;
    daemon->posts = must_zalloc((size_t)daemon->n_posts * sizeof *daemon->posts);
    if (start_all(daemon, accept_gap, error)) return daemon;
    join_workers(daemon);
    leave_all(daemon);
    free_daemon(daemon);
    return NULL;
}

bool daemon_failed(struct daemon *daemon, struct error *error)
{
    for (int i = 0; i < daemon->n_posts; i++) {
        if (!atomic_load(&daemon->posts[i].failed)) continue;
        *error = daemon->posts[i].error;
        return true;
    }
    return false;
}

struct worker_counts daemon_counts(const struct daemon *daemon)
{
    struct worker_counts sum = { 0 };
    for (int i = 0; i < daemon->n_posts; i++) {
        struct worker_counts one = worker_counts(daemon->posts[i].worker);
        const uint64_t *from = (const uint64_t *)&one;
        uint64_t *to = (uint64_t *)&sum;
        for (size_t field = 0; field < sizeof sum / sizeof *to; field++) to[field] += from[field];
    }
    return sum;
}

void daemon_set_alerts(struct daemon *daemon, struct alert_rules *rules)
{
    publisher_set_alerts(daemon->publisher, rules);
}

void daemon_sights(struct daemon *daemon, void (*each)(void *context, int worker, const struct worker_sight *sight),
                   void *context)
{
    pthread_mutex_lock(&daemon->lock);
    for (int i = 0; i < daemon->n_posts; i++) each(context, i, daemon->posts[i].sight);
    pthread_mutex_unlock(&daemon->lock);
}

struct publisher *daemon_publisher(const struct daemon *daemon)
{
    return daemon->publisher;
}

void daemon_stop(struct daemon *daemon)
{
    if (!daemon) return;
    join_workers(daemon);
    leave_all(daemon);
    publisher_drain(daemon->publisher, DRAIN_MS);
    free_daemon(daemon);
}
