/* The socket to Redis, driven by poll: written and read in turns, so that neither side waits for the other for ever. */
#include "daemon/state/connection.h"

#include "daemon/state/address.h"
#include "daemon/state/refusals.h"
#include "daemon/state/sentinel.h"
#include "daemon/state/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CHUNK_BYTES = 64 * 1024,
    OUT_KEEP_BYTES = 4 * 1024 * 1024
};

struct connection {
    struct address address;
    struct error address_error; /* of the url, said when it is to be opened */
    char *ca_file, *client_name;
    int connect_timeout_ms, command_timeout_ms;
    redisContext *context; /* NULL: closed */
    struct replies replies;
    struct buffer out; /* requests; the first `sent` bytes are with hiredis or beyond */
    size_t sent;
    bool chunk_waits; /* hiredis still holds a chunk that the socket did not take */
    bool leave;       /* to be closed by connection_settle */
    bool roams;       /* to whichever of a cluster's nodes lets it in */
    size_t next_seed;
};

static char *copy_text(const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(must_alloc(bytes), text, bytes);
}

static void override_text(char *to, size_t room, const char *text, struct error *error)
{
    if (!text || !text[0]) return;
    if (strlen(text) >= room) fail(error, "redis.user or redis.password is longer than %zu bytes", room - 1);
    snprintf(to, room, "%s", text);
}

struct connection *connection_create(const struct redis_settings *settings)
{
    struct connection *connection = must_zalloc(sizeof *connection);
    struct address *address = &connection->address;
    if (address_parse(address, span_of(settings->url), &connection->address_error)) {
        override_text(address->user, sizeof address->user, settings->user, &connection->address_error);
        override_text(address->password, sizeof address->password, settings->password, &connection->address_error);
    }
    connection->roams = address->kind == ADDRESS_CLUSTER;
    connection->ca_file = copy_text(settings->ca_file ? settings->ca_file : "");
    const char *name = settings->client_name;
    connection->client_name = copy_text(name && name[0] ? name : "crm-reportd");
    connection->connect_timeout_ms = (int)settings->connect_timeout_ms;
    connection->command_timeout_ms = (int)settings->command_timeout_ms;
    return connection;
}

struct connection *connection_to(const struct connection *like, const struct endpoint *server)
{
    struct connection *connection = must_zalloc(sizeof *connection);
    connection->address = like->address;
    connection->address_error = like->address_error;
    address_lead(&connection->address, server->host, server->port);
    connection->ca_file = copy_text(like->ca_file);
    connection->client_name = copy_text(like->client_name);
    connection->connect_timeout_ms = like->connect_timeout_ms;
    connection->command_timeout_ms = like->command_timeout_ms;
    return connection;
}

static void close_socket(struct connection *connection)
{
    if (connection->context) redisFree(connection->context);
    connection->context = NULL;
    connection->leave = connection->chunk_waits = false;
    connection->sent = 0;
    buffer_deinit(&connection->out);
}

void connection_close(struct connection *connection)
{
    close_socket(connection);
}

void connection_destroy(struct connection *connection)
{
    close_socket(connection);
    replies_deinit(&connection->replies);
    explicit_bzero(&connection->address, sizeof connection->address);
    free(connection->ca_file);
    free(connection->client_name);
    free(connection);
}

bool connection_is_open(const struct connection *connection)
{
    return connection->context != NULL;
}

const char *connection_where(const struct connection *connection)
{
    return connection->address.where;
}

const struct address *connection_address(const struct connection *connection)
{
    return &connection->address;
}

static bool lost(struct connection *connection, const char *why, struct error *error)
{
    fail(error, "redis %s: %s", connection->address.where, why);
    close_socket(connection);
    return false;
}

static bool lost_socket(struct connection *connection, struct error *error)
{
    char why[160];
    const char *text = connection->context->errstr;
    snprintf(why, sizeof why, "connection lost: %s", text[0] ? text : "closed by the server");
    return lost(connection, why, error);
}

void request_begin(struct connection *connection, size_t n_arguments)
{
    REQUIRE(n_arguments <= REQUEST_ARGUMENTS_MAX);
    buffer_byte(&connection->out, '*');
    buffer_decimal(&connection->out, (int64_t)n_arguments);
    buffer_put(&connection->out, "\r\n", 2);
}

void request_argument(struct connection *connection, struct span argument)
{
    struct buffer *out = &connection->out;
    buffer_byte(out, '$');
    buffer_decimal(out, (int64_t)argument.len);
    buffer_put(out, "\r\n", 2);
    buffer_span(out, argument);
    buffer_put(out, "\r\n", 2);
}

void request_number(struct connection *connection, int64_t number)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%lld", (long long)number);
    request_argument(connection, (struct span){ text, (size_t)len });
}

void request_texts(struct connection *connection, size_t n, ...)
{
    va_list texts;
    va_start(texts, n);
    request_begin(connection, n);
    for (size_t i = 0; i < n; i++) request_argument(connection, span_of(va_arg(texts, const char *)));
    va_end(texts);
}

size_t connection_unsent_bytes(const struct connection *connection)
{
    return connection->out.len - connection->sent;
}

static bool out_is_empty(const struct connection *connection)
{
    return connection->sent == connection->out.len && !connection->chunk_waits;
}

static void out_forget(struct connection *connection)
{
    connection->sent = 0;
    if (connection->out.room > OUT_KEEP_BYTES) buffer_deinit(&connection->out);
    buffer_clear(&connection->out);
}

/* Hands hiredis a chunk at a time: it moves what is left of its buffer after every partial write. */
static void next_chunk(struct connection *connection)
{
    size_t len = connection->out.len - connection->sent;
    if (len > CHUNK_BYTES) len = CHUNK_BYTES;
    redisAppendFormattedCommand(connection->context, connection->out.at + connection->sent, len);
    connection->sent += len;
    connection->chunk_waits = true;
}

bool connection_flush(struct connection *connection, struct error *error)
{
    if (!connection->context) return lost(connection, "not connected", error);
    while (!out_is_empty(connection)) {
        int done = 0;
        if (!connection->chunk_waits) next_chunk(connection);
        if (redisBufferWrite(connection->context, &done) != REDIS_OK) return lost_socket(connection, error);
        if (!done) return true;
        connection->chunk_waits = false;
    }
    out_forget(connection);
    return true;
}

/* Waits until bytes can move one way or the other. */
static bool wait_socket(struct connection *connection, struct error *error)
{
    struct pollfd poll_fd = { .fd = connection->context->fd, .events = POLLIN };
    if (!out_is_empty(connection)) poll_fd.events |= POLLOUT;
    int n = poll(&poll_fd, 1, connection->command_timeout_ms);
    if (n < 0 && errno != EINTR) return lost(connection, strerror(errno), error);
    if (n == 0) {
        char why[64];
        snprintf(why, sizeof why, "no answer within %d ms", connection->command_timeout_ms);
        return lost(connection, why, error);
    }
    return true;
}

redisReply *connection_answer(struct connection *connection, struct error *error)
{
    for (;;) {
        void *reply = NULL;
        if (!connection_flush(connection, error)) return NULL;
        if (redisGetReplyFromReader(connection->context, &reply) != REDIS_OK) break;
        if (reply) return reply;
        size_t before = connection->context->reader->len;
        if (redisBufferRead(connection->context) != REDIS_OK) break;
        if (connection->context->reader->len == before && !wait_socket(connection, error)) return NULL;
    }
    lost_socket(connection, error);
    return NULL;
}

redisReply *connection_message(struct connection *connection, int wait_ms, struct error *error)
{
    void *reply = NULL;
    if (!connection_flush(connection, error)) return NULL;
    if (redisGetReplyFromReader(connection->context, &reply) == REDIS_OK && reply) return reply;
    struct pollfd poll_fd = { .fd = connection->context->fd, .events = POLLIN };
    if (!connection->context->err && poll(&poll_fd, 1, wait_ms) <= 0) return NULL;
    if (connection->context->err || redisBufferRead(connection->context) != REDIS_OK ||
        redisGetReplyFromReader(connection->context, &reply) != REDIS_OK)
        lost_socket(connection, error);
    return reply;
}

bool connection_refused(struct connection *connection, const redisReply *reply, struct error *error)
{
    const struct refusal *refusal = refusal_find(reply_text(reply));
    connection->leave |= refusal->leave;
    return fail(error, "redis %s %s: %.300s", connection->address.where, refusal->says, reply->str);
}

redisReply *connection_checked(struct connection *connection, redisReply *reply, enum outcome *outcome, struct error *error)
{
    *outcome = reply ? DONE : LOST;
    if (!reply || reply->type != REDIS_REPLY_ERROR) return reply;
    *outcome = REFUSED;
    connection_refused(connection, reply, error);
    reply_free(reply);
    return NULL;
}

redisReply *connection_answer_ok(struct connection *connection, enum outcome *outcome, struct error *error)
{
    return connection_checked(connection, connection_answer(connection, error), outcome, error);
}

void connection_settle(struct connection *connection)
{
    if (connection->leave) close_socket(connection);
}

static bool greeting_answer(struct connection *connection, const char *what, bool may_be_denied, struct error *error)
{
    redisReply *reply = connection_answer(connection, error);
    if (!reply) return false;
    const struct refusal *refusal = reply->type == REDIS_REPLY_ERROR ? refusal_find(reply_text(reply)) : NULL;
    bool good = !refusal || (may_be_denied && strcmp(refusal->code, "NOPERM") == 0);
    /* Not the server's own words: of a command it does not know it repeats the arguments, here the password. */
    if (!good) fail(error, "redis %s %s (%s)", connection->address.where, refusal->says, what);
    reply_free(reply);
    return good;
}

static bool greet(struct connection *connection, struct error *error)
{
    const struct address *address = &connection->address;
    bool auth = address->user[0] || address->password[0];
    if (auth && address->user[0]) request_texts(connection, 3, "AUTH", address->user, address->password);
    if (auth && !address->user[0]) request_texts(connection, 2, "AUTH", address->password);
    if (address->database) {
        request_begin(connection, 2);
        request_argument(connection, SPAN("SELECT"));
        request_number(connection, address->database);
    }
    request_texts(connection, 3, "CLIENT", "SETNAME", connection->client_name);
    request_texts(connection, 1, "PING");
    return (!auth || greeting_answer(connection, "AUTH", false, error)) &&
           (!address->database || greeting_answer(connection, "SELECT", false, error)) &&
           greeting_answer(connection, "CLIENT SETNAME", true, error) && greeting_answer(connection, "PING", true, error);
}

static bool open_socket(struct connection *connection, struct error *error)
{
    const struct address *address = &connection->address;
    int ms = connection->connect_timeout_ms;
    struct timeval timeout = { ms / 1000, ms % 1000 * 1000 };
    connection->context = address->is_unix ? redisConnectUnixWithTimeout(address->host, timeout)
                                           : redisConnectWithTimeout(address->host, address->port, timeout);
    REQUIRE(connection->context != NULL);
    if (connection->context->err) return lost_socket(connection, error);
    replies_use(&connection->replies, connection->context->reader);
    if (!address->is_unix) redisEnableKeepAlive(connection->context);
    if (address->is_tls && !tls_start(connection->context, address->host, connection->ca_file, timeout, error))
        return lost(connection, "TLS failed", error);
    connection->context->flags &= ~REDIS_BLOCK;
    int flags = fcntl(connection->context->fd, F_GETFL);
    return fcntl(connection->context->fd, F_SETFL, flags | O_NONBLOCK) == 0 || lost(connection, strerror(errno), error);
}

/* Sentinels may not have noticed yet what became of the one they name, and it not yet what it is to be. */
static bool is_master(struct connection *connection, struct error *error)
{
    enum outcome outcome;
    struct error refusal = { "" };
    request_texts(connection, 1, "ROLE");
    redisReply *reply = connection_answer_ok(connection, &outcome, &refusal);
    if (!reply) return outcome == REFUSED || fail(error, "%s", refusal.text); /* without the right to ask, writes will tell */
    bool is = reply->type == REDIS_REPLY_ARRAY && reply->elements && span_is(reply_text(reply->element[0]), "master");
    reply_free(reply);
    return is || fail(error, "redis %s is a replica, though the sentinels name it as the master (a failover is under way?)",
                      connection->address.where);
}

static bool open_server(struct connection *connection, struct error *error)
{
    struct address *address = &connection->address;
    bool asks = address->kind == ADDRESS_SENTINELS;
    if (asks && !sentinel_find(address, connection->ca_file, connection->connect_timeout_ms, error)) return false;
    if (!open_socket(connection, error)) return false;
    if (greet(connection, error) && (!asks || is_master(connection, error))) return true;
    close_socket(connection);
    return false;
}

static bool open_any(struct connection *connection, struct error *error)
{
    struct address *address = &connection->address;
    for (size_t i = 0; i < address->n_seeds; i++) {
        const struct endpoint *seed = &address->seeds[connection->next_seed++ % address->n_seeds];
        address_lead(address, seed->host, seed->port);
        if (open_server(connection, error)) return true;
    }
    return false;
}

bool connection_open(struct connection *connection, struct error *error)
{
    if (connection->context) return true;
    if (connection->address_error.text[0]) return fail(error, "%s", connection->address_error.text);
    return connection->roams ? open_any(connection, error) : open_server(connection, error);
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

bool connection_open_within(struct connection *connection, int answer_ms, struct error *error)
{
    int connect_ms = connection->connect_timeout_ms, command_ms = connection->command_timeout_ms;
    connection->connect_timeout_ms = smaller(connect_ms, answer_ms);
    connection->command_timeout_ms = smaller(command_ms, answer_ms);
    bool opened = connection_open(connection, error);
    connection->connect_timeout_ms = connect_ms;
    connection->command_timeout_ms = command_ms;
    return opened;
}
