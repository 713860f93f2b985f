/* Streams of updates: server-sent events that sleep until the hub has news. */
#include "common/instant.h"
#include "daemon/http/inner.h"
#include "daemon/http/thread.h"

#include <sys/epoll.h>

enum {
    BEAT_S = 15,
    BLOCK_BYTES = 2048,
    HANGUPS_MAX = 64 /* at a time */
};

static struct carrier *carrier_of(struct follower *follower)
{
    return (struct carrier *)((char *)follower - offsetof(struct carrier, follower));
}

static void wake(struct follower *follower)
{
    struct carrier *carrier = carrier_of(follower);
    if (!carrier->asleep) return;
    carrier->asleep = false;
    carrier_resume(carrier);
}

void stream_follow(struct carrier *carrier)
{
    struct http_server *server = carrier->server;
    struct epoll_event gone = { .events = EPOLLRDHUP, .data.ptr = carrier };
    carrier->follower.wake = wake;
    hub_follow(&server->hub, &carrier->follower, carrier->exchange.tenant);
    server->counts.n_streams = server->hub.n_followers;
    epoll_ctl(server->hangups, EPOLL_CTL_ADD, carrier->wire->descriptor, &gone); /* in vain: the next beat notices, too */
}

void stream_leave(struct carrier *carrier)
{
    struct http_server *server = carrier->server;
    if (!carrier->follower.tenant) return;
    epoll_ctl(server->hangups, EPOLL_CTL_DEL, carrier->wire->descriptor, NULL);
    hub_leave(&server->hub, &carrier->follower);
    server->counts.n_streams = server->hub.n_followers;
}

static void fill(struct carrier *carrier)
{
    buffer_clear(&carrier->out);
    carrier->sent = 0;
    int64_t now_us = thread_monotonic_us();
    if (!hub_news(&carrier->follower, &carrier->out) && now_us >= carrier->beat_at_us) buffer_str(&carrier->out, ":\n\n");
    if (carrier->out.len) carrier->beat_at_us = now_us + BEAT_S * MICROS_PER_SECOND;
}

static ssize_t read_stream(void *context, uint64_t at, char *to, size_t room)
{
    struct carrier *carrier = context;
    (void)at;
    if (carrier->sent == carrier->out.len) fill(carrier);
    size_t n = carrier->out.len - carrier->sent;
    if (!n && carrier->over) return MHD_CONTENT_READER_END_OF_STREAM;
    if (!n) {
        carrier->asleep = carrier->suspended = true;
        MHD_suspend_connection(carrier->connection);
        return 0;
    }
    if (n > room) n = room;
    memcpy(to, carrier->out.at + carrier->sent, n);
    carrier->sent += n;
    return (ssize_t)n;
}

struct MHD_Response *stream_response(struct carrier *carrier)
{
    carrier->out = carrier->exchange.answer.text;
    carrier->exchange.answer.text = (struct buffer){ 0 };
    carrier->beat_at_us = thread_monotonic_us() + BEAT_S * MICROS_PER_SECOND;
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_stream, carrier, NULL);
}

void stream_beat(struct follower *follower)
{
    if (thread_monotonic_us() >= carrier_of(follower)->beat_at_us) wake(follower);
}

void stream_end(struct follower *follower)
{
    carrier_of(follower)->over = true;
    wake(follower);
}

void stream_doubt(struct follower *follower)
{
    const struct exchange *exchange = &carrier_of(follower)->exchange;
    struct arena scratch = { 0 };
    struct scope scope = tokens_scope(&carrier_of(follower)->server->tokens, exchange->authorization, &scratch);
    if (!scope_opens(&scope, exchange->tenant)) stream_end(follower);
    arena_deinit(&scratch);
}

void stream_hangups(const struct http_server *server)
{
    struct epoll_event events[HANGUPS_MAX];
    int n = epoll_wait(server->hangups, events, HANGUPS_MAX, 0);
    for (int i = 0; i < n; i++) {
        struct carrier *carrier = events[i].data.ptr;
        epoll_ctl(server->hangups, EPOLL_CTL_DEL, carrier->wire->descriptor, NULL); /* told once */
        stream_end(&carrier->follower);
    }
}
