/* Reads one JSON text with yyjson, without asking the system for memory: texts live in the arena, the rest on the stack. */
#pragma once

#include "common/arena.h"

#include <yyjson.h>

enum {
    JSON_ROOM_BYTES = 16 * 1024
}; /* for the values of about 6 KiB of JSON; longer ones use the arena */

struct json {
    _Alignas(16) char room[JSON_ROOM_BYTES];
    size_t used;
    struct arena *arena;
};

/* Numbers come raw (yyjson_is_raw), digit by digit. Values live as long as `json`, the texts they point to as long as the
 * arena. NULL: not JSON or not UTF-8; `problem` says what (a constant, without any of the text) and at which byte. */
yyjson_val *json_read(struct json *json, struct arena *arena, struct span text, yyjson_read_err *problem);

static inline struct span json_text(yyjson_val *value)
{
    return (struct span){ unsafe_yyjson_get_str(value), unsafe_yyjson_get_len(value) };
}
