/* A page: some entities of one kind, behind each other in one string under one key. It is what is read, cached and written:
 * a string of a few entities costs Redis a third of what their fields in hashes do. */
#pragma once

#include "common/buffer.h"
#include "common/error.h"
#include "daemon/intake/kinds.h"
#include "daemon/tenant/cache.h"
#include "daemon/tenant/page_table.h"

struct tenant;
struct work;

/* Which one. */
struct page_place {
    uint32_t kind, number;
};

/* What is to stand on a page; .bytes.at NULL: no longer. */
struct page_write {
    struct page_write *next;
    struct page *page; /* where it was looked for … */
    uint64_t place;    /* … and the hash that says where it goes, should there be more pages */
    struct span id, bytes;
    struct span old; /* as page_find has it; .at NULL: it is not there */
};

struct page {
    struct cached cached;
    struct tenant *tenant;
    struct page_place place;
    bool changed;              /* by the batch at work, which will write it */
    bool moved;                /* what stands on it, since a batch looked first */
    uint64_t batch;            /* the batch of the tenant that had something of it at work last */
    struct page_write *writes; /* what it is about to write on it */
    struct buffer bytes;       /* records, each the lengths of id and bytes (varints), id, bytes */
};

/* The next record of a page's bytes: cut off `rest`. False: the end, or (`rest` not empty) what is there is no record. */
bool page_next(struct span *rest, struct span *id, struct span *bytes) MUST_USE;

/* An entity's bytes, until the page changes; .at NULL: it is not there. */
struct span page_find(const struct page *page, struct span id);

/* Sets and removes several entities, each named once; what is set comes to stand before the others. The scratch buffer is empty again. */
void page_put_all(struct page *page, struct page_write *writes, struct buffer *scratch);
void page_put(struct page *page, struct span id, struct span bytes); /* one; removes it where bytes.at is NULL */

void page_set(struct page *page, struct span bytes); /* all of it: records, which do not lie on the page */

/* All of it, as it was read. False: these are no records. */
bool page_fill(struct page *page, struct span bytes) MUST_USE;

void page_destroy(struct page *page); /* taken out of map and cache before */
