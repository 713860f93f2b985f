#include "daemon/webhook/webhook.h"

#include "common/buffer.h"
#include "daemon/clock.h"

#include <curl/curl.h>
#include <glib.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    AT_ONCE = 16,    /* posts under way … */
    AT_ONCE_URL = 4, /* … and of them to one receiver, which may be slow */
    LOOK_MS = 1000,  /* the longest sleep of the thread: it is woken when there is something to do */
    WAIT_MIN_MS = 1000,
    WAIT_MAX_MS = 60000,
    CONNECT_TIMEOUT_MS = 5000,
    GONE = 410,
    ANSWER_BYTES_MAX = 1 << 20
};

struct call;

/* The first one is taken, others are put behind the last one. */
struct call_list {
    struct call *first, **last; /* NULL: it is empty */
};

/* Who is posted to, by the URL. */
struct receiver {
    char *url;
    size_t under_way;
    GSequence *waiting; /* struct call, by when it is their turn */
};

/* One event on its way; owned by exactly one of: the inbox, a receiver's waiting ones, those under way, the outcomes. */
struct call {
    struct call *next;
    struct receiver *receiver; /* once it is the thread's */
    char *url, *secret;
    struct span id, body;                        /* behind it, in the same block */
    int64_t timeout_ms, attempts, failed, at_ms; /* at_ms: when it is its turn (monotonic) */
    void *tag;
    CURL *curl; /* while it is under way */
    struct curl_slist *headers;
    size_t answer_bytes;
    enum delivery delivery; /* once it is over … */
    char why[CURL_ERROR_SIZE];
};

struct webhooks {
    struct acknowledged acknowledged;
    pthread_t thread;
    pthread_mutex_t lock; /* of inbox and outcomes */
    struct call_list inbox, outcomes;
    atomic_bool stop;
    /* the thread's own: */
    CURLM *multi;
    struct receiver **receivers;
    size_t n_receivers, turn; /* who is looked at next */
    struct call *begun;       /* under way, … */
    size_t under_way;         /* … and how many */
};

static int64_t monotonic_ms(void)
{
    return clock_us(CLOCK_MONOTONIC) / MICROS_PER_MS;
}

int64_t webhook_wait_ms(int64_t failed)
{
    int64_t wait_ms = WAIT_MIN_MS;
    for (int64_t i = 1; i < failed && wait_ms < WAIT_MAX_MS; i++) wait_ms *= 2;
    return wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS;
}

/* ---- calls ---- */

static struct call *call_create(const struct webhook_post *post)
{
    size_t url = strlen(post->url) + 1, secret = strlen(post->secret) + 1;
    struct call *call = must_zalloc(sizeof *call + url + secret + post->id.len + post->body.len);
    call->url = memcpy(call + 1, post->url, url);
    call->secret = memcpy(call->url + url, post->secret, secret);
    call->id = (struct span){ memcpy(call->secret + secret, post->id.at, post->id.len), post->id.len };
    call->body =
        (struct span){ memcpy((char *)(uintptr_t)call->id.at + call->id.len, post->body.at, post->body.len), post->body.len };
    call->timeout_ms = post->timeout_ms;
    call->attempts = post->attempts;
    call->tag = post->tag;
    return call;
}

static void call_destroy(struct call *call)
{
    if (call->curl) curl_easy_cleanup(call->curl);
    curl_slist_free_all(call->headers);
    explicit_bzero(call->secret, strlen(call->secret));
    free(call);
}

static void push_last(struct call_list *list, struct call *call)
{
    call->next = NULL;
    *(list->first ? list->last : &list->first) = call;
    list->last = &call->next;
}

static struct call *take_all(struct webhooks *webhooks, struct call_list *list)
{
    pthread_mutex_lock(&webhooks->lock);
    struct call *taken = list->first;
    *list = (struct call_list){ 0 };
    pthread_mutex_unlock(&webhooks->lock);
    return taken;
}

/* ---- the thread: who waits for whom ---- */

static struct receiver *receiver_of(struct webhooks *webhooks, const char *url)
{
    for (size_t i = 0; i < webhooks->n_receivers; i++)
        if (strcmp(webhooks->receivers[i]->url, url) == 0) return webhooks->receivers[i];
    struct receiver *receiver = must_alloc(sizeof *receiver);
    *receiver = (struct receiver){ .url = g_strdup(url), .waiting = g_sequence_new(NULL) };
    webhooks->receivers = must_realloc(webhooks->receivers, (webhooks->n_receivers + 1) * sizeof *webhooks->receivers);
    return webhooks->receivers[webhooks->n_receivers++] = receiver;
}

static int compare_calls(const void *a, const void *b, void *context)
{
    const struct call *x = a, *y = b;
    (void)context;
    return (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
}

/* Behind those whose turn is at the same time. */
static void wait_until(struct call *call, int64_t at_ms)
{
    call->at_ms = at_ms;
    g_sequence_insert_sorted(call->receiver->waiting, call, compare_calls, NULL);
}

static struct call *first_of(const struct receiver *receiver)
{
    GSequenceIter *first = g_sequence_get_begin_iter(receiver->waiting);
    return g_sequence_iter_is_end(first) ? NULL : g_sequence_get(first);
}

/* ---- the thread: one attempt ---- */

/* What is answered is of no interest, and not read without end. */
static size_t take_answer(char *bytes, size_t size, size_t n, void *context)
{
    struct call *call = context;
    (void)bytes;
    call->answer_bytes += size * n;
    return call->answer_bytes > ANSWER_BYTES_MAX ? 0 : size * n;
}

static void add_header(struct call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_header(struct call *call, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    call->headers = curl_slist_append(call->headers, line);
}

/* Signed anew at each attempt: receivers refuse old timestamps. */
static void write_headers(struct call *call)
{
    int64_t now_s = (int64_t)time(NULL);
    char *signature = webhook_signature(call->secret, call->id, now_s, call->body);
    curl_slist_free_all(call->headers);
    call->headers = NULL;
    add_header(call, "Content-Type: application/cloudevents+json");
    add_header(call, "webhook-id: %.*s", SPAN_ARG(call->id));
    add_header(call, "webhook-timestamp: %" PRId64, now_s);
    add_header(call, "webhook-signature: %s", signature);
    add_header(call, "Expect:");
    free(signature);
}

static void begin(struct webhooks *webhooks, struct call *call)
{
    CURL *curl = call->curl = curl_easy_init();
    REQUIRE(curl != NULL);
    write_headers(call);
    call->answer_bytes = 0;
    call->why[0] = 0;
    curl_easy_setopt(curl, CURLOPT_URL, call->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body.at);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, call->headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "crm-reportd");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, call->why);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, call);
    curl_multi_add_handle(webhooks->multi, curl);
    call->next = webhooks->begun;
    webhooks->begun = call;
    webhooks->under_way++;
    call->receiver->under_way++;
}

/* ---- the thread: what came of it ---- */

static void remove_from(struct call **list, struct call *call)
{
    while (*list != call) list = &(*list)->next;
    *list = call->next;
}

static void finish(struct webhooks *webhooks, struct call *call, enum delivery delivery)
{
    call->delivery = delivery;
    pthread_mutex_lock(&webhooks->lock);
    push_last(&webhooks->outcomes, call);
    pthread_mutex_unlock(&webhooks->lock);
}

static void judge(struct webhooks *webhooks, struct call *call, CURLcode result)
{
    long status = 0;
    curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(webhooks->multi, call->curl);
    curl_easy_cleanup(call->curl);
    call->curl = NULL;
    remove_from(&webhooks->begun, call);
    webhooks->under_way--;
    call->receiver->under_way--;
    bool good = status >= 200 && status < 300 && (result == CURLE_OK || result == CURLE_WRITE_ERROR);
    if (good) return finish(webhooks, call, DELIVERED);
    if (result == CURLE_OK)
        snprintf(call->why, sizeof call->why, "the receiver answers %ld", status);
    else if (!call->why[0])
        snprintf(call->why, sizeof call->why, "%s", curl_easy_strerror(result));
    call->failed++;
    if (status == GONE || call->failed >= call->attempts) return finish(webhooks, call, UNDELIVERABLE);
    wait_until(call, monotonic_ms() + webhook_wait_ms(call->failed));
}

/* Has any ended? Then others may have room. */
static bool take_results(struct webhooks *webhooks)
{
    int left = 0;
    bool any = false;
    for (CURLMsg *message; (message = curl_multi_info_read(webhooks->multi, &left));) {
        struct call *call = NULL;
        CURLcode result = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        judge(webhooks, call, result);
        any = true;
    }
    return any;
}

/* ---- the thread: its loop ---- */

static void take_inbox(struct webhooks *webhooks)
{
    int64_t now_ms = monotonic_ms();
    for (struct call *call = take_all(webhooks, &webhooks->inbox), *next; call; call = next) {
        next = call->next;
        call->receiver = receiver_of(webhooks, call->url);
        wait_until(call, now_ms);
    }
}

/* False: it is nobody's turn, or he has enough to do. */
static bool begin_next(struct webhooks *webhooks, struct receiver *receiver, int64_t now_ms)
{
    struct call *call = first_of(receiver);
    if (!call || call->at_ms > now_ms || receiver->under_way == AT_ONCE_URL) return false;
    g_sequence_remove(g_sequence_get_begin_iter(receiver->waiting));
    begin(webhooks, call);
    return true;
}

/* Begins those whose turn it is, one receiver's after the other's. Returns how long until it is another one's. */
static int begin_due(struct webhooks *webhooks)
{
    int64_t now_ms = monotonic_ms(), next_ms = now_ms + LOOK_MS;
    size_t n = webhooks->n_receivers;
    for (size_t in_vain = 0; in_vain < n && webhooks->under_way < AT_ONCE; webhooks->turn = (webhooks->turn + 1) % n)
        in_vain = begin_next(webhooks, webhooks->receivers[webhooks->turn], now_ms) ? 0 : in_vain + 1;
    for (size_t i = 0; i < n; i++) {
        const struct call *call = first_of(webhooks->receivers[i]);
        if (call && call->at_ms > now_ms && call->at_ms < next_ms) next_ms = call->at_ms;
    }
    return (int)(next_ms - now_ms);
}

static void *run(void *context)
{
    struct webhooks *webhooks = context;
    while (!atomic_load(&webhooks->stop)) {
        int running = 0;
        take_inbox(webhooks);
        int wait_ms = begin_due(webhooks);
        curl_multi_perform(webhooks->multi, &running);
        if (!take_results(webhooks)) curl_multi_poll(webhooks->multi, NULL, 0, wait_ms, NULL);
    }
    return NULL;
}

/* ---- from outside ---- */

void webhooks_post(struct webhooks *webhooks, const struct webhook_post *post)
{
    struct call *call = call_create(post);
    pthread_mutex_lock(&webhooks->lock);
    push_last(&webhooks->inbox, call);
    pthread_mutex_unlock(&webhooks->lock);
    curl_multi_wakeup(webhooks->multi);
}

static void tell(struct webhooks *webhooks, struct call *call)
{
    static const char *const none = "";
    if (webhooks->acknowledged.call)
        webhooks->acknowledged.call(webhooks->acknowledged.context, call->tag, call->delivery,
                                    call->delivery == DELIVERED ? none : call->why);
    call_destroy(call);
}

static void tell_all(struct webhooks *webhooks, struct call *calls)
{
    while (calls) {
        struct call *next = calls->next;
        tell(webhooks, calls);
        calls = next;
    }
}

void webhooks_poll(struct webhooks *webhooks)
{
    tell_all(webhooks, take_all(webhooks, &webhooks->outcomes));
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void init_library(void)
{
    curl_global_init(CURL_GLOBAL_ALL);
}

struct webhooks *webhooks_create(struct acknowledged acknowledged, struct error *error)
{
    pthread_once(&once, init_library);
    struct webhooks *webhooks = must_zalloc(sizeof *webhooks);
    webhooks->acknowledged = acknowledged;
    webhooks->multi = curl_multi_init();
    pthread_mutex_init(&webhooks->lock, NULL);
    if (webhooks->multi && pthread_create(&webhooks->thread, NULL, run, webhooks) == 0) return webhooks;
    fail(error, "webhooks cannot be started: %s", webhooks->multi ? "no thread" : "libcurl says no");
    if (webhooks->multi) curl_multi_cleanup(webhooks->multi);
    pthread_mutex_destroy(&webhooks->lock);
    free(webhooks);
    return NULL;
}

/* Those not over yet. */
static void abandon(struct webhooks *webhooks, struct call *calls)
{
    for (struct call *call = calls; call; call = call->next) {
        if (call->curl) curl_multi_remove_handle(webhooks->multi, call->curl);
        call->delivery = UNDELIVERED;
        snprintf(call->why, sizeof call->why, "the daemon ends");
    }
    tell_all(webhooks, calls);
}

static void receiver_destroy(struct webhooks *webhooks, struct receiver *receiver)
{
    struct call_list waiting = { 0 };
    for (struct call *call; (call = first_of(receiver));) {
        g_sequence_remove(g_sequence_get_begin_iter(receiver->waiting));
        push_last(&waiting, call);
    }
    abandon(webhooks, waiting.first);
    g_sequence_free(receiver->waiting);
    g_free(receiver->url);
    free(receiver);
}

void webhooks_destroy(struct webhooks *webhooks)
{
    if (!webhooks) return;
    atomic_store(&webhooks->stop, true);
    curl_multi_wakeup(webhooks->multi);
    pthread_join(webhooks->thread, NULL);
    webhooks_poll(webhooks);
    abandon(webhooks, webhooks->begun);
    for (size_t i = 0; i < webhooks->n_receivers; i++) receiver_destroy(webhooks, webhooks->receivers[i]);
    free(webhooks->receivers);
    abandon(webhooks, webhooks->inbox.first);
    curl_multi_cleanup(webhooks->multi);
    pthread_mutex_destroy(&webhooks->lock);
    free(webhooks);
}
