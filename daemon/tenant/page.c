#include "daemon/tenant/page.h"

#include "daemon/tenant/tenant.h"

#include <stdlib.h>

enum {
    OVERHEAD_BYTES = 64 /* of its part of the tenant's table, and of two allocations */
};

static size_t length_bytes(size_t length)
{
    size_t n = 1;
    while (length >>= 7) n++;
    return n;
}

/* In as few bytes as it needs, else it is none. Most are below 16,384: two bytes. */
static inline bool take_length(struct span *rest, size_t *length)
{
    const unsigned char *at = (const unsigned char *)rest->at;
    if (rest->len && at[0] < 0x80) {
        *length = at[0];
        *rest = (struct span){ rest->at + 1, rest->len - 1 };
        return true;
    }
    if (rest->len > 1 && at[1] < 0x80 && at[1]) {
        *length = (at[0] & 0x7fu) | (size_t)at[1] << 7;
        *rest = (struct span){ rest->at + 2, rest->len - 2 };
        return true;
    }
    struct cursor in = cursor_of(*rest);
    uint64_t value = cursor_varint(&in);
    if (in.broken || value > rest->len || (size_t)((const char *)in.at - rest->at) != length_bytes((size_t)value)) return false;
    *length = (size_t)value;
    *rest = (struct span){ (const char *)in.at, (size_t)(in.end - in.at) };
    return true;
}

bool page_next(struct span *rest, struct span *id, struct span *bytes)
{
    struct span at = *rest;
    size_t id_len, bytes_len;
    if (!at.len || !take_length(&at, &id_len) || !take_length(&at, &bytes_len)) return false;
    if (id_len > at.len || bytes_len > at.len - id_len) return false;
    *id = (struct span){ at.at, id_len };
    *bytes = (struct span){ at.at + id_len, bytes_len };
    *rest = (struct span){ bytes->at + bytes_len, at.len - id_len - bytes_len };
    return true;
}

struct span page_find(const struct page *page, struct span wanted)
{
    struct span rest = buffer_all(&page->bytes), id, bytes;
    while (page_next(&rest, &id, &bytes))
        if (span_equal(id, wanted)) return bytes;
    return NO_SPAN;
}

static void put_record(struct buffer *out, struct span id, struct span bytes)
{
    buffer_varint(out, id.len);
    buffer_varint(out, bytes.len);
    buffer_span(out, id);
    buffer_span(out, bytes);
}

/* By where the old ones stand; what is new comes first. They are few. */
static struct page_write *sorted(struct page_write *writes)
{
    struct page_write *first = NULL;
    while (writes) {
        struct page_write *write = writes, **at = &first;
        writes = write->next;
        while (*at && (uintptr_t)(*at)->old.at < (uintptr_t)write->old.at) at = &(*at)->next;
        write->next = *at;
        *at = write;
    }
    return first;
}

/* Takes over what stands before the old record; what follows it is left. */
static struct span skip_record(struct buffer *out, struct span rest, const struct page_write *write)
{
    size_t head = length_bytes(write->id.len) + length_bytes(write->old.len) + write->id.len;
    size_t before = (size_t)(write->old.at - rest.at) - head, skipped = before + head + write->old.len;
    buffer_put(out, rest.at, before);
    return (struct span){ rest.at + skipped, rest.len - skipped };
}

void page_put_all(struct page *page, struct page_write *writes, struct buffer *scratch)
{
    struct span rest = buffer_all(&page->bytes);
    buffer_clear(scratch);
    writes = sorted(writes);
    for (const struct page_write *write = writes; write; write = write->next)
        if (write->bytes.at) put_record(scratch, write->id, write->bytes);
    for (const struct page_write *write = writes; write; write = write->next)
        if (write->old.at) rest = skip_record(scratch, rest, write);
    buffer_span(scratch, rest);
    page_set(page, buffer_all(scratch));
    buffer_clear(scratch);
}

void page_put(struct page *page, struct span id, struct span bytes)
{
    struct buffer scratch = { 0 };
    page_put_all(page, &(struct page_write){ .id = id, .bytes = bytes, .old = page_find(page, id) }, &scratch);
    buffer_deinit(&scratch);
}

/* Pages are many and grow slowly: little is reserved beyond what is needed. What stood on it is not taken along. */
void page_set(struct page *page, struct span bytes)
{
    if (bytes.len > page->bytes.room) {
        buffer_deinit(&page->bytes);
        page->bytes.room = bytes.len + bytes.len / 8;
        page->bytes.at = must_alloc(page->bytes.room);
    }
    buffer_clear(&page->bytes);
    buffer_span(&page->bytes, bytes);
    page->moved = true;
    cache_resize(page->tenant->cache, &page->cached, sizeof *page + page->bytes.room + OVERHEAD_BYTES);
}

bool page_fill(struct page *page, struct span bytes)
{
    struct span rest = bytes, id, record;
    while (page_next(&rest, &id, &record)) continue;
    if (rest.len) return false;
    page_set(page, bytes);
    return true;
}

void page_destroy(struct page *page)
{
    buffer_deinit(&page->bytes);
    free(page);
}
