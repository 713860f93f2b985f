/* A record as one text, its decoding, and what must hold of the outcome whatever the text was. */
#pragma once

#include "common/error.h"
#include "common/instant.h"
#include "daemon/intake/decode.h"
#include "daemon/intake/utf8.h"

enum {
    MESSAGE_HEADERS_MAX = 32,
    MESSAGE_EVENT_BYTES_MAX = 8192
};

struct message {
    struct header headers[MESSAGE_HEADERS_MAX];
    struct record record;
};

static const struct rules message_rules = { .currency = "EUR", .kind[KIND_DEAL] = { .custom = { "region" }, .n_custom = 1 } };

static inline const struct rules *message_rules_of(void *context, struct span tenant)
{
    (void)context, (void)tenant;
    return &message_rules;
}

/* Headers "name: value", one per line, up to an empty line; then the value. Without an empty line all is value. Points
 * into the text. */
static inline void message_read(struct message *message, struct span text)
{
    *message =
        (struct message){ .record = { .value = text, .headers = message->headers, .timestamp_us = INT64_C(1774958400000000) } };
    const char *body = memmem(text.at, text.len, "\n\n", 2);
    if (!body) return;
    message->record.value = (struct span){ body + 2, text.len - (size_t)(body + 2 - text.at) };
    for (const char *line = text.at; line < body && message->record.n_headers < MESSAGE_HEADERS_MAX;) {
        const char *end = memchr(line, '\n', (size_t)(body - line));
        if (!end) end = body;
        const char *colon = memmem(line, (size_t)(end - line), ": ", 2);
        struct header *header = &message->headers[message->record.n_headers++];
        header->name = (struct span){ line, (size_t)((colon ? colon : end) - line) };
        header->value = colon ? (struct span){ colon + 2, (size_t)(end - colon - 2) } : NO_SPAN;
        line = end + 1;
    }
}

static inline void require_text(struct span text, size_t from, size_t to)
{
    REQUIRE(text.len >= from && text.len <= to);
    REQUIRE(utf8_valid(text));
}

static inline void require_value(const struct value *value)
{
    REQUIRE(value->type <= VALUE_INTEGER);
    if (value->type == VALUE_TEXT) require_text(value->text, 1, TEXT_BYTES_MAX);
    if (value->type == VALUE_DECIMAL) REQUIRE(value->decimal.scale <= 18);
    if (value->type != VALUE_TEXTS) return;
    REQUIRE(value->texts.n > 0);
    for (size_t i = 0; i < value->texts.n; i++) require_text(value->texts.at[i], 1, TEXT_BYTES_MAX);
}

static inline void require_event(const struct event *event)
{
    require_text(event->tenant, 1, TENANT_BYTES_MAX);
    require_text(event->subject, 1, ID_BYTES_MAX);
    require_text(event->id, 1, ID_BYTES_MAX);
    require_text(event->source, 1, TEXT_BYTES_MAX);
    require_text(event->sequence, 0, TEXT_BYTES_MAX);
    require_text(event->traceparent, 0, TEXT_BYTES_MAX);
    REQUIRE(event->kind < N_KINDS && event->verb < N_VERBS);
    REQUIRE(civil_valid(civil_of_day(local_day(event->time_us, 0))));
    for (size_t i = 0; i < event->n_attributes; i++) {
        REQUIRE(i == 0 || event->attributes[i - 1].attribute < event->attributes[i].attribute);
        require_value(&event->attributes[i].value);
    }
}

static inline void require_rejection(const struct rejection *rejection)
{
    REQUIRE(rejection->reason > REASON_NONE && rejection->reason < N_REASONS);
    REQUIRE(memchr(rejection->message, 0, sizeof rejection->message) != NULL);
    require_text(span_of(rejection->message), 1, sizeof rejection->message);
    require_text(rejection->tenant, 1, TENANT_BYTES_MAX);
}

/* Decodes the text as a record. True: an event. Aborts if the outcome is not what a decoder may come to. */
static inline bool message_decode(struct span text, struct arena *arena, struct event *event, struct rejection *rejection)
{
    static const struct decode_settings settings = { "crm.", 600 * MICROS_PER_SECOND, MESSAGE_EVENT_BYTES_MAX, message_rules_of,
                                                     NULL };
    struct message message;
    message_read(&message, text);
    *rejection = (struct rejection){ 0 };
    bool good = decode(&settings, &message.record, arena, event, rejection);
    if (good) require_event(event);
    if (!good) require_rejection(rejection);
    return good;
}
