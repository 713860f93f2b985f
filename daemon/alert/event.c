#include "daemon/alert/event.h"

#include "common/instant.h"
#include "daemon/report/text.h"

static void write_instant(struct buffer *out, const char *key, int64_t at_us)
{
    char text[INSTANT_TEXT_BYTES];
    instant_format(at_us, text);
    buffer_printf(out, ",\"%s\":\"%s\"", key, text);
}

static void write_day(struct buffer *out, const char *key, int32_t day, int32_t open)
{
    char text[DAY_TEXT_BYTES];
    if (day == open) return buffer_printf(out, ",\"%s\":null", key);
    day_format(day, text);
    buffer_printf(out, ",\"%s\":\"%s\"", key, text);
}

static void write_value(struct buffer *out, const char *key, struct span value)
{
    if (value.at) buffer_printf(out, ",\"%s\":%.*s", key, SPAN_ARG(value));
}

/* What the rule says, and what its number is. */
static void write_rule(const struct alert_scene *scene, const struct alert_turn *turn, struct buffer *out)
{
    const struct alert_rule *rule = turn->rule;
    const struct metric *metric = rule->watch.metric;
    struct span currency = alert_currency(rule, scene->rules);
    buffer_printf(out, ",\"metric\":\"%s\",\"unit\":\"%s\"", metric->name, metric->unit);
    if (metric->shape == SHAPE_SPREAD) buffer_printf(out, ",\"stat\":\"%s\"", stat_names[rule->watch.stat]);
    if (currency.at) buffer_printf(out, ",\"currency\":\"%.*s\"", SPAN_ARG(currency));
    buffer_printf(out, ",\"period\":\"%s\"", rule->watch.period);
    write_day(out, "from", turn->period.from, PERIOD_BEGIN);
    write_day(out, "to", turn->period.to, PERIOD_END);
    buffer_printf(out, ",%s", rule->condition);
    write_value(out, "value", turn->measure.value.at ? turn->measure.value : SPAN("null"));
    write_value(out, "previous", turn->measure.previous);
    write_value(out, "change", turn->measure.change);
    if (!rule->description) return;
    buffer_str(out, ",\"description\":");
    text_write(span_of(rule->description), out);
}

static const char *reason(const struct alert_turn *turn)
{
    return !turn->rule ? "removed" : !turn->measure.value.at ? "gone" : "value";
}

static void write_data(const struct alert_scene *scene, const struct alert_turn *turn, struct buffer *out)
{
    static const char *const states[] = { "cleared", "pending", "raised" };
    struct span rule = alert_field_rule(turn->field), row = alert_field_row(turn->field);
    buffer_printf(out, "{\"rule\":\"%.*s\",\"tenant\":\"%.*s\"", SPAN_ARG(rule), SPAN_ARG(scene->tenant));
    if (turn->to != ALERT_PENDING) buffer_printf(out, ",\"version\":%lld", (long long)turn->version);
    buffer_printf(out, ",\"state\":\"%s\",\"row\":%.*s", states[turn->to], SPAN_ARG(row));
    if (turn->rule) write_rule(scene, turn, out);
    write_instant(out, "as_of", scene->state_us);
    write_instant(out, "since", turn->to == ALERT_CLEAR ? scene->state_us : turn->since_us);
    bool again = turn->was && turn->was->state == ALERT_RAISED;
    if (turn->to == ALERT_RAISED) write_instant(out, "raised_at", again ? turn->was->raised_us : scene->now_us);
    if (turn->to == ALERT_CLEAR) {
        write_instant(out, "raised_at", turn->was->raised_us);
        buffer_printf(out, ",\"raised_version\":%lld,\"reason\":\"%s\"", (long long)turn->was->version, reason(turn));
    }
    buffer_byte(out, '}');
}

static struct span taken(struct buffer *text, struct arena *arena)
{
    struct span copy = arena_copy(arena, buffer_all(text));
    buffer_deinit(text);
    return copy;
}

struct span alert_row_text(const struct alert_scene *scene, const struct alert_turn *turn, struct arena *arena)
{
    struct buffer text = { 0 };
    if (turn->to == ALERT_CLEAR) return NO_SPAN;
    write_data(scene, turn, &text);
    return taken(&text, arena);
}

struct span alert_event_text(const struct alert_scene *scene, const struct alert_turn *turn, struct arena *arena)
{
    struct buffer text = { 0 };
    struct span rule = alert_field_rule(turn->field);
    char time[INSTANT_TEXT_BYTES];
    instant_format(scene->now_us, time);
    buffer_printf(&text,
                  "{\"specversion\":\"1.0\",\"id\":\"%.*s/%.*s/%lld\",\"source\":\"crm-reportd\",\"type\":\"%salert.%s\","
                  "\"subject\":\"%.*s\",\"tenantid\":\"%.*s\",\"time\":\"%s\",\"datacontenttype\":\"application/json\",\"data\":",
                  SPAN_ARG(scene->tenant), SPAN_ARG(rule), (long long)turn->version, scene->type_prefix,
                  turn->to == ALERT_RAISED ? "raised" : "cleared", SPAN_ARG(rule), SPAN_ARG(scene->tenant), time);
    write_data(scene, turn, &text);
    buffer_byte(&text, '}');
    return taken(&text, arena);
}
