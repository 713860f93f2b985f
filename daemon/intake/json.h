/* Reads one JSON text with yyjson, without asking the system for memory: what it makes of a text lies on the stack. A round holds
 * thousands of events, so no second copy of them is kept: their texts stay where the record has them. */
#pragma once

#include "common/arena.h"

#include <yyjson.h>

#ifndef YYJSON_SUBTYPE_NOESC /* an older one, which does not tell: every text is copied */
#define YYJSON_SUBTYPE_NOESC YYJSON_SUBTYPE_MASK
#endif

enum {
    JSON_ROOM_BYTES = 20 * 1024 /* for about 6 KiB of JSON and its values; longer ones use the arena */
};

struct json {
    _Alignas(16) char room[JSON_ROOM_BYTES];
    size_t used;
    struct arena *arena;
    struct span text;
    const char *copy; /* of the text, which yyjson has changed */
};

/* `arena`: for what the text does not hold as it is. Not zeroed: only what is used is touched. */
static inline void json_begin(struct json *json, struct arena *arena)
{
    json->used = 0;
    json->arena = arena;
}

/* Once. Numbers come raw (yyjson_is_raw), digit by digit. Values live as long as `json`. NULL: not JSON or not UTF-8; `problem` says what
 * (a constant, without any of the text) and at which byte. */
yyjson_val *json_read(struct json *json, struct span text, yyjson_read_err *problem);

/* The value's text or digits, as long as `json` is there. */
static inline struct span json_text(yyjson_val *value)
{
    return (struct span){ unsafe_yyjson_get_str(value), unsafe_yyjson_get_len(value) };
}

/* As long as the text that was read and the arena are: where it was written without escapes it is found there, else copied. */
static inline struct span json_kept_text(const struct json *json, yyjson_val *value)
{
    struct span text = json_text(value);
    if (unsafe_yyjson_get_subtype(value) != YYJSON_SUBTYPE_NOESC) return arena_copy(json->arena, text);
    return (struct span){ json->text.at + (text.at - json->copy), text.len };
}
