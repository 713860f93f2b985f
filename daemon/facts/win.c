/* What is handed over of a win and of a touch, in bytes. */
#include "daemon/facts/tell.h"

struct span win_encode(const struct win *win, const struct facts_context *context)
{
    size_t most = 1 + (7 + win->n_dims) * VARINT_BYTES + win->event.sequence.len + win->event.id.len;
    struct buffer out = buffer_in(context->arena, most);
    buffer_byte(&out, win->roles);
    buffer_zigzag(&out, win->event.time_us);
    buffer_zigzag(&out, win->event.offset_s);
    buffer_text(&out, win->event.sequence);
    buffer_varint(&out, win->event.source_id);
    buffer_text(&out, win->event.id);
    buffer_varint(&out, win->currency);
    buffer_zigzag(&out, win->amount);
    buffer_varint(&out, win->n_dims);
    for (uint32_t i = 0; i < win->n_dims; i++) buffer_varint(&out, win->dims[i]);
    return buffer_all(&out);
}

bool win_decode(struct win *win, const struct handed_item *item, const struct facts_context *context)
{
    if (item->type != HANDED_WIN || item->count <= 0) return false;
    struct cursor in = cursor_of(item->payload);
    *win = (struct win){ .roles = cursor_byte(&in) };
    win->event.time_us = cursor_zigzag(&in);
    win->event.offset_s = (int32_t)cursor_zigzag(&in);
    win->event.sequence = cursor_text(&in);
    name_id source = (name_id)cursor_varint(&in);
    win->event.id = cursor_text(&in);
    win->event.text = item->key;
    win->currency = (name_id)cursor_varint(&in);
    win->amount = cursor_zigzag(&in);
    win->n_dims = (uint32_t)cursor_varint(&in);
    if (in.broken || source >= context->names->n || win->n_dims > CELL_DIMS_MAX) return false;
    win->event.source = names_text(context->names, source);
    win->event.source_id = source;
    bool known = win->currency < context->names->n;
    for (uint32_t i = 0; i < win->n_dims; i++) {
        win->dims[i] = (name_id)cursor_varint(&in);
        known = known && win->dims[i] < context->names->n;
    }
    return known && !in.broken;
}

int win_compare(const struct win *a, const struct win *b)
{
    int c = event_compare(&a->event, &b->event);
    return c ? c : span_compare(a->event.text, b->event.text);
}

struct span touch_encode(int64_t time_us, int32_t offset_s, struct arena *arena)
{
    struct buffer out = buffer_in(arena, 2 * VARINT_BYTES);
    buffer_zigzag(&out, time_us);
    buffer_zigzag(&out, offset_s);
    return buffer_all(&out);
}

bool touch_decode(const struct handed_item *item, int64_t *time_us, int32_t *offset_s)
{
    if (item->type != HANDED_TOUCH || item->count <= 0) return false;
    struct cursor in = cursor_of(item->payload);
    *time_us = cursor_zigzag(&in);
    *offset_s = (int32_t)cursor_zigzag(&in);
    return !in.broken;
}
