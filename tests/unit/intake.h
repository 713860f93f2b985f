/* What the tests of the intake share: rules of two tenants, and records written with ' instead of ". */
#pragma once

#include "common/instant.h"
#include "daemon/intake/decode.h"

/* cmocka.h wants the others before it */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
/* clang-format on */

enum {
    HEADERS_MAX = 16,
    MAX_AHEAD_MIN = 10,
    MAX_EVENT_BYTES = 4096
};

/* "acme" counts in EUR and declares attributes of deals; all others count in JPY. */
static const struct rules acme_rules = { .currency = "EUR",
                                         .kind[KIND_DEAL] = { .custom = { "amount", "industry", "region" }, .n_custom = 3 } };
static const struct rules other_rules = { .currency = "JPY" };

static inline const struct rules *rules_of(void *context, struct span tenant)
{
    (void)context;
    return span_is(tenant, "acme") ? &acme_rules : &other_rules;
}

static const struct decode_settings settings = { "crm.", MAX_AHEAD_MIN * 60 * MICROS_PER_SECOND, MAX_EVENT_BYTES, rules_of,
                                                 NULL };

/* 2026-03-31T12:00:00Z: the timestamp of records, unless a test says another. */
#define NOW_US (INT64_C(1774958400) * MICROS_PER_SECOND)

/* The start of a structured event without its end, and a whole one. */
#define ENVELOPE "'specversion':'1.0','id':'e1','source':'/crm','subject':'s1','tenantid':'acme'"
#define TIMED ENVELOPE ",'time':'2026-03-01T08:00:00Z'"
#define EVENT(type, data) "{" TIMED ",'type':'crm." type "','data':" data "}"

struct decoded {
    struct arena arena;
    struct event event;
    struct rejection rejection;
    bool good;
};

static inline struct span quoted(struct arena *arena, const char *text)
{
    char *copy = arena_text(arena, span_of(text));
    for (char *c = copy; *c; c++)
        if (*c == '\'') *c = '"';
    return span_of(copy);
}

static inline void decode_record(struct decoded *d, const struct record *record)
{
    d->event = (struct event){ 0 };
    d->rejection = (struct rejection){ 0 };
    d->good = decode(&settings, record, &d->arena, &d->event, &d->rejection);
}

/* "name: value" per header; text NULL: no value. */
static inline void decode_with(struct decoded *d, const char *const *headers, const char *text, int64_t timestamp_us)
{
    struct header list[HEADERS_MAX];
    size_t n = 0;
    for (; headers && headers[n]; n++) {
        const char *colon = strstr(headers[n], ": ");
        list[n].name = (struct span){ headers[n], (size_t)(colon - headers[n]) };
        list[n].value = span_of(colon + 2);
    }
    struct record record = { .headers = list, .n_headers = n, .timestamp_us = timestamp_us };
    if (text) record.value = quoted(&d->arena, text);
    decode_record(d, &record);
}

static inline void decode_text(struct decoded *d, const char *text)
{
    decode_with(d, NULL, text, NOW_US);
}

static inline void assert_span(struct span got, const char *want)
{
    if (!span_is(got, want)) fail_msg("'%.*s' instead of '%s'", SPAN_ARG(got), want);
}

/* A rejection says why, and of which tenant; `about` is what its message begins with. */
static inline void assert_rejected(const struct decoded *d, const char *what, enum reason reason, const char *tenant,
                                   const char *about)
{
    if (d->good) fail_msg("%s: not rejected", what);
    if (d->rejection.reason != reason) fail_msg("%s: %s (%s)", what, reason_names[d->rejection.reason], d->rejection.message);
    if (strncmp(d->rejection.message, about, strlen(about)) != 0) fail_msg("%s: message: %s", what, d->rejection.message);
    assert_span(d->rejection.tenant, tenant);
}
