/* Requests and answers as libmicrohttpd carries them: its callbacks, all in the serving thread. */
#include "common/instant.h"
#include "daemon/http/inner.h"
#include "daemon/http/thread.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum {
    CONNECTIONS_MAX = 1000,
    STREAMS_MAX = 500,
    CONNECTION_BYTES = 16 * 1024, /* request line and headers */
    IDLE_S = 15,
    READ_S = 30, /* a whole request */
    WRITE_S = 60 /* a whole answer */
};

static void set_deadline(struct wire *wire, bool reading, int seconds)
{
    wire->reading = reading;
    wire->deadline_us = seconds ? thread_monotonic_us() + seconds * MICROS_PER_SECOND : 0;
}

/* ---- connections ---- */

static void carrier_destroy(struct carrier *carrier)
{
    struct http_server *server = carrier->server;
    stream_leave(carrier);
    carrier->wire->carrier = NULL;
    if (carrier->next) carrier->next->previous = carrier->previous;
    if (carrier->previous)
        carrier->previous->next = carrier->next;
    else
        server->carriers = carrier->next;
    exchange_deinit(&carrier->exchange);
    buffer_deinit(&carrier->out);
    sheet_release(carrier->exchange.answer.sheet);
    free(carrier);
}

static void wire_notice(void *context, struct MHD_Connection *connection, void **socket_context,
                        enum MHD_ConnectionNotificationCode what)
{
    struct http_server *server = context;
    struct wire *wire = *socket_context;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = wire = must_zalloc(sizeof *wire);
        wire->descriptor = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        set_deadline(wire, true, READ_S);
        wire->next = server->wires;
        if (server->wires) server->wires->previous = wire;
        server->wires = wire;
        server->counts.n_connections++;
    } else if (wire) {
        if (wire->carrier)
            carrier_destroy(wire->carrier); /* of some requests that it refuses the library does not tell the end */
        if (wire->next) wire->next->previous = wire->previous;
        if (wire->previous)
            wire->previous->next = wire->next;
        else
            server->wires = wire->next;
        server->counts.n_connections--;
        free(wire);
        *socket_context = NULL;
    }
}

/* ---- the request ---- */

static void *carrier_create(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct http_server *server = context;
    struct carrier *carrier = must_zalloc(sizeof *carrier);
    (void)uri;
    exchange_init(&carrier->exchange);
    carrier->server = server;
    carrier->connection = connection;
    carrier->wire = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    if (carrier->wire->carrier) carrier_destroy(carrier->wire->carrier);
    carrier->wire->carrier = carrier;
    carrier->next = server->carriers;
    if (server->carriers) server->carriers->previous = carrier;
    server->carriers = carrier;
    return carrier;
}

static void carrier_over(void *context, struct MHD_Connection *connection, void **request_context,
                         enum MHD_RequestTerminationCode how)
{
    struct carrier *carrier = *request_context;
    (void)context;
    (void)connection;
    (void)how;
    if (!carrier) return;
    set_deadline(carrier->wire, true, READ_S);
    carrier_destroy(carrier);
    *request_context = NULL;
}

static struct span header_of(struct carrier *carrier, const char *name)
{
    const char *value = MHD_lookup_connection_value(carrier->connection, MHD_HEADER_KIND, name);
    return value ? arena_copy(&carrier->exchange.arena, span_of(value)) : NO_SPAN;
}

static enum MHD_Result take_argument(void *context, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct exchange *exchange = context;
    (void)kind;
    if (exchange->n_arguments == ARGUMENTS_MAX) {
        exchange->too_many_arguments = true;
        return MHD_NO;
    }
    exchange->arguments[exchange->n_arguments].name = arena_copy(&exchange->arena, span_of(key));
    exchange->arguments[exchange->n_arguments++].value = arena_copy(&exchange->arena, span_of(value ? value : ""));
    return MHD_YES;
}

static enum method method_of(const char *name)
{
    if (!strcmp(name, MHD_HTTP_METHOD_GET)) return METHOD_GET;
    if (!strcmp(name, MHD_HTTP_METHOD_HEAD)) return METHOD_HEAD;
    return strcmp(name, MHD_HTTP_METHOD_POST) ? (enum method)0 : METHOD_POST;
}

static void read_head(struct carrier *carrier, const char *path, const char *method)
{
    struct exchange *exchange = &carrier->exchange;
    exchange->path = arena_copy(&exchange->arena, span_of(path));
    exchange->method = method_of(method);
    exchange->host = header_of(carrier, MHD_HTTP_HEADER_HOST);
    exchange->authorization = header_of(carrier, MHD_HTTP_HEADER_AUTHORIZATION);
    exchange->site = header_of(carrier, "Sec-Fetch-Site");
    exchange->requested_with = header_of(carrier, "X-Requested-With");
    exchange->if_none_match = header_of(carrier, MHD_HTTP_HEADER_IF_NONE_MATCH);
    exchange->last_event_id = header_of(carrier, "Last-Event-ID");
    MHD_get_connection_values(carrier->connection, MHD_GET_ARGUMENT_KIND, take_argument, exchange);
}

static bool body_may_come(struct carrier *carrier)
{
    struct span length = header_of(carrier, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (length.len <= 9 && strtoul(arena_text(&carrier->exchange.arena, length), NULL, 10) <= BODY_BYTES_MAX) return true;
    answer_problem(&carrier->exchange, 413, "too_large", "expected a body of at most %d bytes", BODY_BYTES_MAX);
    return false;
}

/* ---- the answer ---- */

static void add_security(struct MHD_Response *response)
{
    static const char *const headers[][2] = {
        { "X-Content-Type-Options", "nosniff" },
        { "X-Frame-Options", "DENY" },
        { "Referrer-Policy", "no-referrer" },
        { "Cross-Origin-Resource-Policy", "same-origin" },
        { "Cross-Origin-Opener-Policy", "same-origin" },
        { "Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                                     "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
                                     "frame-ancestors 'none'" },
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) MHD_add_response_header(response, headers[i][0], headers[i][1]);
}

static void add_file_name(struct MHD_Response *response, const char *name)
{
    char text[128];
    snprintf(text, sizeof text, "attachment; filename=\"%.64s.csv\"", name);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_DISPOSITION, text);
}

static void add_headers(struct MHD_Response *response, const struct answer *answer)
{
    char number[16];
    add_security(response);
    if (answer->status != MHD_HTTP_NOT_MODIFIED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
    if (answer->etag[0]) MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, answer->etag);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, answer->etag[0] ? "private, no-cache" : "no-store");
    if (answer->allow) MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, answer->allow);
    if (answer->file_name) add_file_name(response, answer->file_name);
    if (answer->stream) MHD_add_response_header(response, "X-Accel-Buffering", "no");
    if (answer->challenge) {
        if (!answer->by_script)
            MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Basic realm=\"crm-reportd\", charset=\"UTF-8\"");
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"crm-reportd\"");
    }
    snprintf(number, sizeof number, "%u", answer->retry_after_s);
    if (answer->retry_after_s) MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, number);
}

/* The body's bytes become the response's. */
static struct MHD_Response *body_response(struct answer *answer)
{
    struct buffer text = answer->text;
    if (answer->status == MHD_HTTP_NOT_MODIFIED)
        return MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    if (answer->sheet) {
        struct sheet *sheet = answer->sheet;
        answer->sheet = NULL; /* the response's from now on */
        return MHD_create_response_from_buffer_with_free_callback_cls(sheet->len, sheet->text, sheet_release, sheet);
    }
    if (answer->fixed.at)
        return MHD_create_response_from_buffer(answer->fixed.len, (void *)(uintptr_t)answer->fixed.at, MHD_RESPMEM_PERSISTENT);
    answer->text = (struct buffer){ 0 };
    if (text.len) return MHD_create_response_from_buffer(text.len, text.at, MHD_RESPMEM_MUST_FREE);
    buffer_deinit(&text);
    return MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result reply(struct carrier *carrier)
{
    struct answer *answer = &carrier->exchange.answer;
    if (answer->status == MHD_HTTP_OK && exchange_matches(&carrier->exchange, answer->etag))
        answer->status = MHD_HTTP_NOT_MODIFIED;
    bool stream = answer->stream && carrier->exchange.method == METHOD_GET;
    struct MHD_Response *response = stream ? stream_response(carrier) : body_response(answer);
    if (!response) return MHD_NO;
    carrier->replied = true;
    carrier->server->counts.replies[route_number(&carrier->exchange)][answer->status / 100 % N_STATUS_CLASSES]++;
    add_headers(response, answer);
    set_deadline(carrier->wire, false, stream ? 0 : WRITE_S);
    enum MHD_Result result = MHD_queue_response(carrier->connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

/* ---- from one to the other ---- */

bool carrier_shelve(struct carrier *carrier)
{
    struct exchange *waiting = shelf_take(&carrier->server->shelf, &carrier->exchange);
    for (struct exchange *next; waiting; waiting = next) {
        next = waiting->next;
        carrier_resume((struct carrier *)waiting);
    }
    return false;
}

static bool stream_may_open(struct carrier *carrier)
{
    if (carrier->exchange.route->answer != answer_updates) return true;
    if (carrier->server->hub.n_followers < STREAMS_MAX) {
        stream_follow(carrier);
        return true;
    }
    answer_problem(&carrier->exchange, 503, "too_many_streams", "%d streams are open already", STREAMS_MAX);
    carrier->exchange.answer.retry_after_s = 10;
    return false;
}

bool carrier_refuse(struct carrier *carrier)
{
    answer_problem(&carrier->exchange, 503, "ending", "the daemon is ending");
    return false;
}

/* True: the answer comes later, by this thread. */
static bool ask_redis(struct carrier *carrier)
{
    struct http_server *server = carrier->server;
    struct exchange *exchange = &carrier->exchange;
    enum shelf_says says = SHELF_ASK;
    if (!server->clerks) return carrier_refuse(carrier);
    if (!stream_may_open(carrier)) return false;
    if (is_report_document(&server->with, exchange)) says = shelf_ask(&server->shelf, exchange, thread_monotonic_us());
    if (says == SHELF_HAS) return false;
    return says == SHELF_WAITS || clerks_take(server->clerks, exchange) || carrier_shelve(carrier);
}

static enum MHD_Result ask(struct carrier *carrier)
{
    struct exchange *exchange = &carrier->exchange;
    carrier->asked = true;
    set_deadline(carrier->wire, false, 0);
    if (exchange->route->by == AT_ONCE)
        exchange->route->answer(&carrier->server->with, exchange);
    else if (ask_redis(carrier)) {
        carrier->suspended = true;
        MHD_suspend_connection(carrier->connection);
        return MHD_YES;
    }
    return reply(carrier);
}

void carrier_resume(struct carrier *carrier)
{
    if (!carrier->suspended) return;
    carrier->suspended = false;
    MHD_resume_connection(carrier->connection);
}

/* Of chunks nobody knows how many come. What is too much is thrown away, for as long as a request may take: the library takes
 * an answer only behind them. */
static void take_body(struct carrier *carrier, const char *bytes, size_t *len)
{
    struct exchange *exchange = &carrier->exchange;
    exchange->body_seen += *len;
    if (exchange->body_seen <= BODY_BYTES_MAX) buffer_put(&exchange->body, bytes, *len);
    *len = 0;
}

static enum MHD_Result begin(struct carrier *carrier, const char *path, const char *method)
{
    carrier->begun = true;
    read_head(carrier, path, method);
    bool fine = route_choose(&carrier->server->with, &carrier->exchange) && body_may_come(carrier);
    return fine ? MHD_YES : reply(carrier);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *upload, size_t *upload_bytes, void **request_context)
{
    struct carrier *carrier = *request_context;
    (void)context;
    (void)connection;
    (void)version;
    if (!carrier->begun) return begin(carrier, path, method);
    if (*upload_bytes) {
        take_body(carrier, upload, upload_bytes);
        return MHD_YES;
    }
    if (carrier->replied) return MHD_YES;
    if (carrier->exchange.body_seen > BODY_BYTES_MAX)
        answer_problem(&carrier->exchange, 413, "too_large", "expected a body of at most %d bytes", BODY_BYTES_MAX);
    if (carrier->exchange.answer.status) return reply(carrier);
    return carrier->asked ? MHD_NO : ask(carrier);
}

struct MHD_Daemon *carrier_library(struct http_server *server, int socket)
{
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC, 0, NULL, NULL, handle, server,
                            MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            (size_t)CONNECTION_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION, wire_notice,
                            server, MHD_OPTION_NOTIFY_COMPLETED, carrier_over, server, MHD_OPTION_URI_LOG_CALLBACK,
                            carrier_create, server, MHD_OPTION_END);
}
