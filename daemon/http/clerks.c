#include "daemon/http/clerks.h"

#include "daemon/http/thread.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    N_CLERKS = 3,
    WAITING_MAX = 600, /* more than there may be streams */
    RETRY_US = 500 * 1000
};

struct clerk {
    struct clerks *clerks;
    struct answering with;
    pthread_t thread;
    bool started;
    int64_t retry_at_us; /* after an attempt to connect that failed: until then nobody waits for another */
    struct error trouble;
};

struct clerks {
    struct clerk at[N_CLERKS];
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct exchange *first, **last;
    size_t n_waiting;
    bool stop;
    void (*done)(void *context, struct exchange *exchange);
    void *context;
};

/* Takes the first that this clerk may answer out of the queue; NULL: there is none. */
static struct exchange *take_first(struct clerk *clerk)
{
    struct clerks *clerks = clerk->clerks;
    struct exchange **link = &clerks->first;
    while (*link && (*link)->route->by == BY_FIRST && clerk != &clerks->at[0]) link = &(*link)->next;
    struct exchange *exchange = *link;
    if (!exchange) return NULL;
    *link = exchange->next;
    if (!exchange->next) clerks->last = link;
    clerks->n_waiting--;
    exchange->next = NULL;
    return exchange;
}

/* NULL: it is over. */
static struct exchange *next_exchange(struct clerk *clerk)
{
    struct clerks *clerks = clerk->clerks;
    struct exchange *exchange = NULL;
    pthread_mutex_lock(&clerks->lock);
    while (!clerks->stop && !(exchange = take_first(clerk))) pthread_cond_wait(&clerks->filled, &clerks->lock);
    pthread_mutex_unlock(&clerks->lock);
    return exchange;
}

static bool is_connected(struct clerk *clerk)
{
    if (state_redis_connected(clerk->with.state)) return true;
    if (thread_monotonic_us() < clerk->retry_at_us) return false;
    clerk->trouble = (struct error){ "" };
    if (state_redis_connect(clerk->with.state, &clerk->trouble)) return true;
    clerk->retry_at_us = thread_monotonic_us() + RETRY_US;
    return false;
}

static void answer(struct clerk *clerk, struct exchange *exchange)
{
    if (is_connected(clerk)) {
        exchange->route->answer(&clerk->with, exchange);
        REQUIRE(exchange->answer.status != 0);
    } else {
        answer_problem(exchange, 503, "redis_away", "%s", clerk->trouble.text);
        exchange->answer.retry_after_s = 1;
    }
}

static void *work(void *context)
{
    struct clerk *clerk = context;
    thread_steps_back("http-clerk");
    for (struct exchange *exchange; (exchange = next_exchange(clerk));) {
        answer(clerk, exchange);
        clerk->clerks->done(clerk->clerks->context, exchange);
    }
    return NULL;
}

static bool start_clerk(struct clerks *clerks, struct clerk *clerk, const struct answering *with)
{
    struct redis_settings redis = engine_redis(with->engine);
    redis.client_name = "crm-reportd-http";
    clerk->clerks = clerks;
    clerk->with = *with;
    clerk->with.state = state_redis_create(&redis);
    clerk->started = pthread_create(&clerk->thread, NULL, work, clerk) == 0;
    return clerk->started;
}

struct clerks *clerks_start(const struct answering *with, void (*done)(void *context, struct exchange *exchange), void *context,
                            struct error *error)
{
    struct clerks *clerks = must_zalloc(sizeof *clerks);
    pthread_mutex_init(&clerks->lock, NULL);
    pthread_cond_init(&clerks->filled, NULL);
    clerks->last = &clerks->first;
    clerks->done = done;
    clerks->context = context;
    bool fine = true;
    for (int i = 0; i < N_CLERKS && fine; i++) fine = start_clerk(clerks, &clerks->at[i], with);
    if (fine) return clerks;
    fail(error, "no thread for HTTP");
    clerks_stop(clerks);
    return NULL;
}

void clerks_stop(struct clerks *clerks)
{
    if (!clerks) return;
    pthread_mutex_lock(&clerks->lock);
    clerks->stop = true;
    pthread_cond_broadcast(&clerks->filled);
    pthread_mutex_unlock(&clerks->lock);
    for (int i = 0; i < N_CLERKS; i++) {
        struct clerk *clerk = &clerks->at[i];
        if (clerk->started) pthread_join(clerk->thread, NULL);
        if (clerk->with.state) clerk->with.state->ops->destroy(clerk->with.state);
    }
    pthread_cond_destroy(&clerks->filled);
    pthread_mutex_destroy(&clerks->lock);
    free(clerks);
}

bool clerks_take(struct clerks *clerks, struct exchange *exchange)
{
    pthread_mutex_lock(&clerks->lock);
    bool room = clerks->n_waiting < WAITING_MAX;
    if (room) {
        *clerks->last = exchange;
        clerks->last = &exchange->next;
        clerks->n_waiting++;
        if (exchange->route->by == BY_FIRST)
            pthread_cond_broadcast(&clerks->filled); /* the one that a signal wakes may not be the first */
        else
            pthread_cond_signal(&clerks->filled);
    }
    pthread_mutex_unlock(&clerks->lock);
    if (room) return true;
    answer_problem(exchange, 503, "too_busy", "%d requests wait already", WAITING_MAX);
    exchange->answer.retry_after_s = 1;
    return false;
}
