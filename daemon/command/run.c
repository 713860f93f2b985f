/* crm-reportd run: the daemon, until a signal ends it. */
#include "daemon/command/command.h"
#include "daemon/command/effective.h"
#include "daemon/http/server.h"
#include "daemon/run/daemon.h"
#include "daemon/run/notify.h"
#include "daemon/run/statistics.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum {
    LOOK_MS = 200,
    TELL_MS = 2000,
    PROGRESS_S = 10
};

struct options {
    const char *config;
    bool accept_gap;
};

static const struct option long_options[] = {
    { "config", required_argument, NULL, 'c' },
    { "accept-gap", no_argument, NULL, 'g' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static int read_options(int argc, char **argv, struct options *options)
{
    opterr = 0;
    for (int got; (got = getopt_long(argc, argv, ":c:", long_options, NULL)) != -1;) {
        if (got == 'c')
            options->config = optarg;
        else if (got == 'g')
            options->accept_gap = true;
        else
            return usage_option(argv, long_options, got);
    }
    if (optind < argc) return usage_error(argv[0], "unexpected \"%s\"", argv[optind]);
    return EXIT_OK;
}

/* Signals are waited for, not caught: all threads have them blocked. */
static sigset_t block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    return set;
}

static void log_notes(const struct problems *notes, enum log_level level, const char *event)
{
    for (size_t i = 0; i < notes->n; i++) log_event(level, event, "setting=%s what=%s", notes->at[i].where, notes->at[i].text);
}

/* The alert rules of settings; NULL: something is wrong with them. Rules that make no sense are told of. */
static struct alert_rules *read_alerts(const struct settings *settings, const struct catalogue *catalogue,
                                       struct problems *problems)
{
    struct problems advice = { 0 };
    struct alert_rules *rules = alert_rules_read(settings, catalogue, problems, &advice);
    log_notes(&advice, LEVEL_WARN, "alert_rule_advice");
    problems_deinit(&advice);
    return rules;
}

static bool read_tokens(const struct settings *settings, struct tokens *tokens, struct problems *problems)
{
    struct error error = { "" };
    if (tokens_load(tokens, settings->listen_tokens_file, &error)) return true;
    problem_add(problems, "listen_tokens_file", "%s", error.text);
    return false;
}

/* What may change takes effect at once, if nothing at all is wrong; settings_reload says of the rest that it needs a restart. */
static void reload(struct engine *engine, struct daemon *daemon, struct http_server *http, struct settings **settings)
{
    struct problems problems = { 0 }, notes = { 0 };
    struct tokens tokens = { 0 };
    if (!*settings) return;
    struct settings *fresh = settings_reload(*settings, environ, &problems, &notes);
    bool fine = fresh && read_tokens(fresh, &tokens, &problems);
    struct alert_rules *rules = fine ? read_alerts(fresh, engine->catalogue, &problems) : NULL;
    log_notes(&problems, LEVEL_ERROR, "settings_wrong");
    if (rules) {
        if (http) http_renew_tokens(http, &tokens);
        log_notes(&notes, LEVEL_INFO, "settings_reloaded");
        log_setup((enum log_level)fresh->log_level, (enum log_format)fresh->log_format);
        engine_retune(engine, fresh);
        daemon_set_alerts(daemon, rules);
        settings_destroy(*settings);
        *settings = fresh;
    } else {
        settings_destroy(fresh);
    }
    tokens_deinit(&tokens);
    problems_deinit(&problems);
    problems_deinit(&notes);
}

static void log_progress(const struct daemon *daemon, struct worker_counts *last)
{
    struct worker_counts now = daemon_counts(daemon);
    if (now.records != last->records)
        log_event(LEVEL_INFO, "progress",
                  "records=%llu events_per_s=%llu duplicates=%llu rejected=%llu commits=%llu conflicts=%llu read_again=%llu",
                  (unsigned long long)now.records, (unsigned long long)((now.records - last->records) / PROGRESS_S),
                  (unsigned long long)now.duplicates, (unsigned long long)now.rejected, (unsigned long long)now.commits,
                  (unsigned long long)now.conflicts, (unsigned long long)now.rewinds);
    *last = now;
}

/* Tells systemd that all is well, as long as every worker turns, and what it is at. */
static void tell_systemd(struct daemon *daemon, int64_t watchdog_us)
{
    struct buffer why = { 0 };
    bool ready = statistics_ready(daemon, &why);
    notify("STATUS=%.*s", ready ? 7 : (int)why.len, ready ? "working" : why.at);
    if (watchdog_us && !statistics_stuck(daemon, watchdog_us)) notify("WATCHDOG=1");
    buffer_deinit(&why);
}

/* Until SIGTERM or SIGINT, or a worker gives up. */
static int wait_for_end(struct engine *engine, struct daemon *daemon, struct http_server *http, const sigset_t *set,
                        struct settings **reloaded)
{
    struct timespec look = { .tv_nsec = LOOK_MS * 1000000L };
    struct worker_counts last = { 0 };
    struct error error;
    int64_t watchdog_us = notify_watchdog_us();
    for (int looks = 1; !daemon_failed(daemon, &error); looks++) {
        int got = sigtimedwait(set, NULL, &look);
        if (got == SIGHUP) reload(engine, daemon, http, reloaded);
        if (got == SIGTERM || got == SIGINT) return EXIT_OK;
        if (looks % (TELL_MS / LOOK_MS) == 0) tell_systemd(daemon, watchdog_us);
        if (looks % (PROGRESS_S * 1000 / LOOK_MS) == 0) log_progress(daemon, &last);
    }
    fprintf(stderr, "crm-reportd run: %s\n", error.text);
    return EXIT_FAILED;
}

static bool start_all(struct engine *engine, const struct options *options, struct daemon **daemon, struct http_server **http,
                      struct error *error)
{
    *http = NULL;
    *daemon = daemon_start(engine, options->accept_gap, error);
    if (!*daemon) return false;
    struct http_settings settings = http_settings_of(engine, *daemon);
    if (engine->settings->listen[0]) *http = http_start(&settings, error);
    if (!error->text[0]) return true;
    daemon_stop(*daemon);
    return false;
}

static int run_daemon(struct engine *engine, const struct options *options, struct error *error)
{
    sigset_t set = block_signals();
    struct daemon *daemon;
    struct http_server *http;
    if (!start_all(engine, options, &daemon, &http, error)) return EXIT_USAGE;
    /* a second object: what the daemon works with stays as it is */
    struct settings *reloaded = command_settings("run", options->config, NEED_ALL);
    log_event(LEVEL_INFO, "started", "workers=%lld prefix=%s", (long long)engine->settings->workers, engine->settings->prefix);
    notify("READY=1\nSTATUS=started");
    int code = wait_for_end(engine, daemon, http, &set, &reloaded);
    notify("STOPPING=1");
    http_stop(http);
    daemon_stop(daemon);
    log_event(LEVEL_INFO, "stopped", "code=%d", code);
    settings_destroy(reloaded);
    return code;
}

static bool take_alerts(struct engine *engine, struct error *error)
{
    struct problems problems = { 0 };
    engine->alerts = read_alerts(engine->settings, engine->catalogue, &problems);
    if (!engine->alerts) problems_fail(&problems, error);
    problems_deinit(&problems);
    return engine->alerts != NULL;
}

int command_run(int argc, char **argv)
{
    struct options options = { 0 };
    struct error error = { "" };
    struct engine engine;
    int code = read_options(argc, argv, &options);
    if (code) return code;
    struct settings *settings = command_settings(argv[0], options.config, NEED_ALL);
    if (!settings) return EXIT_USAGE;
    log_setup((enum log_level)settings->log_level, (enum log_format)settings->log_format);
    struct catalogue *catalogue = command_catalogue(argv[0], settings);
    code = EXIT_USAGE;
    if (catalogue && engine_init(&engine, settings, catalogue, &error) && take_alerts(&engine, &error))
        code = run_daemon(&engine, &options, &error);
    if (error.text[0]) fprintf(stderr, "crm-reportd run: %s\n", error.text);
    catalogue_destroy(catalogue);
    settings_destroy(settings);
    return code;
}
