/* The document of a report: what stands around its sections. */
#pragma once

#include "common/buffer.h"
#include "common/rules.h"

struct document_head {
    const char *report;
    struct span tenant;
    int64_t version;
    int64_t as_of_us; /* the newest of the last commit and the last day change */
    const struct rules *rules;
    uint64_t catalogue; /* fingerprint */
};

/* Appends the whole snapshot: {"report":…,"sections":…}. */
void document_write(const struct document_head *head, struct span sections, struct buffer *out);

/* The sections of a document written so; empty: it is none. For those who come back and find one: equal sections, equal
 * numbers. */
struct span document_sections(struct span document);
int64_t document_version(struct span document); /* 0: it is none */
