/* What is handed over of a win and of a touch, in bytes. */
#include "daemon/facts/tell.h"

/* Dimensions in their order; behind them custom attributes that have a value, with their names: which of them are kept may change. */
static void put_dims(const struct win *win, const struct facts_context *context, struct buffer *out)
{
    const char *const *customs = context->rules->kind[KIND_DEAL].custom;
    uint32_t n_dims = (uint32_t)fact_rows[FACT_DEAL_WON].n_dims;
    for (uint32_t i = 0; i < n_dims; i++) buffer_varint(out, win->dims[i]);
    for (uint32_t i = n_dims; i < win->n_dims; i++) {
        if (!win->dims[i]) continue;
        buffer_varint(out, names_find(context->names, span_of(customs[i - n_dims])));
        buffer_varint(out, win->dims[i]);
    }
}

struct span win_encode(const struct win *win, const struct facts_context *context)
{
    size_t most = 1 + (7 + 2 * win->n_dims) * VARINT_BYTES + win->event.sequence.len + win->event.id.len;
    struct buffer out = buffer_in(context->arena, most);
    buffer_byte(&out, win->roles);
    buffer_zigzag(&out, win->event.time_us);
    buffer_zigzag(&out, win->event.offset_s);
    buffer_text(&out, win->event.sequence);
    buffer_varint(&out, win->event.source_id);
    buffer_text(&out, win->event.id);
    buffer_varint(&out, win->currency);
    buffer_zigzag(&out, win->amount);
    put_dims(win, context, &out);
    return buffer_all(&out);
}

static name_id take_name(struct cursor *in, const struct names *names)
{
    name_id name = (name_id)cursor_varint(in);
    if (name >= names->n) in->broken = true;
    return in->broken ? 0 : name;
}

static void take_dims(struct cursor *in, const struct facts_context *context, struct win *win)
{
    const char *const *customs = context->rules->kind[KIND_DEAL].custom;
    uint32_t n_dims = (uint32_t)fact_rows[FACT_DEAL_WON].n_dims;
    win->n_dims = (uint32_t)cell_dims(context->rules, FACT_DEAL_WON);
    for (uint32_t i = 0; i < n_dims; i++) win->dims[i] = take_name(in, context->names);
    while (cursor_more(in)) {
        struct span name = names_text(context->names, take_name(in, context->names));
        name_id value = take_name(in, context->names);
        for (uint32_t i = n_dims; i < win->n_dims; i++)
            if (span_is(name, customs[i - n_dims])) win->dims[i] = value;
    }
}

bool win_decode(struct win *win, const struct handed_item *item, const struct facts_context *context)
{
    if (item->type != HANDED_WIN || item->count <= 0) return false;
    struct cursor in = cursor_of(item->payload);
    *win = (struct win){ .roles = cursor_byte(&in) };
    win->event.time_us = cursor_zigzag(&in);
    win->event.offset_s = (int32_t)cursor_zigzag(&in);
    win->event.sequence = cursor_text(&in);
    win->event.source_id = take_name(&in, context->names);
    win->event.source = names_text(context->names, win->event.source_id);
    win->event.id = cursor_text(&in);
    win->event.text = item->key;
    win->currency = take_name(&in, context->names);
    win->amount = cursor_zigzag(&in);
    take_dims(&in, context, win);
    return !in.broken;
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
