/* crm-reportd check: everything that could keep the daemon from working, named at once. */
#include "daemon/alert/rule.h"
#include "daemon/command/command.h"
#include "daemon/command/effective.h"
#include "daemon/http/tokens.h"
#include "daemon/run/tenants.h"
#include "daemon/settings/rows.h"
#include "daemon/settings/rules_read.h"
#include "daemon/sink/kafka.h"
#include "daemon/source/kafka.h"
#include "daemon/source/kafka_probe.h"
#include "daemon/state/redis_probe.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    WAIT_MS = 5000
};

struct options {
    const char *config;
    bool offline, settings;
};

static const struct option long_options[] = {
    { "config", required_argument, NULL, 'c' },
    { "offline", no_argument, NULL, 'o' },
    { "settings", no_argument, NULL, 's' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static int read_options(int argc, char **argv, struct options *options)
{
    opterr = 0;
    for (int got; (got = getopt_long(argc, argv, ":c:", long_options, NULL)) != -1;) {
        switch (got) {
        case 'c':
            options->config = optarg;
            break;
        case 'o':
            options->offline = true;
            break;
        case 's':
            options->settings = true;
            break;
        default:
            return usage_option(argv, long_options, got);
        }
    }
    if (optind < argc) return usage_error(argv[0], "unexpected \"%s\"", argv[optind]);
    return EXIT_OK;
}

static int print_settings(void)
{
    struct buffer text = { 0 };
    rows_write_table(&text);
    buffer_str(&text, "\nOf a tenant:\n\n");
    tenant_keys_write_table(&text);
    fwrite(text.at, 1, text.len, stdout);
    buffer_deinit(&text);
    return EXIT_OK;
}

static void note_settings(const struct settings *settings, const char *config, struct findings *findings)
{
    struct text_list tenants = settings_tenants(settings);
    problem_add(&findings->good, "settings", "%s, %zu tenant%s named", config ? config : "from the environment alone", tenants.n,
                tenants.n == 1 ? "" : "s");
    for (size_t i = 0; i < tenants.n; i++) {
        const struct rules *rules = settings_rules(settings, span_of(tenants.at[i]));
        if (rules->zone) problem_add(&findings->good, "tenants", "%s: %s, %s", tenants.at[i], rules->zone->name, rules->currency);
    }
}

/* "deal_won: count amount, by owner pipeline" */
static void note_fact(const struct kept *kept, enum fact fact, struct findings *findings)
{
    const struct fact_row *row = &fact_rows[fact];
    struct buffer text = { 0 };
    if (!kept->fact[fact].on) return;
    for (int i = 0; i < row->n_measures; i++)
        if (kept->fact[fact].measures >> i & 1) buffer_printf(&text, "%s%s", text.len ? " " : "", row->measures[i].name);
    for (int i = 0, n = 0; i < row->n_dims; i++)
        if (kept->fact[fact].dims >> i & 1) buffer_printf(&text, "%s%s", n++ ? " " : " by ", dimension_names[row->dims[i]]);
    if (kept->fact[fact].customs) buffer_str(&text, " and custom attributes");
    problem_add(&findings->good, row->name, "%.*s", SPAN_ARG(buffer_all(&text)));
    buffer_deinit(&text);
}

static void note_catalogue(const struct catalogue *catalogue, struct findings *findings)
{
    struct kept kept;
    int on = 0;
    catalogue_kept(catalogue, &kept);
    for (int fact = 0; fact < N_FACTS; fact++) on += kept.fact[fact].on;
    problem_add(&findings->good, "catalogue", "%zu metric%s, %zu report%s; %d of %d facts are kept:", catalogue->n_metrics,
                catalogue->n_metrics == 1 ? "" : "s", catalogue->n_reports, catalogue->n_reports == 1 ? "" : "s", on, N_FACTS);
    for (int fact = 0; fact < N_FACTS; fact++) note_fact(&kept, (enum fact)fact, findings);
}

static void look_at_tokens(const struct settings *settings, struct findings *findings)
{
    struct tokens tokens;
    struct error error = { "" };
    if (!settings->listen[0] || !settings->listen_tokens_file[0]) return;
    if (tokens_load(&tokens, settings->listen_tokens_file, &error))
        problem_add(&findings->good, "listen_tokens_file", "%zu token%s", tokens.n, tokens.n == 1 ? "" : "s");
    else
        problem_add(&findings->wrong, "listen_tokens_file", "%s", error.text);
    tokens_deinit(&tokens);
}

static void look_at_alerts(const struct settings *settings, const struct catalogue *catalogue, struct findings *findings)
{
    size_t before = findings->advice.n;
    struct alert_rules *rules = alert_rules_read(settings, catalogue, &findings->wrong, &findings->advice);
    if (rules && rules->n)
        problem_add(&findings->good, "alerts", "%zu rule%s%s", rules->n, rules->n == 1 ? "" : "s",
                    findings->advice.n > before ? ", see the advice" : "");
    alert_rules_destroy(rules);
}

static void look_at_files(const char *config, struct settings **settings, struct catalogue **catalogue, struct findings *findings)
{
    *catalogue = NULL;
    *settings = settings_inspect(config, environ, NEED_ALL, &findings->wrong);
    if (!*settings) return;
    if (findings->wrong.n == 0) note_settings(*settings, config, findings);
    look_at_tokens(*settings, findings);
    *catalogue = catalogue_effective(*settings, &findings->wrong);
    if (*catalogue) note_catalogue(*catalogue, findings);
    look_at_alerts(*settings, *catalogue, findings);
}

/* What stands in Redis, once all else is in order. */
static void look_at_tenants(const struct settings *settings, const struct catalogue *catalogue, struct findings *findings)
{
    struct engine engine;
    struct error error = { "" };
    if (findings->wrong.n || !catalogue || !settings->redis.url[0]) return;
    if (engine_init(&engine, settings, catalogue, &error)) tenants_probe(&engine, findings);
}

/* Each property may be right, and all of them together not: what reads and what writes are made as `run` makes them, without a broker. */
static bool look_at_clients(const struct settings *settings, struct findings *findings)
{
    struct error reading = { "" }, writing = { "" };
    const struct kafka_settings kafka = { settings->kafka.at, settings->kafka.n, { NULL, NULL } };
    const struct kafka_source_settings source = { .kafka = kafka, .workers = settings->workers };
    bool fine = kafka_source_check(&source, &reading);
    if (!fine) problem_add(&findings->wrong, "kafka", "%s", reading.text);
    if (kafka_sink_check(&kafka, &writing)) return fine;
    if (strcmp(reading.text, writing.text) != 0) problem_add(&findings->wrong, "kafka", "%s", writing.text);
    return false;
}

static void look_at_servers(const struct settings *settings, bool kafka_fine, struct findings *findings)
{
    if (kafka_fine) kafka_probe(settings, WAIT_MS, findings);
    if (settings->redis.url[0]) redis_probe(settings, WAIT_MS, findings);
}

static void print(const struct findings *findings)
{
    problems_print(&findings->good, "ok       ", stdout);
    problems_print(&findings->advice, "advice   ", stdout);
    problems_print(&findings->wrong, "problem  ", stdout);
    if (findings->wrong.n)
        printf("%zu problem%s\n", findings->wrong.n, findings->wrong.n == 1 ? "" : "s");
    else
        printf("no problem\n");
}

int command_check(int argc, char **argv)
{
    struct options options = { 0 };
    int code = read_options(argc, argv, &options);
    if (code) return code;
    if (options.settings) return print_settings();
    struct findings findings = { 0 };
    struct settings *settings;
    struct catalogue *catalogue;
    look_at_files(command_config(options.config), &settings, &catalogue, &findings);
    bool kafka_fine = settings && kafka_properties_check(settings, &findings.wrong) && look_at_clients(settings, &findings);
    size_t of_files = findings.wrong.n;
    if (settings && !options.offline) look_at_servers(settings, kafka_fine, &findings);
    if (settings && !options.offline) look_at_tenants(settings, catalogue, &findings);
    print(&findings);
    code = of_files ? EXIT_USAGE : findings.wrong.n ? EXIT_FAILED : EXIT_OK;
    findings_deinit(&findings);
    catalogue_destroy(catalogue);
    settings_destroy(settings);
    return code;
}
