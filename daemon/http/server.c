#include "daemon/http/server.h"

#include "common/instant.h"
#include "daemon/http/inner.h"
#include "daemon/http/thread.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SWEEP_MS = 500,
    REBIND_S = 1,
    FAREWELL_TURNS = 50 /* of 10 ms, for the last answers */
};

/* ---- from other threads ---- */

static void wake(void *context)
{
    struct http_server *server = context;
    uint64_t one = 1;
    ssize_t written = write(server->wake, &one, sizeof one);
    (void)written; /* full: it is awake */
}

static void answered(void *context, struct exchange *exchange)
{
    struct http_server *server = context;
    pthread_mutex_lock(&server->lock);
    exchange->next = server->done;
    server->done = exchange;
    pthread_mutex_unlock(&server->lock);
    wake(server);
}

/* ---- one turn ---- */

static bool open_socket(struct http_server *server, struct error *error)
{
    char where[HTTP_WHERE_BYTES];
    int socket = listen_open(server->with.engine->settings->listen, server->any_port, where, error);
    if (socket < 0) return false;
    server->mhd = carrier_library(server, socket);
    if (!server->mhd) {
        close(socket);
        return fail(error, "libmicrohttpd does not start");
    }
    pthread_mutex_lock(&server->lock);
    snprintf(server->where, sizeof server->where, "%s", where);
    pthread_mutex_unlock(&server->lock);
    log_cause_over(&server->cause, "http_listens_again", "");
    log_event(LEVEL_INFO, "http_listens", "where=%s tokens=%zu", where, server->tokens.n);
    return true;
}

static void try_socket(struct http_server *server)
{
    struct error error = { "" };
    int64_t now_us = thread_monotonic_us();
    if (server->mhd || now_us < server->bind_at_us) return;
    server->bind_at_us = now_us + REBIND_S * MICROS_PER_SECOND;
    if (!open_socket(server, &error)) log_cause(&server->cause, LEVEL_ERROR, "http_waits", "", error.text);
}

static int timeout_ms(struct http_server *server)
{
    MHD_UNSIGNED_LONG_LONG library = SWEEP_MS;
    int64_t tell_ms = (server->tell_at_us - thread_monotonic_us()) / MICROS_PER_MS + 1;
    if (server->mhd && MHD_get_timeout(server->mhd, &library) != MHD_YES) library = SWEEP_MS;
    if (tell_ms < (int64_t)library) return tell_ms > 0 ? (int)tell_ms : 0;
    return library < SWEEP_MS ? (int)library : SWEEP_MS;
}

static void await(struct http_server *server)
{
    struct pollfd on[] = { { server->wake, POLLIN, 0 }, { server->hangups, POLLIN, 0 }, { -1, POLLIN, 0 } };
    uint64_t drained;
    if (server->mhd) on[2].fd = MHD_get_daemon_info(server->mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    poll(on, sizeof on / sizeof *on, timeout_ms(server));
    if (on[1].revents & POLLIN) stream_hangups(server);
    if (on[0].revents & POLLIN && read(server->wake, &drained, sizeof drained) < 0) return;
}

static void take_answers(struct http_server *server)
{
    pthread_mutex_lock(&server->lock);
    struct exchange *done = server->done;
    server->done = NULL;
    pthread_mutex_unlock(&server->lock);
    for (struct exchange *next; done; done = next) {
        next = done->next;
        (void)carrier_shelve((struct carrier *)done);
        carrier_resume((struct carrier *)done);
    }
}

static void take_hint(void *context, const struct hint *hint)
{
    struct http_server *server = context;
    shelf_hint(&server->shelf, hint->tenant, hint->report);
    hub_hint(&server->hub, hint->tenant, hint->report, hint->version);
}

/* Where hints were missed the streams end: who follows comes back and is told how things stand. */
static void take_hints(struct http_server *server)
{
    bool missed;
    listener_take(server->listener, take_hint, &missed);
    if (!missed) return;
    shelf_clear(&server->shelf);
    hub_each(&server->hub, stream_end);
}

static void take_tokens(struct http_server *server)
{
    pthread_mutex_lock(&server->lock);
    bool renewed = server->renewed;
    struct tokens old = server->tokens;
    if (renewed) {
        server->tokens = server->fresh;
        server->fresh = (struct tokens){ 0 };
        server->renewed = false;
    }
    pthread_mutex_unlock(&server->lock);
    if (!renewed) return;
    tokens_deinit(&old);
    hub_each(&server->hub, stream_doubt);
    log_event(LEVEL_INFO, "tokens_reloaded", "tokens=%zu", server->tokens.n);
}

/* A request that takes too long to come is answered, an answer that takes too long to be read is cut off. */
static void expire(struct wire *wire)
{
    static const char late[] =
        "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Type: application/problem+json\r\n\r\n"
        "{\"title\":\"Request Timeout\",\"status\":408,\"code\":\"too_slow\",\"detail\":\"the request "
        "took too long to come\"}";
    if (wire->reading && send(wire->descriptor, late, sizeof late - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) wire->reading = false;
    shutdown(wire->descriptor, SHUT_RDWR);
    wire->deadline_us = 0;
}

static void sweep(struct http_server *server)
{
    int64_t now_us = thread_monotonic_us();
    if (now_us < server->sweep_at_us) return;
    server->sweep_at_us = now_us + SWEEP_MS * MICROS_PER_MS;
    for (struct wire *wire = server->wires; wire; wire = wire->next)
        if (wire->deadline_us && now_us >= wire->deadline_us) expire(wire);
    hub_each(&server->hub, stream_beat);
    try_socket(server);
}

static void turn(struct http_server *server)
{
    await(server);
    take_tokens(server);
    take_answers(server);
    take_hints(server);
    server->tell_at_us = hub_tell(&server->hub, thread_monotonic_us());
    sweep(server);
    if (server->mhd) MHD_run(server->mhd);
}

/* ---- life ---- */

/* Nobody is left waiting: the library must not end while a connection is suspended. */
static void say_farewell(struct http_server *server)
{
    clerks_stop(server->clerks);
    server->clerks = NULL;
    if (!server->mhd) return;
    MHD_socket socket = MHD_quiesce_daemon(server->mhd);
    if (socket != MHD_INVALID_SOCKET) close(socket);
    take_answers(server);
    hub_each(&server->hub, stream_end);
    for (struct carrier *carrier = server->carriers; carrier; carrier = carrier->next) {
        if (!carrier->suspended) continue;
        if (!carrier->exchange.answer.status) (void)carrier_refuse(carrier);
        carrier_resume(carrier);
    }
    for (int i = 0; i < FAREWELL_TURNS && server->carriers; i++) {
        MHD_run(server->mhd);
        poll(NULL, 0, 10);
        for (struct carrier *carrier = server->carriers; carrier; carrier = carrier->next) carrier_resume(carrier);
    }
    for (struct carrier *carrier = server->carriers; carrier; carrier = carrier->next) carrier_resume(carrier);
    MHD_run(server->mhd);
    MHD_stop_daemon(server->mhd);
    shelf_deinit(&server->shelf);
}

static void *serve(void *context)
{
    struct http_server *server = context;
    thread_steps_back("http");
    while (!atomic_load(&server->stop)) turn(server);
    say_farewell(server);
    return NULL;
}

static bool start_parts(struct http_server *server, struct error *error)
{
    struct redis_settings redis = engine_redis(server->with.engine);
    redis.client_name = "crm-reportd-hints";
    server->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    server->hangups = epoll_create1(EPOLL_CLOEXEC);
    server->clerks = clerks_start(&server->with, answered, server, error);
    if (!server->clerks) return false;
    server->listener = listener_start(&redis, server->with.engine->settings->prefix, wake, server, error);
    if (!server->listener) return false;
    server->with.listener = server->listener;
    try_socket(server);
    server->started = pthread_create(&server->thread, NULL, serve, server) == 0;
    return server->started || fail(error, "no thread for HTTP");
}

struct http_server *http_start(const struct http_settings *settings, struct error *error)
{
    struct http_server *server = must_zalloc(sizeof *server);
    server->with = (struct answering){
        .engine = settings->engine, .tokens = &server->tokens, .operations = &server->operations, .counts = &server->counts
    };
    server->operations = settings->operations;
    server->any_port = settings->any_port;
    server->wake = server->hangups = -1;
    pthread_mutex_init(&server->lock, NULL);
    if (tokens_load(&server->tokens, settings->engine->settings->listen_tokens_file, error) && start_parts(server, error))
        return server;
    http_stop(server);
    return NULL;
}

void http_renew_tokens(struct http_server *server, struct tokens *fresh)
{
    pthread_mutex_lock(&server->lock);
    tokens_deinit(&server->fresh);
    server->fresh = *fresh;
    server->renewed = true;
    pthread_mutex_unlock(&server->lock);
    *fresh = (struct tokens){ 0 };
    wake(server);
}

void http_stop(struct http_server *server)
{
    if (!server) return;
    atomic_store(&server->stop, true);
    if (server->started) {
        wake(server);
        pthread_join(server->thread, NULL);
    }
    clerks_stop(server->clerks);
    listener_stop(server->listener);
    tokens_deinit(&server->tokens);
    tokens_deinit(&server->fresh);
    if (server->wake >= 0) close(server->wake);
    if (server->hangups >= 0) close(server->hangups);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

void http_where(struct http_server *server, char where[HTTP_WHERE_BYTES])
{
    pthread_mutex_lock(&server->lock);
    snprintf(where, HTTP_WHERE_BYTES, "%s", server->where);
    pthread_mutex_unlock(&server->lock);
}
