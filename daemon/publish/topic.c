/* Records on their way to the topic, reports among them, and what came of them. */
#include "common/instant.h"
#include "daemon/publish/inner.h"
#include "daemon/report/text.h"
#include "daemon/state/published.h"

#include <stdlib.h>

struct report_tag {
    struct sent_tag tag;
    struct report_tag *next; /* delivered before it */
    size_t report;
    int64_t version;
    size_t tenant_len;
    char tenant[];
};

/* Unless a newer one is on its way. One that was lost counts as never sent. */
static void send_again(struct publisher *publisher, const struct report_tag *tag, bool lost)
{
    struct desk *desk = publisher_desk(publisher, (struct span){ tag->tenant, tag->tenant_len });
    struct desk_report *report = &desk->reports[tag->report];
    if (report->sent > tag->version) return;
    if (lost) report->sent = 0;
    report->send_again = true;
    desk_mark_dirty(desk, publisher_monotonic());
}

static void report_acknowledged(struct publisher *publisher, struct sent_tag *sent, enum delivery delivery)
{
    struct report_tag *tag = (struct report_tag *)sent;
    if (delivery == DELIVERED) {
        crash_point("report acknowledged");
        publisher->counts.sent++;
        publisher->unacknowledged++; /* until it is noted */
        publisher->n_delivered++;
        tag->next = publisher->delivered;
        publisher->delivered = tag;
        return;
    }
    publisher->counts.unsent++;
    if (delivery == UNDELIVERED && !atomic_load(&publisher->ending)) send_again(publisher, tag, true);
    free(tag);
}

/* Of a report the newest comes first, and lies over the others in the topic: what was noted of them would be noted of it. */
static void forget_what_lies_below(struct publisher *publisher)
{
    publisher->notes++;
    for (struct report_tag **at = &publisher->delivered; *at;) {
        struct report_tag *tag = *at;
        struct desk *desk = map_get(&publisher->desks, (struct span){ tag->tenant, tag->tenant_len });
        struct desk_report *report = desk ? &desk->reports[tag->report] : NULL;
        if (!report || report->noted_by != publisher->notes) {
            if (report) report->noted_by = publisher->notes;
            at = &tag->next;
            continue;
        }
        *at = tag->next;
        publisher->n_delivered--;
        publisher->unacknowledged--;
        free(tag);
    }
}

/* The oldest of those that are delivered is the last of them, and noted first. */
static struct acknowledgement *notes_of_delivered(const struct publisher *publisher)
{
    struct acknowledgement *notes = must_alloc(publisher->n_delivered * sizeof *notes), *note = notes + publisher->n_delivered;
    for (const struct report_tag *tag = publisher->delivered; tag; tag = tag->next)
        *--note = (struct acknowledgement){ .tenant = { tag->tenant, tag->tenant_len },
                                            .report = publisher->engine->catalogue->reports[tag->report].name,
                                            .version = tag->version };
    return notes;
}

/* What could not be noted is sent again; so is what may lie over somebody else's newer one in the topic, where a higher one was
 * noted or is stored. */
void topic_note_delivered(struct publisher *publisher)
{
    struct error error = { "" };
    enum outcome outcome = DONE;
    forget_what_lies_below(publisher);
    size_t n = publisher->n_delivered;
    if (!n) return;
    struct acknowledgement *notes = notes_of_delivered(publisher), *note = notes + n;
    if (state_redis_acknowledge(publisher->state, publisher->engine->settings->prefix, notes, n, &outcome, &error))
        crash_point("report noted");
    for (struct report_tag *tag = publisher->delivered; tag; tag = tag->next)
        if ((--note)->highest != tag->version && !atomic_load(&publisher->ending)) send_again(publisher, tag, !note->highest);
    free(notes);
    topic_forget_delivered(publisher);
}

void topic_forget_delivered(struct publisher *publisher)
{
    publisher->unacknowledged -= publisher->n_delivered;
    publisher->n_delivered = 0;
    while (publisher->delivered) {
        struct report_tag *tag = publisher->delivered;
        publisher->delivered = tag->next;
        free(tag);
    }
}

void topic_acknowledged(void *context, void *tag_given, enum delivery delivery, const char *why)
{
    struct publisher *publisher = context;
    struct sent_tag *tag = tag_given;
    publisher->unacknowledged--;
    if (delivery != DELIVERED)
        log_cause(tag->cause, LEVEL_WARN, tag->what, "", why);
    else
        log_cause_over(tag->cause, "sent_again", "");
    tag->acknowledged(publisher, tag, delivery);
}

bool topic_produce(struct publisher *publisher, const char *topic, struct span key, struct span value, struct sent_tag *tag)
{
    struct header header = { SPAN("content-type"), SPAN("application/cloudevents+json") };
    struct outgoing outgoing = {
        .topic = span_of(topic), .key = key, .value = value, .headers = &header, .n_headers = 1, .tag = tag
    };
    bool produced = sink_produce(publisher->sink, &outgoing);
    publisher->unacknowledged += produced;
    return produced;
}

static void write_event(struct publisher *publisher, const struct desk *desk, size_t report, int64_t version,
                        struct span document, const struct changes *changes, struct buffer *out)
{
    const char *name = publisher->engine->catalogue->reports[report].name;
    char as_of[INSTANT_TEXT_BYTES];
    instant_format(desk->clock_us, as_of);
    buffer_printf(out,
                  "{\"specversion\":\"1.0\",\"id\":\"%.*s/%s/"
                  "%lld\",\"source\":\"crm-reportd\",\"type\":\"%sreport.updated\",\"subject\":\"%s\","
                  "\"tenantid\":\"%.*s\",\"time\":\"%s\",\"datacontenttype\":\"application/json\"",
                  SPAN_ARG(desk->tenant), name, (long long)version, publisher->engine->settings->type_prefix, name,
                  SPAN_ARG(desk->tenant), as_of);
    if (changes->traceparent.len) {
        buffer_str(out, ",\"traceparent\":");
        text_write(changes->traceparent, out);
    }
    buffer_str(out, ",\"data\":");
    buffer_put(out, document.at, document.len - 1); /* without its closing brace */
    if (changes->since)
        buffer_printf(out, ",\"since\":%lld,\"changes\":", (long long)changes->since);
    else
        buffer_str(out, ",\"since\":null,\"changes\":");
    if (changes->since)
        buffer_span(out, changes->list);
    else
        buffer_str(out, "null");
    buffer_str(out, changes->truncated ? ",\"changes_truncated\":true}}" : "}}");
}

void topic_send(struct publisher *publisher, struct desk *desk, size_t report, int64_t version, struct span document,
                const struct changes *changes)
{
    struct buffer key = { 0 }, value = { 0 };
    struct report_tag *tag = must_alloc(sizeof *tag + desk->tenant.len);
    *tag = (struct report_tag){ .tag = { report_acknowledged, "report_not_sent", &publisher->unsent_reports },
                                .report = report,
                                .version = version,
                                .tenant_len = desk->tenant.len };
    memcpy(tag->tenant, desk->tenant.at, desk->tenant.len);
    buffer_printf(&key, "%.*s/%s", SPAN_ARG(desk->tenant), publisher->engine->catalogue->reports[report].name);
    write_event(publisher, desk, report, version, document, changes, &value);
    bool produced =
        topic_produce(publisher, publisher->engine->settings->topics.reports, buffer_all(&key), buffer_all(&value), &tag->tag);
    if (produced) desk->reports[report].sent = version;
    if (!produced) free(tag);
    desk->reports[report].send_again = !produced;
    buffer_deinit(&key);
    buffer_deinit(&value);
}
