/* Finds the attributes an event names among those its kind takes and the tenant's declared ones, and reads them. */
#include "daemon/intake/attributes.h"

#include "daemon/intake/values.h"

_Static_assert(CUSTOM_MAX <= 64, "declared attributes fit the bits");

#define BIT(attribute) (UINT64_C(1) << ATTRIBUTE_##attribute)
static const uint64_t money_bits = BIT(AMOUNT) | BIT(COST) | BIT(BUDGET) | BIT(TARGET) | BIT(CURRENCY);

/* What the data names: a bit for each attribute, and the last value it was given. */
struct named {
    uint64_t known, custom;
    yyjson_val *values[ATTRIBUTE_CUSTOM + CUSTOM_MAX]; /* set where the bit is */
};

/* An attribute of the contract comes before a declared one of the same name; what is neither is ignored. */
static void collect(yyjson_val *data, const struct rules *rules, enum kind kind, struct named *named)
{
    size_t i, n;
    yyjson_val *key, *value;
    yyjson_obj_foreach(data, i, n, key, value)
    {
        struct span name = json_text(key);
        int known = attribute_find(name), custom;
        if (known >= 0 && (kind_rows[kind].attributes >> known & 1)) {
            named->known |= UINT64_C(1) << known;
            named->values[known] = value;
        } else if ((custom = rules_custom(rules, kind, name)) >= 0) {
            named->custom |= UINT64_C(1) << custom;
            named->values[ATTRIBUTE_CUSTOM + custom] = value;
        }
    }
}

static bool is_given(const struct named *named, enum attribute attribute)
{
    return (named->known >> attribute & 1) && !value_is_empty(named->values[attribute]);
}

static bool require_all(const struct verb_row *verb, const struct named *named, struct rejection *rejection)
{
    for (int i = 0; i < REQUIRED_MAX && verb->required[i] >= 0; i++) {
        const struct attribute_row *row = &attribute_rows[verb->required[i]];
        if (!is_given(named, (enum attribute)verb->required[i]))
            return reject(rejection, REASON_MISSING_ATTRIBUTE, "data.%s: missing or empty, but needed by %s; expected %s",
                          row->name, verb->name, value_expected[row->type]);
    }
    return true;
}

/* Money has the decimals of the currency named beside it, else of the tenant's. */
static bool find_decimals(const struct named *named, const struct rules *rules, struct value_context *context,
                          struct rejection *rejection)
{
    if (!(named->known & money_bits)) return true;
    struct span code = span_of(rules->currency);
    context->currency_named = is_given(named, ATTRIBUTE_CURRENCY);
    if (context->currency_named && !value_currency(named->values[ATTRIBUTE_CURRENCY], &code))
        return reject(rejection, REASON_BAD_ATTRIBUTE, "data.currency: expected %s", value_expected[TYPE_CURRENCY]);
    context->decimals = currency_decimals(code);
    return true;
}

static bool is_money(enum attribute_type type)
{
    return type == TYPE_MONEY || type == TYPE_TARGET;
}

static bool reject_value(const char *name, enum attribute_type type, const struct value_context *context,
                         struct rejection *rejection)
{
    if (!is_money(type)) return reject(rejection, REASON_BAD_ATTRIBUTE, "data.%s: expected %s", name, value_expected[type]);
    return reject(rejection, REASON_BAD_ATTRIBUTE, "data.%s: expected %s (decimals of the %s currency: %d)", name,
                  value_expected[type], context->currency_named ? "named" : "tenant's", context->decimals);
}

static bool read_known(const struct named *named, const struct value_context *context, struct event_attribute *attribute,
                       struct rejection *rejection)
{
    for (uint64_t bits = named->known; bits; bits &= bits - 1, attribute++) {
        int i = __builtin_ctzll(bits);
        attribute->attribute = (uint16_t)i;
        if (!value_read(attribute_rows[i].type, named->values[i], context, &attribute->value))
            return reject_value(attribute_rows[i].name, attribute_rows[i].type, context, rejection);
    }
    return true;
}

static bool read_custom(const struct named *named, const char *const *names, const struct value_context *context,
                        struct event_attribute *attribute, struct rejection *rejection)
{
    for (uint64_t bits = named->custom; bits; bits &= bits - 1, attribute++) {
        int i = __builtin_ctzll(bits);
        attribute->attribute = (uint16_t)(ATTRIBUTE_CUSTOM + i);
        if (!value_read(TYPE_NAME, named->values[ATTRIBUTE_CUSTOM + i], context, &attribute->value))
            return reject_value(names[i], TYPE_NAME, context, rejection);
    }
    return true;
}

bool attributes_read(const struct json *json, yyjson_val *data, const struct verb_row *verb, const struct rules *rules,
                     struct event *event, struct rejection *rejection)
{
    struct named named;
    named.known = named.custom = 0;
    if (data) collect(data, rules, event->kind, &named);
    struct value_context context = { .json = json };
    if (!require_all(verb, &named, rejection) || !find_decimals(&named, rules, &context, rejection)) return false;
    size_t n_known = (size_t)__builtin_popcountll(named.known), n_custom = (size_t)__builtin_popcountll(named.custom);
    struct event_attribute *attributes = arena_alloc(json->arena, (n_known + n_custom) * sizeof *attributes);
    event->attributes = attributes;
    event->n_attributes = n_known + n_custom;
    event->named = named.known;
    return read_known(&named, &context, attributes, rejection) &&
           read_custom(&named, rules->kind[event->kind].custom, &context, attributes + n_known, rejection);
}
