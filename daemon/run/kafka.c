#include "daemon/run/kafka.h"

static void report_trouble(void *context, const char *text)
{
    (void)context;
    log_event(LEVEL_WARN, "kafka_trouble", "cause=%s", text);
}

struct kafka_settings run_kafka_settings(const struct engine *engine, struct arena *arena)
{
    const struct settings *settings = engine->settings;
    struct kafka_property *pairs = arena_alloc(arena, (settings->kafka.n + 1) * sizeof *pairs);
    for (size_t i = 0; i < settings->kafka.n; i++)
        pairs[i] = (struct kafka_property){ settings->kafka.at[i].name, settings->kafka.at[i].value };
    return (
        struct kafka_settings){ .properties = pairs, .n_properties = settings->kafka.n, .reporter = { report_trouble, NULL } };
}
