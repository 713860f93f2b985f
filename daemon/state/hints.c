#include "daemon/state/hints.h"

#include "common/number.h"
#include "daemon/clock.h"
#include "daemon/state/connection.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    PING_S = 10, /* of silence: is anybody there? */
    SILENCE_S = 25
};

struct hints {
    struct connection *connection;
    char *prefix;
    redisReply *message;       /* the last one, which the hint given out points into */
    int64_t heard_s, pinged_s; /* monotonic */
};

static int64_t now_s(void)
{
    return clock_us(CLOCK_MONOTONIC) / MICROS_PER_SECOND;
}

struct hints *hints_create(const struct redis_settings *settings, const char *prefix)
{
    struct hints *hints = must_zalloc(sizeof *hints);
    hints->connection = connection_create(settings);
    hints->prefix = strdup(prefix);
    REQUIRE(hints->prefix != NULL);
    return hints;
}

static void forget_message(struct hints *hints)
{
    reply_free(hints->message);
    hints->message = NULL;
}

void hints_destroy(struct hints *hints)
{
    if (!hints) return;
    forget_message(hints);
    connection_destroy(hints->connection);
    free(hints->prefix);
    free(hints);
}

/* The pattern is the one of the shipped rights (&crm:*): Redis compares patterns as texts. */
static bool subscribe(struct hints *hints, struct error *error)
{
    char pattern[80];
    enum outcome outcome;
    if (!connection_open(hints->connection, error)) return false;
    snprintf(pattern, sizeof pattern, "%s:*", hints->prefix);
    request_texts(hints->connection, 2, "PSUBSCRIBE", pattern);
    redisReply *reply = connection_answer_ok(hints->connection, &outcome, error);
    connection_settle(hints->connection);
    hints->heard_s = hints->pinged_s = now_s();
    reply_free(reply);
    return reply != NULL;
}

static struct span behind(struct span text, struct span start)
{
    if (!text.at || text.len < start.len || memcmp(text.at, start.at, start.len) != 0) return NO_SPAN;
    return (struct span){ text.at + start.len, text.len - start.len };
}

/* crm:{acme}:reports, or with another tail */
static bool read_channel(const struct hints *hints, struct span channel, struct span tail, struct span *tenant)
{
    struct span rest = behind(behind(channel, span_of(hints->prefix)), SPAN(":{"));
    if (rest.len <= tail.len || memcmp(rest.at + rest.len - tail.len, tail.at, tail.len) != 0) return false;
    *tenant = (struct span){ rest.at, rest.len - tail.len };
    return true;
}

/* {"version":1842}, as it is written by alerts.lua */
static bool read_alerts_text(struct span text, struct hint *hint)
{
    struct span rest = behind(text, SPAN("{\"version\":"));
    hint->report = SPAN("");
    return number_take(&rest, &hint->version);
}

/* {"report":"pipeline","version":1842}, as it is written by published.c */
static bool read_text(struct span text, struct hint *hint)
{
    struct span rest = behind(text, SPAN("{\"report\":\""));
    const char *end = rest.len ? memchr(rest.at, '"', rest.len) : NULL;
    if (!end) return false;
    hint->report = (struct span){ rest.at, (size_t)(end - rest.at) };
    rest = behind((struct span){ end, rest.len - hint->report.len }, SPAN("\",\"version\":"));
    return number_take(&rest, &hint->version);
}

/* ["pmessage", pattern, channel, text] */
static bool read_message(const struct hints *hints, struct hint *hint)
{
    const redisReply *message = hints->message;
    if (message->type != REDIS_REPLY_ARRAY || message->elements != 4) return false;
    struct span channel = reply_text(message->element[2]), text = reply_text(message->element[3]);
    if (!span_is(reply_text(message->element[0]), "pmessage")) return false;
    if (read_channel(hints, channel, SPAN("}:alerts"), &hint->tenant)) return read_alerts_text(text, hint);
    return read_channel(hints, channel, SPAN("}:reports"), &hint->tenant) && read_text(text, hint);
}

/* Nothing came: a server that is gone without a word is noticed by its silence. */
static enum hints_news listen_on(struct hints *hints, struct error *error)
{
    int64_t now = now_s();
    if (now - hints->heard_s > SILENCE_S) {
        fail(error, "redis %s: silent for %d s", connection_where(hints->connection), (int)SILENCE_S);
        connection_close(hints->connection);
        return HINTS_LOST;
    }
    if (now - hints->heard_s >= PING_S && now - hints->pinged_s >= PING_S) {
        request_texts(hints->connection, 1, "PING");
        hints->pinged_s = now;
    }
    return HINTS_NONE;
}

enum hints_news hints_next(struct hints *hints, int wait_ms, struct hint *hint, struct error *error)
{
    forget_message(hints);
    if (!connection_is_open(hints->connection)) return subscribe(hints, error) ? HINTS_BEGIN : HINTS_LOST;
    hints->message = connection_message(hints->connection, wait_ms, error);
    if (error->text[0]) return HINTS_LOST;
    if (!hints->message) return listen_on(hints, error);
    hints->heard_s = now_s();
    return read_message(hints, hint) ? HINTS_ONE : HINTS_NONE;
}
