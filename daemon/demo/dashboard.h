/* Reading reports as any dashboard does: one GET per report, and hints that there is a new one. */
#pragma once

#include "common/error.h"
#include "common/span.h"

struct dashboard;

struct dashboard_hint {
    char tenant[72], report[72];
    int64_t version;
};

/* Subscribes to the hints of all tenants. NULL and error: it does not answer. */
struct dashboard *dashboard_connect(const char *socket, const char *prefix, struct error *error) MUST_USE;
void dashboard_close(struct dashboard *dashboard); /* NULL is fine */

int dashboard_descriptor(const struct dashboard *dashboard); /* to poll for hints */

/* The next hint that is there, without waiting. False: none; with an error: the connection is lost. */
bool dashboard_next(struct dashboard *dashboard, struct dashboard_hint *hint, struct error *error);

/* Reads all that has come, without waiting; to be called before dashboard_next. */
void dashboard_read(struct dashboard *dashboard);

/* The report's document, valid until the next call; empty: there is none (with an error: the connection is lost). */
struct span dashboard_get(struct dashboard *dashboard, const char *tenant, const char *report, struct error *error);
