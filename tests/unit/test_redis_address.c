/* Where a Redis is: the forms of its URL, and TLS with the checks that make it worth having. */
#include "daemon/state/address.h"
#include "daemon/state/redis.h"
#include "tests/unit/private_redis.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <sys/socket.h>

static void urls(void **state)
{
    (void)state;
    static const struct {
        const char *url, *host, *user, *password, *where;
        int port, database;
        bool is_unix, is_tls;
    } good[] = {
        { "redis://127.0.0.1", "127.0.0.1", "", "", "127.0.0.1:6379/0", 6379, 0, false, false },
        { "redis://redis.local:7000/3", "redis.local", "", "", "redis.local:7000/3", 7000, 3, false, false },
        { "redis://:p%40ss@h", "h", "", "p@ss", "h:6379/0", 6379, 0, false, false },
        { "redis://user:a:b@c@h:1/", "h", "user", "a:b@c", "h:1/0", 1, 0, false, false },
        { "redis://user@h", "h", "user", "", "h:6379/0", 6379, 0, false, false },
        { "rediss://[::1]:6380/1", "::1", "", "", "::1:6380/1", 6380, 1, false, true },
        { "redis-sentinel://u:p@a,b:2/m/3", "", "u", "p", "m", 0, 3, false, false },
        { "rediss-sentinel://[::1]:5/my-master", "", "", "", "my-master", 0, 0, false, true },
        { "redis-cluster://:p@a:1,b,c:3", "", "", "p", "cluster of a:1", 0, 0, false, false },
        { "rediss-cluster://a/0", "", "", "", "cluster of a:6379", 0, 0, false, true },
        { "unix:///run/redis.sock", "/run/redis.sock", "", "", "/run/redis.sock", 0, 0, true, false },
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct address address;
        struct error error = { 0 };
        if (!address_parse(&address, span_of(good[i].url), &error)) fail_msg("%s: %s", good[i].url, error.text);
        assert_string_equal(address.host, good[i].host);
        assert_string_equal(address.user, good[i].user);
        assert_string_equal(address.password, good[i].password);
        assert_string_equal(address.where, good[i].where);
        assert_int_equal(address.port, good[i].port);
        assert_int_equal(address.database, good[i].database);
        assert_true(address.is_unix == good[i].is_unix && address.is_tls == good[i].is_tls);
    }
}

static void wrong_urls(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "redis:",
        "redis://",
        "http://h",
        "127.0.0.1:6379",
        "redis://h:0",
        "redis://h:65536",
        "redis://h:x",
        "redis://h:",
        "redis://h/x",
        "redis://h/10000",
        "redis://[::1",
        "redis://[::1]x",
        "unix://",
        "unix://relative",
        "redis://:a%00b@h",
        "redis://secret:word@:1",
        "redis-sentinel://a",
        "redis-sentinel://a/",
        "redis-sentinel://a,/m",
        "redis-sentinel:///m",
        "redis-sentinel://a/m/x",
        "redis-cluster://",
        "redis-cluster://a,,b",
        "redis-cluster://a/1",
        "redis-cluster://a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct address address;
        struct error error = { 0 };
        if (address_parse(&address, span_of(wrong[i]), &error)) fail_msg("%s is taken", wrong[i]);
        assert_non_null(strstr(error.text, "redis://[user:password@]host"));
        assert_null(strstr(error.text, "secret:word"));
    }
}

/* Who is to be asked, in the order of the url; led to a server, the address names it. */
static void seeds(void **state)
{
    (void)state;
    struct address address;
    struct error error = { 0 };
    assert_true(address_parse(&address, SPAN("redis-sentinel://a,[::1]:2,c:3/m/1"), &error));
    assert_int_equal(address.kind, ADDRESS_SENTINELS);
    assert_int_equal(address.n_seeds, 3);
    assert_string_equal(address.seeds[0].host, "a");
    assert_int_equal(address.seeds[0].port, 26379);
    assert_string_equal(address.seeds[1].host, "::1");
    assert_int_equal(address.seeds[2].port, 3);
    address_lead(&address, "10.0.0.1", 6380);
    assert_string_equal(address.where, "m (10.0.0.1:6380/1)");
    assert_true(address_parse(&address, SPAN("redis-cluster://a,b:2"), &error));
    assert_int_equal(address.kind, ADDRESS_CLUSTER);
    assert_int_equal(address.seeds[0].port, 6379);
    assert_int_equal(address.n_seeds, 2);
}

static int free_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    close(fd);
    return ntohs(address.sin_port);
}

#ifdef HAVE_HIREDIS_SSL
static const bool has_tls = true;
#else
static const bool has_tls = false;
#endif

/* A certificate of our own for the name "localhost" alone. */
static void make_certificate(const char *folder)
{
    char command[512];
    snprintf(command, sizeof command,
             "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost "
             "-keyout %s/key.pem -out %s/cert.pem >%s/log 2>&1",
             folder, folder, folder);
    assert_int_equal(system(command), 0);
}

static bool try_connect(const char *host, int port, const char *ca_file, struct error *error)
{
    char url[64];
    snprintf(url, sizeof url, "rediss://%s:%d", host, port);
    struct state *state = state_redis_create(
        &(struct redis_settings){ .url = url, .ca_file = ca_file, .connect_timeout_ms = 2000, .command_timeout_ms = 2000 });
    enum outcome outcome;
    int64_t now_us;
    *error = (struct error){ 0 };
    bool good = state_redis_connect(state, error) && state->ops->clock(state, &now_us, &outcome, error);
    state->ops->destroy(state);
    return good;
}

/* With TLS: only a certificate that is trusted and the host's. Without: said, not tried in clear. */
static void tls(void **state)
{
    (void)state;
    struct private_redis redis;
    struct error error;
    char ca_file[96], options[400];
    int port = free_port();
    private_redis_create(&redis, "");
    private_redis_kill(&redis);
    make_certificate(redis.folder);
    snprintf(ca_file, sizeof ca_file, "%s/cert.pem", redis.folder);
    snprintf(options, sizeof options,
             "tls-port %d\ntls-cert-file %s\ntls-key-file %s/key.pem\ntls-ca-cert-file %s\ntls-auth-clients no", port, ca_file,
             redis.folder, ca_file);
    private_redis_start(&redis, options);
    bool trusted = try_connect("localhost", port, ca_file, &error);
    if (has_tls && !trusted) print_error("%s\n", error.text);
    assert_true(trusted == has_tls);
    if (!trusted) assert_non_null(strstr(error.text, "use a TLS tunnel on the same host"));
    assert_false(try_connect("127.0.0.1", port, ca_file, &error));
    assert_non_null(strstr(error.text, "TLS"));
    assert_false(try_connect("localhost", port, NULL, &error));
    assert_non_null(strstr(error.text, "TLS"));
    unlink(ca_file);
    snprintf(ca_file, sizeof ca_file, "%s/key.pem", redis.folder);
    unlink(ca_file);
    private_redis_destroy(&redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(urls), cmocka_unit_test(wrong_urls), cmocka_unit_test(seeds),
                                        cmocka_unit_test(tls) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
