#include "daemon/tenant/retired.h"

#include "daemon/tenant/place.h"

struct mark {
    char bytes[RETIRED_MARK_BYTES];
};

static struct mark mark_of(const struct tenant *tenant, struct span id)
{
    struct mark mark;
    uint32_t place = (uint32_t)place_hash(tenant, id);
    uint64_t hash = siphash(tenant->secret, id);
    for (int i = 0; i < 4; i++) mark.bytes[i] = (char)(place >> 8 * i);
    for (int i = 0; i < 8; i++) mark.bytes[4 + i] = (char)(hash >> 8 * i);
    return mark;
}

static uint32_t place_in(const char *mark)
{
    uint32_t place = 0;
    for (int i = 0; i < 4; i++) place |= (uint32_t)(uint8_t)mark[i] << 8 * i;
    return place;
}

struct span retired_key(const struct tenant *tenant, enum kind kind, struct span id, char room[RETIRED_KEY_BYTES])
{
    struct mark mark = mark_of(tenant, id);
    room[0] = (char)kind;
    memcpy(room + 1, mark.bytes, RETIRED_MARK_BYTES);
    return (struct span){ room, RETIRED_KEY_BYTES };
}

bool retired_find(const struct tenant *tenant, const struct page *page, struct span id)
{
    struct span marks = page_find(page, NO_SPAN);
    if (!marks.len) return false;
    struct mark wanted = mark_of(tenant, id);
    for (size_t at = 0; at + RETIRED_MARK_BYTES <= marks.len; at += RETIRED_MARK_BYTES)
        if (!memcmp(marks.at + at, wanted.bytes, RETIRED_MARK_BYTES)) return true;
    return false;
}

static void set_marks(struct page *page, const struct buffer *marks)
{
    page_put(page, NO_SPAN, marks->len ? buffer_all(marks) : NO_SPAN);
}

void retired_put(const struct tenant *tenant, struct page *page, struct span id)
{
    struct buffer marks = { 0 };
    struct mark added = mark_of(tenant, id);
    buffer_span(&marks, page_find(page, NO_SPAN));
    buffer_put(&marks, added.bytes, RETIRED_MARK_BYTES);
    set_marks(page, &marks);
    buffer_deinit(&marks);
}

bool retired_split(struct page *from, struct page *to)
{
    struct span marks = page_find(from, NO_SPAN);
    struct buffer stays = { 0 }, goes = { 0 };
    for (size_t at = 0; at + RETIRED_MARK_BYTES <= marks.len; at += RETIRED_MARK_BYTES) {
        bool moves = place_of_hash(place_in(marks.at + at), (uint64_t)to->place.number + 1) == to->place.number;
        buffer_put(moves ? &goes : &stays, marks.at + at, RETIRED_MARK_BYTES);
    }
    bool moved = goes.len;
    if (moved) set_marks(from, &stays);
    if (moved) set_marks(to, &goes);
    buffer_deinit(&stays);
    buffer_deinit(&goes);
    return moved;
}
