/* One attribute's value, from JSON to what the contract says of its type. */
#pragma once

#include "common/error.h"
#include "daemon/intake/event.h"
#include "daemon/intake/json.h"

/* What the value of an attribute may depend on, beside its type. */
struct value_context {
    const struct json *json; /* whose the value is */
    int decimals;            /* of the currency that the event names, else of the tenant's */
    bool currency_named;     /* by the event: a goal's target is money then */
};

/* null, an empty text and an empty list clear an attribute, whatever its type: VALUE_NULL. */
bool value_is_empty(yyjson_val *json);

/* False: not of the type; value_expected says what would have been. Texts live as those of json_kept_text. */
MUST_USE bool value_read(enum attribute_type type, yyjson_val *json, const struct value_context *context, struct value *value);
extern const char *const value_expected[]; /* by attribute type: "a text of at most 1024 bytes" … */

/* "EUR": three capital letters. The code lives as long as the JSON does. */
bool value_currency(yyjson_val *json, struct span *code);
