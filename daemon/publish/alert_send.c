/* Alert events on their way, to the topic and to webhooks, until they are acknowledged and that is noted. */
#include "daemon/publish/inner.h"
#include "daemon/state/alerts.h"
#include "daemon/worker/worker.h"

#include <stdlib.h>

/* What comes back with an acknowledgement. */
struct alert_tag {
    struct sent_tag tag;
    enum alert_way way;
    size_t tenant_len, len;
    char text[]; /* tenant, a space, name of the letter: what it is under way by */
};

static struct alert_tag *tag_create(const struct desk *desk, enum alert_way way, const struct alert_letter *letter)
{
    size_t tenant_len = desk->tenant.len, len = tenant_len + 1 + letter->name.len;
    struct alert_tag *tag = must_zalloc(sizeof *tag + len);
    tag->way = way;
    tag->tenant_len = tenant_len;
    tag->len = len;
    memcpy(tag->text, desk->tenant.at, tenant_len);
    tag->text[tenant_len] = ' ';
    memcpy(tag->text + tenant_len + 1, letter->name.at, letter->name.len);
    return tag;
}

static struct span tenant_of(const struct alert_tag *tag)
{
    return (struct span){ tag->text, tag->tenant_len };
}

static struct span name_of(const struct alert_tag *tag)
{
    return (struct span){ tag->text + tag->tenant_len + 1, tag->len - tag->tenant_len - 1 };
}

/* It is the publisher that knows what is under way: a desk may have to go meanwhile, and come back. */
static void set_out(struct publisher *publisher, struct alert_tag *tag)
{
    map_put(&publisher->underway[tag->way], (struct span){ tag->text, tag->len }, tag);
}

static bool is_underway(const struct publisher *publisher, const struct alert_tag *tag)
{
    return map_get(&publisher->underway[tag->way], (struct span){ tag->text, tag->len }) != NULL;
}

static void came_back(struct publisher *publisher, struct alert_tag *tag)
{
    map_remove(&publisher->underway[tag->way], (struct span){ tag->text, tag->len });
    free(tag);
}

static bool note(struct publisher *publisher, struct span tenant, enum alert_way way, struct span name)
{
    enum outcome outcome = DONE;
    struct error error = { "" };
    return state_redis_alerts_note(publisher->state, publisher->engine->settings->prefix, tenant, way == ALERT_TO_WEBHOOK, name,
                                   &outcome, &error);
}

/* ---- acknowledgements ---- */

/* The letter is delivered or will never be: it is done with once that is noted. Else it is sent again. */
static void take_outcome(struct publisher *publisher, const struct alert_tag *tag, bool over)
{
    struct span tenant = tenant_of(tag), name = name_of(tag);
    struct desk *desk = map_get(&publisher->desks, tenant);
    struct alert_outbox *outbox = desk ? &desk->alerts.outbox[tag->way] : NULL;
    struct alert_letter *letter = outbox ? alert_outbox_find(outbox, name) : NULL;
    bool noted = over && note(publisher, tenant, tag->way, name);
    if (noted) crash_point("alert noted");
    if (letter && !noted) letter->state = over ? LETTER_DELIVERED : LETTER_WAITING;
    if (letter && noted) alert_outbox_remove(outbox, name);
    if (atomic_load(&publisher->ending) || (noted && !(outbox && outbox->n))) return;
    desk_mark_dirty(publisher_desk(publisher, tenant), publisher_monotonic());
}

/* What is larger than the topic takes is done with, too: the log has it. */
static void alert_acknowledged(struct publisher *publisher, struct sent_tag *sent, enum delivery delivery)
{
    if (delivery == DELIVERED)
        publisher->counts.alerts_sent++;
    else
        publisher->counts.alerts_unsent++;
    if (delivery == DELIVERED) crash_point("alert acknowledged");
    take_outcome(publisher, (struct alert_tag *)sent, delivery != UNDELIVERED);
    came_back(publisher, (struct alert_tag *)sent);
}

static void alert_posted(void *context, void *tag_given, enum delivery delivery, const char *why)
{
    struct publisher *publisher = context;
    struct alert_tag *tag = tag_given;
    if (delivery == DELIVERED) publisher->counts.alerts_posted++;
    if (delivery == UNDELIVERABLE) {
        publisher->counts.alerts_given_up++;
        log_event(LEVEL_ERROR, "webhook_given_up", "tenant=%.*s event=%.*s cause=%s", SPAN_ARG(tenant_of(tag)),
                  SPAN_ARG(name_of(tag)), why);
    }
    if (delivery == DELIVERED) crash_point("alert posted");
    if (delivery != UNDELIVERED) take_outcome(publisher, tag, true);
    came_back(publisher, tag);
}

/* ---- sending ---- */

static bool produce(struct publisher *publisher, const struct desk *desk, const struct alert_letter *letter,
                    struct alert_tag *tag)
{
    struct buffer key = { 0 };
    tag->tag = (struct sent_tag){ alert_acknowledged, "alert_not_sent", &publisher->unsent_alerts };
    buffer_printf(&key, "%.*s/%.*s", SPAN_ARG(desk->tenant), SPAN_ARG(alert_field_rule(letter->field)));
    bool produced =
        topic_produce(publisher, publisher->engine->settings->topics.alerts, buffer_all(&key), letter->event, &tag->tag);
    if (produced) crash_point("alert sent");
    buffer_deinit(&key);
    return produced;
}

static const struct alert_webhook *webhook_of(const struct desk *desk, struct span field)
{
    for (size_t i = 0; i < desk->alerts.n_watched; i++)
        if (span_is(alert_field_rule(field), desk->alerts.watched[i]->name)) return desk->alerts.watched[i]->webhook;
    return NULL;
}

static bool start_webhooks(struct publisher *publisher)
{
    struct error error = { "" };
    if (!publisher->webhooks) publisher->webhooks = webhooks_create((struct acknowledged){ alert_posted, publisher }, &error);
    if (!publisher->webhooks) log_cause(&publisher->alerts_bounded, LEVEL_ERROR, "webhooks_not_started", "", error.text);
    return publisher->webhooks != NULL;
}

static bool post(struct publisher *publisher, const struct desk *desk, const struct alert_letter *letter, struct alert_tag *tag)
{
    const struct alert_webhook *webhook = webhook_of(desk, letter->field);
    struct buffer id = { 0 };
    if (!start_webhooks(publisher)) return false;
    buffer_printf(&id, "%.*s/%.*s/%lld", SPAN_ARG(desk->tenant), SPAN_ARG(alert_field_rule(letter->field)),
                  (long long)letter->version);
    struct webhook_post what = { .url = webhook->url,
                                 .secret = webhook->secret,
                                 .id = buffer_all(&id),
                                 .body = letter->event,
                                 .timeout_ms = webhook->timeout_ms,
                                 .attempts = webhook->attempts,
                                 .tag = tag };
    webhooks_post(publisher->webhooks, &what);
    buffer_deinit(&id);
    return true;
}

/* False: it goes nowhere for now. */
static bool send_letter(struct publisher *publisher, const struct desk *desk, enum alert_way way, struct alert_letter *letter)
{
    struct alert_tag *tag = tag_create(desk, way, letter);
    letter->state = LETTER_UNDERWAY;
    if (is_underway(publisher, tag)) {
        free(tag);
        return true;
    }
    set_out(publisher, tag);
    if ((way == ALERT_TO_TOPIC ? produce : post)(publisher, desk, letter, tag)) return true;
    came_back(publisher, tag);
    letter->state = LETTER_WAITING;
    return false;
}

/* Those that are done with, but could not be noted as Redis was away, or need not be sent. True: some are, which others of
 * their rows may have waited for. */
static bool note_delivered(struct publisher *publisher, struct desk *desk, enum alert_way way)
{
    struct alert_outbox *outbox = &desk->alerts.outbox[way];
    bool any = false;
    for (size_t i = outbox->n; i--;) {
        if (outbox->at[i]->state != LETTER_DELIVERED || !note(publisher, desk->tenant, way, outbox->at[i]->name)) continue;
        alert_outbox_remove(outbox, outbox->at[i]->name);
        any = true;
    }
    return any;
}

static bool send_all(struct publisher *publisher, struct desk *desk, enum alert_way way)
{
    const struct alert_outbox *outbox = &desk->alerts.outbox[way];
    size_t at = 0;
    for (struct alert_letter *letter; (letter = alert_outbox_next(outbox, &at));) {
        /* Its rule was taken out, or posts no more. */
        bool unwanted = way == ALERT_TO_WEBHOOK && !webhook_of(desk, letter->field);
        if (unwanted)
            letter->state = LETTER_DELIVERED;
        else if (!send_letter(publisher, desk, way, letter))
            return false;
    }
    return true;
}

/* Is there one that could not be noted? */
static bool is_to_note(const struct alert_outbox *outbox)
{
    for (size_t i = 0; i < outbox->n; i++)
        if (outbox->at[i]->state == LETTER_DELIVERED) return true;
    return false;
}

void send_alerts(struct publisher *publisher, struct desk *desk)
{
    for (int way = 0; way < N_ALERT_WAYS; way++) {
        bool sent = send_all(publisher, desk, (enum alert_way)way);
        while (note_delivered(publisher, desk, (enum alert_way)way)) sent = send_all(publisher, desk, (enum alert_way)way);
        if (sent && !is_to_note(&desk->alerts.outbox[way])) continue;
        desk->alerts.due_us = publisher_monotonic() + ALERT_AGAIN_US; /* the queue is full, or Redis is away */
    }
}
