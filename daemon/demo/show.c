#include "daemon/demo/show.h"

#include "common/instant.h"
#include "daemon/clock.h"
#include "daemon/demo/plain.h"
#include "daemon/demo/screen.h"
#include "daemon/demo/terminal.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    FRAME_MS = 120,
    QUIET_MS = 500,   /* no report for so long: they are all there */
    RATE_FRAMES = 16, /* over which events per second are measured */
    INSIDE_MAX = 12
};

struct show {
    struct stage *stage;
    const struct demo_options *options;
    int signals;
    bool over, on_screen;
    int64_t began_us, drawn_us, live_us; /* monotonic; 0: not yet */
    int64_t hinted_us;                   /* the last report came */
    uint64_t hints;                      /* so many had come by then */
    struct wall wall;
    struct notes notes;
    struct status status;
    struct {
        uint64_t counted;
        int64_t at_us;
    } frames[RATE_FRAMES];
    size_t n_frames;
    struct screen *screen;
    struct plain *plain;
    char *inside[INSIDE_MAX + 1];
};

int show_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGWINCH);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* ---- how to look inside ---- */

enum inside {
    INSIDE_NOTHING,
    INSIDE_SOCKET,
    INSIDE_SERVERS,
    INSIDE_SETTINGS,
    INSIDE_WHERE,
    N_INSIDE
};

/* Commands to be copied, with what is only known now in their middle. */
static const struct {
    const char *before;
    enum inside what;
    const char *after;
} inside_lines[] = {
    { "While this runs, the same in a browser: ", INSIDE_WHERE, "" },
    { "From another terminal:", INSIDE_NOTHING, "" },
    { "  redis-cli -s ", INSIDE_SOCKET, " get 'crm:{acme}:report:service'" },
    { "  redis-cli -s ", INSIDE_SOCKET, " hgetall 'crm:{acme}:metrics:today'" },
    { "  redis-cli -s ", INSIDE_SOCKET, " psubscribe 'crm:{*}:reports'" },
    { "  crm-reportd query -c ", INSIDE_SETTINGS, " '{\"tenant\":\"acme\",\"metric\":\"conversion_rate\",\"by\":[\"source\"]}'" },
    { "  kcat -C -b ", INSIDE_SERVERS, " -t crm.deals -o -3 -e" },
    { "  kcat -C -b ", INSIDE_SERVERS, " -t crm.reports -o -1 -e -f '%k %s\\n'" },
};
_Static_assert(sizeof inside_lines / sizeof inside_lines[0] <= INSIDE_MAX, "raise INSIDE_MAX");

static void describe_inside(struct show *show)
{
    const struct stage *stage = show->stage;
    const char *const of[N_INSIDE] = { "", stage->redis.socket, kafka_mock_servers(stage->kafka), stage->settings_file,
                                       stage->where };
    for (size_t i = 0; i < sizeof inside_lines / sizeof inside_lines[0]; i++) {
        int written =
            asprintf(&show->inside[i], "%s%s%s", inside_lines[i].before, of[inside_lines[i].what], inside_lines[i].after);
        REQUIRE(written >= 0);
    }
}

static void print_inside(const struct show *show)
{
    for (size_t i = 0; show->inside[i]; i++) puts(show->inside[i]);
    puts("");
    fflush(stdout);
}

/* ---- following ---- */

static void measure_rate(struct show *show, int64_t now_us)
{
    struct status *status = &show->status;
    size_t oldest = show->n_frames < RATE_FRAMES ? 0 : show->n_frames % RATE_FRAMES;
    if (show->n_frames && now_us > show->frames[oldest].at_us)
        status->events_per_s = (double)(status->counted - show->frames[oldest].counted) * MICROS_PER_SECOND /
                               (double)(now_us - show->frames[oldest].at_us);
    show->frames[show->n_frames % RATE_FRAMES].counted = status->counted;
    show->frames[show->n_frames++ % RATE_FRAMES].at_us = now_us;
}

/* All of the history is counted, and its reports have come: the live events may begin. */
static bool history_shown(struct show *show, const struct sender_counts *sent, int64_t now_us)
{
    if (show->hints != show->wall.updates) show->hinted_us = now_us;
    show->hints = show->wall.updates;
    return sent->history && show->status.counted >= sent->history && show->hints &&
           now_us - show->hinted_us > QUIET_MS * MICROS_PER_MS;
}

static void go_live(struct show *show, int64_t now_us)
{
    show->live_us = now_us;
    show->wall.latency_ms = 0; /* that of the history says nothing */
    show->n_frames = 0;
    show->status.catching_up = false;
    if (!show->options->once) sender_go_live(show->stage->sender);
}

static void look_at_counts(struct show *show, int64_t now_us)
{
    struct sender_counts sent = sender_counts(show->stage->sender);
    struct worker_counts counted = daemon_counts(show->stage->daemon);
    struct status *status = &show->status;
    status->now_us = clock_us(CLOCK_REALTIME);
    status->running_s = (int)((now_us - show->began_us) / MICROS_PER_SECOND);
    status->sent = sent.sent;
    status->counted = counted.records;
    status->repeated = counted.duplicates;
    status->updates = show->wall.updates;
    status->latency_ms = show->wall.latency_ms;
    measure_rate(show, now_us);
    if (!show->live_us && history_shown(show, &sent, now_us)) go_live(show, now_us);
}

/* Events of note first: what stood in the reports before them is still there. */
static void take_news(struct show *show)
{
    struct news_item item;
    while (news_take(show->stage->news, &item)) {
        notes_add(&show->notes, &item, &show->wall);
        if (show->screen) screen_news(show->screen, &item);
    }
}

static void draw(struct show *show)
{
    int rows, columns;
    struct buffer out = { 0 };
    if (!show->on_screen) {
        if (!show->options->once && show->live_us) plain_update(show->plain, &show->status, &show->wall, &show->notes);
        return;
    }
    if (show->screen->choice.frozen && !show->screen->canvas.anew) return;
    terminal_size(&rows, &columns);
    screen_draw(show->screen, &show->status, &show->wall, &show->notes, rows, columns);
    canvas_paint(&show->screen->canvas, &out);
    terminal_write(out.at, out.len);
    buffer_deinit(&out);
}

static bool is_over(const struct show *show, int64_t now_us)
{
    if (show->over || ferror(stdout)) return true; /* nobody reads any more */
    if (show->options->once) return show->live_us != 0;
    return show->options->seconds && now_us - show->began_us >= show->options->seconds * MICROS_PER_SECOND;
}

static void take_signals(struct show *show)
{
    struct signalfd_siginfo info;
    while (read(show->signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo != SIGWINCH) show->over = true;
        show->drawn_us = 0;
    }
}

static void take_keys(struct show *show)
{
    for (int key; (key = terminal_key()) != KEY_NONE;) {
        if (!choice_key(&show->screen->choice, show->wall.catalogue, key)) show->over = true;
        show->drawn_us = 0;
    }
}

/* Waits until there is something to do; the next frame is. */
static void await(struct show *show)
{
    struct pollfd on[] = { { show->signals, POLLIN, 0 },
                           { dashboard_descriptor(show->stage->dashboard), POLLIN, 0 },
                           { show->on_screen ? STDIN_FILENO : -1, POLLIN, 0 } };
    poll(on, sizeof on / sizeof on[0], FRAME_MS / 2);
    if (on[0].revents) take_signals(show);
    if (on[2].revents & POLLIN) take_keys(show);
    if (on[2].revents & (POLLHUP | POLLERR)) show->over = true;
    take_news(show);
    if (on[1].revents) dashboard_read(show->stage->dashboard);
}

static bool follow(struct show *show, struct error *error)
{
    for (int64_t now_us = show->began_us; !is_over(show, now_us); now_us = clock_us(CLOCK_MONOTONIC)) {
        await(show);
        if (stage_failed(show->stage, error) || !wall_update(&show->wall, clock_us(CLOCK_REALTIME), error)) return false;
        if (now_us - show->drawn_us < FRAME_MS * MICROS_PER_MS) continue;
        show->drawn_us = now_us;
        look_at_counts(show, now_us);
        notes_look(&show->notes, &show->wall, show->status.now_us);
        draw(show);
    }
    return true;
}

/* ---- the whole ---- */

static void open_show(struct show *show)
{
    wall_init(&show->wall, show->stage->dashboard, show->stage->catalogue);
    describe_inside(show);
    show->began_us = clock_us(CLOCK_MONOTONIC);
    show->on_screen = !show->options->plain && !show->options->once && terminal_usable();
    if (!show->options->once) print_inside(show);
    if (show->on_screen) {
        show->screen = must_zalloc(sizeof *show->screen);
        screen_init(show->screen, show->stage->catalogue, (const char *const *)show->inside);
        terminal_enter();
    } else {
        show->plain = must_zalloc(sizeof *show->plain);
    }
}

static void close_show(struct show *show)
{
    terminal_leave();
    if (show->screen) screen_deinit(show->screen);
    free(show->screen);
    free(show->plain);
    for (size_t i = 0; show->inside[i]; i++) free(show->inside[i]);
    wall_deinit(&show->wall);
}

bool show_run(struct stage *stage, const struct demo_options *options, int signals, struct error *error)
{
    struct show show = { .stage = stage, .options = options, .signals = signals };
    show.status = (struct status){ .catching_up = true, .zones = stage->zones, .where = stage->where };
    open_show(&show);
    bool fine = follow(&show, error);
    terminal_leave();
    if (fine && options->once && !show.over) {
        stage_settle(stage);
        dashboard_read(stage->dashboard);
        fine = wall_update(&show.wall, clock_us(CLOCK_REALTIME), error);
        if (fine) plain_reports(&show.wall);
    }
    close_show(&show);
    return fine;
}
