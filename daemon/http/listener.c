#include "daemon/http/listener.h"

#include "daemon/http/thread.h"
#include "daemon/settings/forms.h"
#include "daemon/settings/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    LOOK_MS = 200,
    RETRY_MS = 500,
    QUEUE_MAX = 4096,
    NAME_BYTES = 72
};

struct heard {
    char tenant[NAME_BYTES], report[NAME_BYTES];
    uint8_t tenant_len, report_len;
    int64_t version;
};

struct listener {
    struct hints *hints;
    void (*filled)(void *context);
    void *context;
    pthread_t thread;
    atomic_bool stop;
    pthread_mutex_t lock; /* of the queue */
    struct heard queue[QUEUE_MAX];
    size_t n;
    bool missed;
    char trouble[ERROR_TEXT_BYTES]; /* empty: none */
    struct log_cause cause;
};

static void keep(struct listener *listener, const struct hint *hint)
{
    if (!form_name(hint->tenant) || (hint->report.len && !form_name(hint->report))) return; /* not ours */
    pthread_mutex_lock(&listener->lock);
    bool room = listener->n < QUEUE_MAX, first = listener->n == 0;
    if (room) {
        struct heard *heard = &listener->queue[listener->n++];
        memcpy(heard->tenant, hint->tenant.at, hint->tenant.len);
        memcpy(heard->report, hint->report.at, hint->report.len);
        heard->tenant_len = (uint8_t)hint->tenant.len;
        heard->report_len = (uint8_t)hint->report.len;
        heard->version = hint->version;
    }
    listener->missed |= !room;
    pthread_mutex_unlock(&listener->lock);
    if (first) listener->filled(listener->context);
}

/* Subscribed: whoever was there before may have missed something. */
static void begin(struct listener *listener)
{
    pthread_mutex_lock(&listener->lock);
    listener->missed = true;
    listener->trouble[0] = '\0';
    pthread_mutex_unlock(&listener->lock);
    log_cause_over(&listener->cause, "hints_again", "");
    listener->filled(listener->context);
}

static void note_trouble(struct listener *listener, const char *text)
{
    pthread_mutex_lock(&listener->lock);
    snprintf(listener->trouble, sizeof listener->trouble, "%s", text);
    pthread_mutex_unlock(&listener->lock);
}

static void *listen_all(void *context)
{
    struct listener *listener = context;
    thread_steps_back("http-listener");
    while (!atomic_load(&listener->stop)) {
        struct hint hint;
        struct error error = { "" };
        switch (hints_next(listener->hints, LOOK_MS, &hint, &error)) {
        case HINTS_ONE:
            keep(listener, &hint);
            break;
        case HINTS_BEGIN:
            begin(listener);
            break;
        case HINTS_LOST:
            note_trouble(listener, error.text);
            log_cause(&listener->cause, LEVEL_WARN, "no_hints", "", error.text);
            nanosleep(&(struct timespec){ .tv_nsec = RETRY_MS * 1000000L }, NULL);
            break;
        case HINTS_NONE:
            break;
        }
    }
    return NULL;
}

struct listener *listener_start(const struct redis_settings *redis, const char *prefix, void (*filled)(void *context),
                                void *context, struct error *error)
{
    struct listener *listener = must_zalloc(sizeof *listener);
    listener->hints = hints_create(redis, prefix);
    listener->filled = filled;
    listener->context = context;
    pthread_mutex_init(&listener->lock, NULL);
    if (pthread_create(&listener->thread, NULL, listen_all, listener) == 0) return listener;
    fail(error, "no thread for HTTP");
    hints_destroy(listener->hints);
    free(listener);
    return NULL;
}

void listener_stop(struct listener *listener)
{
    if (!listener) return;
    atomic_store(&listener->stop, true);
    pthread_join(listener->thread, NULL);
    hints_destroy(listener->hints);
    pthread_mutex_destroy(&listener->lock);
    free(listener);
}

void listener_take(struct listener *listener, void (*each)(void *context, const struct hint *hint), bool *missed)
{
    pthread_mutex_lock(&listener->lock);
    for (size_t i = 0; i < listener->n; i++) {
        const struct heard *heard = &listener->queue[i];
        struct hint hint = { { heard->tenant, heard->tenant_len }, { heard->report, heard->report_len }, heard->version };
        each(listener->context, &hint);
    }
    *missed = listener->missed;
    listener->n = 0;
    listener->missed = false;
    pthread_mutex_unlock(&listener->lock);
}

bool listener_trouble(struct listener *listener, char text[ERROR_TEXT_BYTES])
{
    pthread_mutex_lock(&listener->lock);
    snprintf(text, ERROR_TEXT_BYTES, "%s", listener->trouble);
    pthread_mutex_unlock(&listener->lock);
    return text[0] != '\0';
}
