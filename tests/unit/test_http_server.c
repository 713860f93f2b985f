/* The HTTP server as a whole over a Redis of its own, with several clients at once: the parts that meet in threads (run under the
 * thread sanitizer, too). What it answers is the business of tests/integration. */
#include "daemon/catalogue/catalogue.h"
#include "daemon/http/server.h"
#include "tests/unit/private_redis.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CLIENTS = 6,
    ROUNDS = 60,
    ANSWER_BYTES = 64 * 1024
};

struct house {
    struct private_redis redis;
    struct settings *settings;
    struct catalogue *catalogue;
    struct engine engine;
    struct http_server *server;
    int port;
};

static atomic_bool ready_now;
static void metrics(void *context, struct buffer *out)
{
    (void)context;
    buffer_str(out, "# none\n");
}
static bool ready(void *context, struct buffer *why)
{
    (void)context;
    if (!ready_now) buffer_str(why, "not \"yet\"");
    return ready_now;
}

static void open_engine(struct house *house)
{
    char url[160];
    snprintf(url, sizeof url, "CRM_REPORTD_REDIS_URL=%s", house->redis.url);
    char *environment[] = { url, "CRM_REPORTD_LISTEN=127.0.0.1:0", "CRM_REPORTD_TENANTS={\"acme\":{}}", NULL };
    struct problems problems = { 0 };
    struct error error = { "" };
    struct catalogue_file shipped = catalogue_shipped();
    house->settings = settings_load(NULL, environment, NEED_REDIS, &problems);
    house->catalogue = catalogue_load(&shipped, 1, &problems);
    assert_true(house->settings && house->catalogue);
    assert_true(engine_init(&house->engine, house->settings, house->catalogue, &error));
    problems_deinit(&problems);
}

static int open_house(void **state)
{
    struct house *house = must_zalloc(sizeof *house);
    struct error error = { "" };
    char where[HTTP_WHERE_BYTES];
    private_redis_create(&house->redis, "");
    open_engine(house);
    log_setup(LEVEL_ERROR, LOG_TEXT);
    struct http_settings settings = { .engine = &house->engine, .operations = { house, metrics, ready } };
    house->server = http_start(&settings, &error);
    assert_non_null(house->server);
    http_where(house->server, where);
    assert_int_equal(sscanf(where, "http://127.0.0.1:%d/", &house->port), 1);
    *state = house;
    return 0;
}

static int close_house(void **state)
{
    struct house *house = *state;
    http_stop(house->server);
    catalogue_destroy(house->catalogue);
    settings_destroy(house->settings);
    private_redis_destroy(&house->redis);
    free(house);
    return 0;
}

static void redis_says(struct house *house, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    redisReply *reply = redisvCommand(house->redis.admin, format, args);
    va_end(args);
    assert_non_null(reply);
    freeReplyObject(reply);
}

static void publish(struct house *house, int version)
{
    redis_says(house, "SET crm:{acme}:report:service {\"report\":\"service\",\"tenant\":\"acme\",\"version\":%d,\"sections\":[]}",
               version);
    redis_says(house, "HSET crm:{acme}:versions service %d", version);
    redis_says(house, "PUBLISH crm:{acme}:reports {\"report\":\"service\",\"version\":%d}", version);
}

/* ---- a client ---- */

static int connect_to(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval patience = { .tv_sec = 20 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail_msg("no connection");
    return fd;
}

static void say(int fd, const char *head, const char *body)
{
    char text[1024];
    int len =
        snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n%s", head, strlen(body), body);
    assert_int_equal(send(fd, text, (size_t)len, MSG_NOSIGNAL), len);
}

/* Reads until the text has come. */
static bool hear(int fd, const char *wanted)
{
    char got[ANSWER_BYTES] = "";
    size_t len = 0;
    while (!strstr(got, wanted) && len < sizeof got - 1) {
        ssize_t n = recv(fd, got + len, sizeof got - 1 - len, 0);
        if (n <= 0) return false;
        len += (size_t)n;
        got[len] = '\0';
    }
    return strstr(got, wanted) != NULL;
}

struct client {
    struct house *house;
    int number;
    pthread_t thread;
    int answered;
};

static void *ask_much(void *context)
{
    static const char *const heads[] = { "GET /v1/tenants/acme/reports/service", "GET /v1/tenants",
                                         "POST /v1/tenants/acme/query",          "GET /healthz",
                                         "GET /v1/tenants/acme/reports",         "POST /v1/tenants/acme/explain" };
    struct client *client = context;
    int fd = connect_to(client->house->port);
    for (int i = 0; i < ROUNDS; i++) {
        const char *head = heads[(i + client->number) % (sizeof heads / sizeof *heads)];
        say(fd, head, head[0] == 'P' ? "{\"metric\":\"leads\"}" : "");
        client->answered += hear(fd, "HTTP/1.1 200 OK");
        close(fd);
        fd = connect_to(client->house->port);
    }
    close(fd);
    return NULL;
}

/* ---- tests ---- */

static void many_ask_while_reports_change(void **state)
{
    struct house *house = *state;
    struct client clients[CLIENTS];
    publish(house, 1);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){ .house = house, .number = i };
        assert_int_equal(pthread_create(&clients[i].thread, NULL, ask_much, &clients[i]), 0);
    }
    for (int version = 2; version < 200; version++) publish(house, version);
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i].thread, NULL);
        assert_int_equal(clients[i].answered, ROUNDS);
    }
}

static void a_stream_hears_of_each_change(void **state)
{
    struct house *house = *state;
    publish(house, 500);
    int fd = connect_to(house->port);
    say(fd, "GET /v1/tenants/acme/updates", "");
    assert_true(hear(fd, "\"version\":500}"));
    for (int version = 501; version < 520; version++) {
        char wanted[32];
        snprintf(wanted, sizeof wanted, "\"version\":%d}", version);
        publish(house, version);
        assert_true(hear(fd, wanted));
        int other = connect_to(house->port);
        say(other, "GET /v1/tenants/acme/reports/service", "");
        snprintf(wanted, sizeof wanted, "\"version\":%d,", version);
        assert_true(hear(other, wanted)); /* who heard of it gets it */
        close(other);
    }
    close(fd);
}

static void streams_whose_readers_are_gone_end_at_once(void **state)
{
    struct house *house = *state;
    int fds[100];
    publish(house, 600);
    for (int round = 0; round < 8; round++) { /* 800 in all, more than there may be at a time */
        for (int i = 0; i < 100; i++) {
            fds[i] = connect_to(house->port);
            say(fds[i], "GET /v1/tenants/acme/updates", "");
        }
        for (int i = 0; i < 100; i++) {
            assert_true(hear(fds[i], "event: report"));
            close(fds[i]);
        }
    }
    bool gone = false;
    for (int look = 0; look < 40 && !gone; look++) {
        int fd = connect_to(house->port);
        say(fd, "GET /metrics", "");
        gone = hear(fd, "crm_reportd_http_streams 0\n");
        close(fd);
        poll(NULL, 0, 50);
    }
    assert_true(gone);
}

static void readiness_is_what_the_daemon_says(void **state)
{
    struct house *house = *state;
    for (int i = 0; i < 4; i++) {
        ready_now = i % 2;
        int fd = connect_to(house->port);
        say(fd, "GET /readyz", "");
        assert_true(hear(fd, ready_now ? "ready\n" : "\"detail\":\"not \\\"yet\\\"\""));
        close(fd);
    }
}

static void renew(struct house *house, const char *text)
{
    char name[] = "/tmp/test_http_server.XXXXXX";
    struct tokens tokens;
    struct error error;
    int fd = mkstemp(name);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    assert_true(tokens_load(&tokens, text[0] ? name : "", &error));
    unlink(name);
    http_renew_tokens(house->server, &tokens);
}

static bool opens(struct house *house, const char *token)
{
    int fd = connect_to(house->port);
    dprintf(fd, "GET /v1/tenants HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", token);
    bool good = hear(fd, "HTTP/1.1 200 OK");
    close(fd);
    return good;
}

/* From another thread than the one that serves, while it does. */
static void tokens_are_renewed(void **state)
{
    struct house *house = *state;
    struct client client = { .house = house };
    assert_int_equal(pthread_create(&client.thread, NULL, ask_much, &client), 0);
    for (int i = 0; i < 20; i++) renew(house, i % 2 ? "" : "0123456789abcdef\n");
    renew(house, "");
    pthread_join(client.thread, NULL);
    renew(house, "0123456789abcdef\n");
    for (int look = 0; look < 100 && opens(house, "wrong"); look++) poll(NULL, 0, 10);
    assert_false(opens(house, "wrong"));
    assert_true(opens(house, "0123456789abcdef"));
    int stream = connect_to(house->port);
    dprintf(stream, "GET /v1/tenants/acme/updates HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer 0123456789abcdef\r\n\r\n");
    assert_true(hear(stream, "event: report"));
    renew(house, "fedcba9876543210\n");
    assert_true(hear(stream, "0\r\n\r\n")); /* its last chunk */
    close(stream);
    renew(house, "");
    for (int look = 0; look < 100 && !opens(house, "any"); look++) poll(NULL, 0, 10);
    assert_true(opens(house, "any"));
}

static void it_ends_with_streams_and_requests_open(void **state)
{
    struct house *house = *state;
    int fds[20];
    for (int i = 0; i < 20; i++) {
        fds[i] = connect_to(house->port);
        say(fds[i], i % 2 ? "GET /v1/tenants/acme/updates" : "GET /v1/tenants", "");
        if (i % 4 == 1) assert_true(hear(fds[i], "event: report"));
    }
    http_stop(house->server);
    house->server = NULL;
    for (int i = 0; i < 20; i++) close(fds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_ask_while_reports_change),
        cmocka_unit_test(a_stream_hears_of_each_change),
        cmocka_unit_test(streams_whose_readers_are_gone_end_at_once),
        cmocka_unit_test(readiness_is_what_the_daemon_says),
        cmocka_unit_test(tokens_are_renewed),
        cmocka_unit_test(it_ends_with_streams_and_requests_open),
    };
    return cmocka_run_group_tests(tests, open_house, close_house);
}
