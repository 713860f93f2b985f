/* yyjson on borrowed memory: a room on the stack. */
#include "daemon/intake/json.h"

static void *room_alloc(void *context, size_t bytes)
{
    struct json *json = context;
    bytes = (bytes + 15) & ~(size_t)15;
    if (bytes > JSON_ROOM_BYTES - json->used) return arena_alloc(json->arena, bytes);
    void *at = json->room + json->used;
    json->used += bytes;
    return at;
}

static void *room_realloc(void *context, void *old, size_t old_bytes, size_t bytes)
{
    void *at = room_alloc(context, bytes);
    return memcpy(at, old, old_bytes < bytes ? old_bytes : bytes);
}

static void room_free(void *context, void *at)
{
    (void)context, (void)at; /* given back with the room and the arena */
}

yyjson_val *json_read(struct json *json, struct span text, yyjson_read_err *problem)
{
    json->text = text;
    char *copy = room_alloc(json, text.len + YYJSON_PADDING_SIZE);
    json->copy = copy;
    if (text.len) memcpy(copy, text.at, text.len);
    memset(copy + text.len, 0, YYJSON_PADDING_SIZE);
    yyjson_alc memory = { room_alloc, room_realloc, room_free, json };
    yyjson_read_flag flags = YYJSON_READ_INSITU | YYJSON_READ_NUMBER_AS_RAW;
    return yyjson_doc_get_root(yyjson_read_opts(copy, text.len, flags, &memory, problem));
}
