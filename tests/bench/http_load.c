/* Readers of the HTTP interface: open streams of updates, and requests at a steady rate over kept connections. Cheap, for it shares
 * the machine with what is measured: one thread, epoll, of the lowest priority. SIGUSR1 lets the readers come, or go again; SIGTERM
 * ends it, with one JSON line.
 *
 *   http_load PORT STREAMS RATE QUERIES TENANT …      QUERIES: a query every so many requests (0: none); the others are reports */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    N_CONNECTIONS = 32,
    N_REPORTS = 4,
    HEAD_BYTES = 4096,
    CHUNK_BYTES = 1 << 18,
    TAG_BYTES = 48,
    TICK_MS = 2,
    N_SLOTS = 100000 /* of the histogram, 10 us each */
};

static const char *const reports[N_REPORTS] = { "service", "conversion", "sales_performance", "sales_activity" };
static const char query[] = "{\"metric\":\"revenue\",\"period\":\"this_month\",\"by\":[\"owner\"]}";

/* A connection: a stream, or one request at a time. */
struct peer {
    int fd;
    bool stream, busy, begun; /* begun: a stream that was answered */
    char *tag;                /* of what was asked for last: where its entity tag is kept */
    double since;
    char head[HEAD_BYTES];
    size_t head_len, body_left;
};

static struct {
    int port, epoll, status[6];
    double rate;
    long queries, n_streams, n_tenants, asked, answered, events;
    int64_t bytes;
    char **tenants, (*tags)[TAG_BYTES];
    struct peer **peers, *idle[N_CONNECTIONS];
    long n_peers;
    int n_idle;
    double seconds; /* that readers were there */
    uint32_t slots[N_SLOTS];
    uint64_t dice;
} load = { .dice = 88172645463325252ULL };
static volatile sig_atomic_t over, wanted;
static char chunk[CHUNK_BYTES];

static void take_signal(int number)
{
    if (number == SIGUSR1)
        wanted = !wanted;
    else
        over = 1;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static long any_of(long n)
{
    load.dice ^= load.dice << 13;
    load.dice ^= load.dice >> 7;
    load.dice ^= load.dice << 17;
    return (long)(load.dice % (uint64_t)n);
}

static struct peer *dial(bool stream)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)load.port) };
    struct peer *peer = calloc(1, sizeof *peer);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = peer };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *peer = (struct peer){ .fd = socket(AF_INET, SOCK_STREAM, 0), .stream = stream };
    if (connect(peer->fd, (struct sockaddr *)&to, sizeof to)) over = 1, perror("http_load: connect");
    fcntl(peer->fd, F_SETFL, O_NONBLOCK);
    setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    epoll_ctl(load.epoll, EPOLL_CTL_ADD, peer->fd, &event);
    return load.peers[load.n_peers++] = peer;
}

static void follow(const char *tenant)
{
    dprintf(dial(true)->fd, "GET /v1/tenants/%s/updates HTTP/1.1\r\nHost: localhost\r\n\r\n", tenant);
}

static void come(void)
{
    for (long n = 0; n < load.n_streams && !over; n++) follow(load.tenants[n % load.n_tenants]);
    for (int n = 0; n < N_CONNECTIONS && !over; n++) load.idle[load.n_idle++] = dial(false);
}

static void go(void)
{
    for (long n = 0; n < load.n_peers; n++) {
        load.asked -= load.peers[n]->busy;
        close(load.peers[n]->fd);
        free(load.peers[n]);
    }
    load.n_peers = load.n_idle = 0;
}

static void ask(struct peer *peer)
{
    char text[512];
    long tenant = any_of(load.n_tenants), report = any_of(N_REPORTS);
    bool asks = load.queries && load.asked % load.queries == 0;
    peer->tag = asks ? NULL : load.tags[tenant * N_REPORTS + report];
    int len = asks ? snprintf(text, sizeof text,
                              "POST /v1/tenants/%s/query HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n%s",
                              load.tenants[tenant], strlen(query), query)
                   : snprintf(text, sizeof text,
                              "GET /v1/tenants/%s/reports/%s HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: %s\r\n\r\n",
                              load.tenants[tenant], reports[report], peer->tag[0] ? peer->tag : "\"\"");
    peer->since = now();
    peer->busy = true;
    peer->head_len = peer->body_left = 0;
    load.asked++;
    if (write(peer->fd, text, (size_t)len) != len) over = 1;
}

static void note_answer(struct peer *peer)
{
    size_t slot = (size_t)((now() - peer->since) * 1e5);
    load.slots[slot < N_SLOTS ? slot : N_SLOTS - 1]++;
    load.answered++;
    peer->busy = false;
    load.idle[load.n_idle++] = peer;
}

/* Status, length and entity tag, once the head is there. False: it is not. */
static bool read_head(struct peer *peer)
{
    peer->head[peer->head_len] = '\0';
    char *body = strstr(peer->head, "\r\n\r\n"), *tag = strstr(peer->head, "\r\nETag: "), *length;
    if (!body) return false;
    int status = atoi(peer->head + 9);
    load.status[status / 100 % 6]++;
    if (tag && tag < body && peer->tag) snprintf(peer->tag, TAG_BYTES, "%.*s", (int)strcspn(tag + 8, "\r"), tag + 8);
    length = status == 304 ? NULL : strstr(peer->head, "\r\nContent-Length: ");
    size_t whole = (size_t)(body + 4 - peer->head) + (length && length < body ? strtoul(length + 18, NULL, 10) : 0);
    peer->body_left = whole - peer->head_len;
    return true;
}

/* False: closed. */
static bool hear_answer(struct peer *peer)
{
    bool in_head = !peer->body_left;
    ssize_t got = in_head ? recv(peer->fd, peer->head + peer->head_len, HEAD_BYTES - 1 - peer->head_len, 0)
                          : recv(peer->fd, chunk, CHUNK_BYTES, 0);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    load.bytes += got;
    if (!in_head)
        peer->body_left -= (size_t)got;
    else if (peer->head_len += (size_t)got, !read_head(peer))
        return true;
    if (!peer->body_left) note_answer(peer);
    return true;
}

static bool hear_stream(struct peer *peer)
{
    ssize_t got = recv(peer->fd, chunk, CHUNK_BYTES, 0);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    load.bytes += got;
    if (!peer->begun && !memmem(chunk, (size_t)got, " 200 ", 5))
        return fprintf(stderr, "http_load: %.*s\n", (int)got, chunk), false;
    peer->begun = true;
    for (char *at = chunk, *last = chunk + got; (at = memmem(at, (size_t)(last - at), "event: ", 7)); at += 7) load.events++;
    return true;
}

static void look(void)
{
    struct epoll_event events[64];
    int n = epoll_wait(load.epoll, events, 64, TICK_MS);
    for (int i = 0; i < n; i++) {
        struct peer *peer = events[i].data.ptr;
        if (!(peer->stream ? hear_stream(peer) : hear_answer(peer))) over = 1; /* the daemon has ended */
    }
}

static double percentile(double share)
{
    long rest = (long)((double)load.answered * share);
    for (int slot = 0; slot < N_SLOTS; slot++)
        if ((rest -= load.slots[slot]) < 0) return slot * 0.01;
    return N_SLOTS * 0.01;
}

static void tell(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    double cpu =
        (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) + (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1e-6;
    printf("{\"seconds\":%.3f,\"asked_per_s\":%.1f,\"answered_per_s\":%.1f,\"statuses\":{", load.seconds,
           (double)load.asked / load.seconds, (double)load.answered / load.seconds);
    for (int i = 1; i < 6; i++) printf("%s\"%dxx\":%d", i > 1 ? "," : "", i, load.status[i]);
    printf("},\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"events_per_s\":%.1f,\"mib_per_s\":%.2f,\"cores\":%.4f}\n", percentile(0.5),
           percentile(0.99), (double)load.events / load.seconds, (double)load.bytes / 1048576 / load.seconds, cpu / load.seconds);
}

/* From SIGUSR1 to SIGUSR1. */
static void read_on(void)
{
    double began = now();
    come();
    for (long sent = 0; !over && wanted; look())
        for (long due = (long)((now() - began) * load.rate); sent < due && load.n_idle; sent++) ask(load.idle[--load.n_idle]);
    load.seconds += now() - began;
    go();
}

/* Readers are elsewhere in life: what they do here takes only what nobody else wants. */
static void step_back(void)
{
    struct sched_param none = { 0 };
    if (sched_setscheduler(0, SCHED_IDLE, &none)) setpriority(PRIO_PROCESS, 0, 19);
}

int main(int argc, char **argv)
{
    struct sigaction action = { .sa_handler = take_signal };
    if (argc < 6) return fprintf(stderr, "http_load: expected PORT STREAMS RATE QUERIES TENANT …\n"), 1;
    load.port = atoi(argv[1]);
    load.n_streams = atol(argv[2]);
    load.rate = atof(argv[3]);
    load.queries = atol(argv[4]);
    load.tenants = argv + 5;
    load.n_tenants = argc - 5;
    load.tags = calloc((size_t)load.n_tenants * N_REPORTS, TAG_BYTES);
    load.peers = calloc((size_t)load.n_streams + N_CONNECTIONS, sizeof(struct peer *));
    load.epoll = epoll_create1(0);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    step_back();
    while (!over) {
        if (wanted) read_on();
        usleep(10000);
    }
    tell();
    return 0;
}
