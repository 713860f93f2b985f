/* The data of an event: which attributes it names, are the required ones there, is each of its type. */
#pragma once

#include "daemon/intake/json.h"
#include "daemon/intake/reject.h"

/* Sets the event's attributes (in the arena of `json`), in the order of their numbers. `data`: an object of `json`, or NULL for none.
 * The event's kind and verb are set. False: missing_attribute or bad_attribute. */
MUST_USE bool attributes_read(const struct json *json, yyjson_val *data, const struct verb_row *verb, const struct rules *rules,
                              struct event *event, struct rejection *rejection);
