/* Inner: a commit while it is written, shared by write.c (the tenant), write_pages.c (entities) and write_cells.c. */
#pragma once

#include "daemon/tenant/fold.h"

struct writer {
    struct batch *batch;
    struct tenant *tenant;
    struct arena *arena;
    struct buffer scratch;
    struct hash_write *writes;
    struct page **pages; /* changed, each once */
    size_t n_pages, room_pages;
    size_t n_writes, room_writes;
};

/* A field to set, or (value.at NULL) to remove. Fields of one hash are put one after the other. */
void writer_put(struct writer *writer, struct span key, struct span field, struct span value);

/* What stands in the scratch buffer, as a text that stays; the buffer is empty again. */
struct span writer_take(struct writer *writer);

void write_pages(struct writer *writer);
void write_cells(struct writer *writer);
