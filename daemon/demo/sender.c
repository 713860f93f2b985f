#include "daemon/demo/sender.h"

#include "common/instant.h"
#include "daemon/clock.h"
#include "daemon/sink/kafka.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum {
    BURST = 64, /* events between two looks at the acknowledgements */
    WAIT_MS = 20,
    FLUSH_MS = 5000
};

struct sender {
    struct sender_settings settings;
    struct sink *sink;
    struct feed *feed;
    pthread_t thread;
    atomic_bool stop, live;
    atomic_ullong sent, history, failed;
};

static void acknowledged(void *context, void *tag, enum delivery delivery, const char *why)
{
    struct sender *sender = context;
    (void)tag, (void)why;
    atomic_fetch_add(delivery == DELIVERED ? &sender->sent : &sender->failed, 1);
}

static void send_event(struct sender *sender, struct feed_event *event)
{
    static const struct header headers[] = { { SPAN("content-type"), SPAN("application/cloudevents+json") } };
    struct outgoing outgoing = { .topic = span_of(event->topic),
                                 .key = span_of(event->tenant),
                                 .value = buffer_all(&event->value),
                                 .headers = headers,
                                 .n_headers = 1 };
    while (!sink_produce(sender->sink, &outgoing) && !atomic_load(&sender->stop)) sink_poll(sender->sink, WAIT_MS);
    feed_event_deinit(event);
}

static bool send_history(struct sender *sender)
{
    struct feed_event event;
    for (int n = 0; feed_history(sender->feed, &event); n++) {
        send_event(sender, &event);
        if (n % BURST == 0) sink_poll(sender->sink, 0);
        if (atomic_load(&sender->stop)) return false;
    }
    while (!sink_flush(sender->sink, WAIT_MS))
        if (atomic_load(&sender->stop)) return false;
    atomic_store(&sender->history, atomic_load(&sender->sent));
    return true;
}

/* Told before it is sent: whoever looks at the reports knows what stood there before. */
static void send_live(struct sender *sender)
{
    struct feed_event event;
    int64_t now_us = clock_us(CLOCK_REALTIME);
    feed_live(sender->feed, now_us, &event);
    news_put(sender->settings.news, &event, now_us);
    send_event(sender, &event);
}

static bool await_live(struct sender *sender)
{
    while (!atomic_load(&sender->live) && !atomic_load(&sender->stop)) sink_poll(sender->sink, WAIT_MS);
    return !atomic_load(&sender->stop);
}

static void *run(void *context)
{
    struct sender *sender = context;
    bool live = send_history(sender) && await_live(sender);
    int64_t next_us = clock_us(CLOCK_MONOTONIC);
    while (live && !atomic_load(&sender->stop)) {
        int64_t wait_us = next_us - clock_us(CLOCK_MONOTONIC);
        for (; wait_us <= 0 && !atomic_load(&sender->stop); wait_us += MICROS_PER_SECOND / sender->settings.rate) {
            next_us += MICROS_PER_SECOND / sender->settings.rate;
            send_live(sender);
        }
        int64_t wait_ms = wait_us / MICROS_PER_MS;
        sink_poll(sender->sink, wait_ms < WAIT_MS ? (int)wait_ms : WAIT_MS);
        if (wait_us > 0 && wait_us < MICROS_PER_MS) nanosleep(&(struct timespec){ .tv_nsec = wait_us * 1000 }, NULL);
    }
    return NULL;
}

struct sender *sender_start(const struct sender_settings *settings, struct error *error)
{
    struct kafka_property servers = { "bootstrap.servers", settings->servers };
    struct kafka_settings kafka = { .properties = &servers, .n_properties = 1 };
    struct sender *sender = must_zalloc(sizeof *sender);
    sender->settings = *settings;
    sender->sink = kafka_sink_create(&kafka, (struct acknowledged){ acknowledged, sender }, error);
    if (sender->sink) {
        sender->feed = feed_create(settings->seed, clock_us(CLOCK_REALTIME), settings->zones);
        if (pthread_create(&sender->thread, NULL, run, sender) == 0) return sender;
        fail(error, "no thread to send events");
    }
    sink_destroy(sender->sink);
    feed_destroy(sender->feed);
    free(sender);
    return NULL;
}

void sender_go_live(struct sender *sender)
{
    atomic_store(&sender->live, true);
}

void sender_stop(struct sender *sender)
{
    if (!sender) return;
    atomic_store(&sender->stop, true);
    pthread_join(sender->thread, NULL);
    (void)!sink_flush(sender->sink, FLUSH_MS);
    sink_destroy(sender->sink);
    feed_destroy(sender->feed);
    free(sender);
}

struct sender_counts sender_counts(const struct sender *sender)
{
    return (struct sender_counts){ atomic_load(&sender->sent), atomic_load(&sender->history), atomic_load(&sender->failed) };
}
