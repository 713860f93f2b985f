/* Webhooks against a receiver that says what it is told to: taken, tried again, given up; signed so that it can be checked. */
#include "daemon/webhook/webhook.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    REQUESTS_MAX = 64,
    REQUEST_BYTES = 8192
};

/* A server of one connection after the other. Its answers come from the list, the last one again and again; "" closes without a
 * word, "wait" says nothing for a second. */
struct receiver {
    int listening;
    char url[64];
    const char *const *answers;
    size_t n_answers;
    pthread_t thread;
    _Atomic size_t n;
    char requests[REQUESTS_MAX][REQUEST_BYTES];
};

static size_t body_at(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");
    return end ? (size_t)(end - text) + 4 : 0;
}

static void read_request(int fd, char *text)
{
    size_t len = 0, want = REQUEST_BYTES - 1;
    while (len < want) {
        ssize_t got = read(fd, text + len, want - len);
        if (got <= 0) break;
        len += (size_t)got;
        text[len] = 0;
        const char *length = strcasestr(text, "content-length:");
        size_t body = body_at(text);
        if (body && length) want = body + strtoul(length + 15, NULL, 10);
    }
    text[len] = 0;
}

static void *serve(void *context)
{
    struct receiver *receiver = context;
    for (int fd; (fd = accept(receiver->listening, NULL, NULL)) >= 0;) {
        size_t n = receiver->n;
        const char *answer = receiver->answers[n < receiver->n_answers ? n : receiver->n_answers - 1];
        if (n < REQUESTS_MAX) read_request(fd, receiver->requests[n]);
        receiver->n = n + 1; /* before it is answered: whoever has the answer may look */
        if (strcmp(answer, "wait") == 0) usleep(1000000);
        if (*answer && strcmp(answer, "wait"))
            dprintf(fd, "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", answer);
        close(fd);
    }
    return NULL;
}

static struct receiver *receiver_create(const char *const *answers, size_t n)
{
    struct receiver *receiver = must_zalloc(sizeof *receiver);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    receiver->answers = answers;
    receiver->n_answers = n;
    receiver->listening = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(receiver->listening, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(receiver->listening, 16), 0);
    assert_int_equal(getsockname(receiver->listening, (struct sockaddr *)&address, &len), 0);
    snprintf(receiver->url, sizeof receiver->url, "http://127.0.0.1:%d/hook?token=hidden", ntohs(address.sin_port));
    assert_int_equal(pthread_create(&receiver->thread, NULL, serve, receiver), 0);
    return receiver;
}

static void receiver_destroy(struct receiver *receiver)
{
    shutdown(receiver->listening, SHUT_RDWR);
    close(receiver->listening);
    pthread_join(receiver->thread, NULL);
    free(receiver);
}

/* What came of the posts, by tag. */
struct outcomes {
    enum delivery delivery[REQUESTS_MAX];
    char why[REQUESTS_MAX][256];
    size_t n;
};

static void note(void *context, void *tag, enum delivery delivery, const char *why)
{
    struct outcomes *outcomes = context;
    outcomes->delivery[(size_t)tag] = delivery;
    snprintf(outcomes->why[(size_t)tag], sizeof outcomes->why[0], "%s", why);
    outcomes->n++;
}

static struct webhooks *webhooks_of(struct outcomes *outcomes)
{
    struct error error = { "" };
    struct webhooks *webhooks = webhooks_create((struct acknowledged){ note, outcomes }, &error);
    assert_non_null(webhooks);
    return webhooks;
}

static void post(struct webhooks *webhooks, const char *url, int64_t attempts, size_t tag)
{
    struct webhook_post what = { .url = url,
                                 .secret = "hush",
                                 .id = SPAN("acme/slow/7"),
                                 .body = SPAN("{\"event\":1}"),
                                 .timeout_ms = 500,
                                 .attempts = attempts,
                                 .tag = (void *)tag };
    webhooks_post(webhooks, &what);
}

static void wait_for(struct webhooks *webhooks, const struct outcomes *outcomes, size_t n)
{
    for (int i = 0; i < 2000 && outcomes->n < n; i++) {
        webhooks_poll(webhooks);
        usleep(5000);
    }
    assert_int_equal(outcomes->n, n);
}

static const char *header(const char *request, const char *name, char value[256])
{
    char look[64];
    snprintf(look, sizeof look, "\r\n%s: ", name);
    const char *at = strcasestr(request, look);
    if (!at) return NULL;
    snprintf(value, 256, "%.*s", (int)strcspn(at + strlen(look), "\r"), at + strlen(look));
    return value;
}

static void posted_signed_and_taken(void **state)
{
    (void)state;
    static const char *const answers[] = { "204 No Content" };
    struct outcomes outcomes = { 0 };
    struct receiver *receiver = receiver_create(answers, 1);
    struct webhooks *webhooks = webhooks_of(&outcomes);
    char value[256], signature[256];
    post(webhooks, receiver->url, 3, 0);
    wait_for(webhooks, &outcomes, 1);
    const char *request = receiver->requests[0];
    assert_int_equal(outcomes.delivery[0], DELIVERED);
    assert_int_equal(receiver->n, 1);
    assert_int_equal(strncmp(request, "POST /hook?token=hidden HTTP/1.1\r\n", 34), 0);
    assert_string_equal(request + body_at(request), "{\"event\":1}");
    assert_string_equal(header(request, "content-type", value), "application/cloudevents+json");
    assert_string_equal(header(request, "webhook-id", value), "acme/slow/7");
    int64_t at_s = strtoll(header(request, "webhook-timestamp", value), NULL, 10);
    assert_true(llabs((long long)(at_s - time(NULL))) < 60);
    char *want = webhook_signature("hush", SPAN("acme/slow/7"), at_s, SPAN("{\"event\":1}"));
    assert_string_equal(header(request, "webhook-signature", signature), want);
    free(want);
    assert_null(strstr(request, "hush"));
    webhooks_destroy(webhooks);
    receiver_destroy(receiver);
}

/* The example of the Standard Webhooks libraries. */
static void signatures_are_those_of_the_specification(void **state)
{
    (void)state;
    char *signature = webhook_signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", SPAN("msg_p5jXN8AQM9LWM0D4loKWxJek"),
                                        1614265330, SPAN("{\"test\": 2432232314}"));
    assert_string_equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    free(signature);
}

static void tried_again_until_it_is_taken(void **state)
{
    (void)state;
    static const char *const answers[] = { "", "503 Service Unavailable", "200 OK" };
    struct outcomes outcomes = { 0 };
    struct receiver *receiver = receiver_create(answers, 3);
    struct webhooks *webhooks = webhooks_of(&outcomes);
    char first[256], last[256];
    post(webhooks, receiver->url, 5, 0);
    wait_for(webhooks, &outcomes, 1);
    assert_int_equal(outcomes.delivery[0], DELIVERED);
    assert_int_equal(receiver->n, 3);
    assert_string_equal(header(receiver->requests[0], "webhook-id", first), header(receiver->requests[2], "webhook-id", last));
    assert_string_not_equal(header(receiver->requests[0], "webhook-timestamp", first),
                            header(receiver->requests[2], "webhook-timestamp", last));
    webhooks_destroy(webhooks);
    receiver_destroy(receiver);
}

static void given_up_in_the_end(void **state)
{
    (void)state;
    static const char *const answers[] = { "500 No", "wait", "410 Gone" };
    struct outcomes outcomes = { 0 };
    struct receiver *receiver = receiver_create(answers, 3);
    struct webhooks *webhooks = webhooks_of(&outcomes);
    post(webhooks, receiver->url, 2, 0);
    wait_for(webhooks, &outcomes, 1);
    assert_int_equal(outcomes.delivery[0], UNDELIVERABLE);
    assert_non_null(strstr(outcomes.why[0], "timed out"));
    assert_null(strstr(outcomes.why[0], "hidden"));
    post(webhooks, receiver->url, 9, 1); /* who is gone does not want it again */
    wait_for(webhooks, &outcomes, 2);
    assert_int_equal(outcomes.delivery[1], UNDELIVERABLE);
    assert_string_equal(outcomes.why[1], "the receiver answers 410");
    post(webhooks, "http://127.0.0.1:1/x", 1, 2);
    wait_for(webhooks, &outcomes, 3);
    assert_int_equal(outcomes.delivery[2], UNDELIVERABLE);
    webhooks_destroy(webhooks);
    receiver_destroy(receiver);
}

/* One that does not answer holds up itself alone, and nobody waits for it in the end. */
static void a_slow_receiver_holds_up_no_other(void **state)
{
    (void)state;
    static const char *const slow[] = { "wait" }, *const fast[] = { "200 OK" };
    struct outcomes outcomes = { 0 };
    struct receiver *one = receiver_create(slow, 1), *other = receiver_create(fast, 1);
    struct webhooks *webhooks = webhooks_of(&outcomes);
    for (size_t i = 0; i < 20; i++) post(webhooks, one->url, 5, i);
    post(webhooks, other->url, 1, 20);
    wait_for(webhooks, &outcomes, 1);
    assert_int_equal(outcomes.delivery[20], DELIVERED);
    webhooks_destroy(webhooks);
    assert_int_equal(outcomes.n, 21);
    assert_int_equal(outcomes.delivery[0], UNDELIVERED);
    receiver_destroy(one);
    receiver_destroy(other);
}

static int64_t cpu_ms(void)
{
    struct timespec at;
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at), 0);
    return at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

/* Of one rule over many tenants all events may come at once, and their receiver may be slow: waiting costs nothing. */
static void those_that_wait_are_not_gone_through(void **state)
{
    (void)state;
    static const char *const slow[] = { "wait" };
    struct outcomes outcomes = { 0 };
    struct receiver *receiver = receiver_create(slow, 1);
    struct webhooks *webhooks = webhooks_of(&outcomes);
    for (size_t i = 0; i < 20000; i++) post(webhooks, receiver->url, 5, 0);
    int64_t begun_ms = cpu_ms();
    usleep(1500000);
    assert_true(cpu_ms() - begun_ms < 500);
    webhooks_destroy(webhooks);
    assert_int_equal(outcomes.n, 20000);
    receiver_destroy(receiver);
}

static void the_wait_doubles_up_to_a_minute(void **state)
{
    (void)state;
    static const int64_t want_ms[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };
    for (int64_t i = 0; i < 8; i++) assert_int_equal(webhook_wait_ms(i + 1), want_ms[i]);
    assert_int_equal(webhook_wait_ms(100), 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posted_signed_and_taken),
        cmocka_unit_test(signatures_are_those_of_the_specification),
        cmocka_unit_test(tried_again_until_it_is_taken),
        cmocka_unit_test(given_up_in_the_end),
        cmocka_unit_test(a_slow_receiver_holds_up_no_other),
        cmocka_unit_test(the_wait_doubles_up_to_a_minute),
        cmocka_unit_test(those_that_wait_are_not_gone_through),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
