/* Readers of the names a tenant declares: lists of values, custom attributes, expected ones. */
#include "daemon/facts/table.h"
#include "daemon/intake/kinds.h"
#include "daemon/settings/forms.h"
#include "daemon/settings/rules_readers.h"

#include <stdlib.h>

static bool is_custom_of_any(const struct rules *rules, struct span name)
{
    for (int kind = 0; kind < N_KINDS; kind++)
        if (rules_custom(rules, kind, name) >= 0) return true;
    return false;
}

/* Attributes that hold a text which can stand in a list, and that are the entity's own, not an event's. */
static bool is_listable(struct span name)
{
    int attribute = attribute_find(name);
    if (attribute < 0 || attribute == ATTRIBUTE_LIST || attribute == ATTRIBUTE_INTO || attribute == ATTRIBUTE_PAGE) return false;
    enum attribute_type type = attribute_rows[attribute].type;
    return type == TYPE_NAME || type == TYPE_NAMES || type == TYPE_REFERENCE || type == TYPE_CURRENCY;
}

static void suggest_attribute(struct suggestion *suggestion, const struct rules *rules, int kind)
{
    for (int i = 0; i < N_ATTRIBUTES; i++)
        if (kind < 0 || kind_rows[kind].attributes & UINT64_C(1) << i) suggest(suggestion, attribute_rows[i].name);
    for (int i = 0; kind >= 0 && i < rules->kind[kind].n_custom; i++) suggest(suggestion, rules->kind[kind].custom[i]);
}

void read_lists(const struct rules_reading *reading, const json_t *value)
{
    const char *name;
    json_t *values;
    if (!expect_object(&reading->at, value, "an object: attribute to list of its values")) return;
    json_object_foreach((json_t *)value, name, values)
    {
        struct setting_reading at = setting_at(&reading->at, name);
        struct text_list texts = { NULL, 0 };
        if (!is_listable(span_of(name)) && !is_custom_of_any(reading->rules, span_of(name))) {
            struct suggestion suggestion = { .name = span_of(name) };
            suggest_attribute(&suggestion, reading->rules, -1);
            if (attribute_find(span_of(name)) < 0)
                unknown_key(&at, "attribute", suggestion);
            else
                problem_add(at.problems, at.where,
                            "the values of this attribute are no names that could be listed, or belong to their event alone");
        } else if (read_list(&at, values, &texts)) {
            struct map *list = must_zalloc(sizeof *list);
            for (size_t i = 0; i < texts.n; i++) map_put(list, span_of(texts.at[i]), (void *)texts.at[i]);
            map_put(&reading->rules->lists, arena_copy(at.arena, span_of(name)), list);
        }
    }
}

/* Calls `read_one` for each kind's list of names. */
static void read_per_kind(const struct rules_reading *reading, const json_t *value, size_t max,
                          void (*read_one)(const struct rules_reading *, const struct setting_reading *, int kind,
                                           const struct text_list *))
{
    const char *name;
    json_t *names;
    if (!expect_object(&reading->at, value, "an object: kind to list of attributes")) return;
    json_object_foreach((json_t *)value, name, names)
    {
        struct setting_reading at = setting_at(&reading->at, name);
        struct text_list list = { NULL, 0 };
        enum kind kind;
        if (!kind_find(span_of(name), &kind)) {
            struct suggestion suggestion = { .name = span_of(name) };
            for (int i = 0; i < N_KINDS; i++) suggest(&suggestion, kind_rows[i].name);
            unknown_key(&at, "kind", suggestion);
        } else if (read_list(&at, names, &list)) {
            if (list.n > max)
                expected(&at, names, "a list of at most %zu", max);
            else
                read_one(reading, &at, (int)kind, &list);
        }
    }
}

/* Names with a meaning of their own in queries and answers. */
static bool is_taken(struct span name)
{
    static const char *const taken[] = { "day", "week", "month", "quarter", "year", "value", NULL };
    for (size_t i = 0; taken[i]; i++)
        if (span_is(name, taken[i])) return true;
    return attribute_find(name) >= 0 || dimension_find(name) >= 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void read_custom_of(const struct rules_reading *reading, const struct setting_reading *at, int kind,
                           const struct text_list *list)
{
    const char **custom = reading->rules->kind[kind].custom;
    int n = 0;
    for (size_t i = 0; i < list->n; i++) {
        struct setting_reading nth = setting_nth(at, i);
        struct span name = span_of(list->at[i]);
        if (!form_name(name))
            problem_add(at->problems, nth.where, "found \"%.80s\", expected a name of 1 to 64 of A-Z a-z 0-9 . _ -", list->at[i]);
        else if (is_taken(name))
            problem_add(at->problems, nth.where, "\"%s\" is the name of a built-in attribute, dimension or unit: take another",
                        list->at[i]);
        else if (rules_custom(reading->rules, kind, name) >= 0)
            problem_add(at->problems, nth.where, "\"%s\" is declared twice", list->at[i]);
        else {
            custom[n++] = list->at[i];
            reading->rules->kind[kind].n_custom = n;
        }
    }
    qsort(custom, (size_t)n, sizeof *custom, by_text);
}

static const char *kinds_text(unsigned set, struct arena *arena)
{
    struct buffer text = { 0 };
    for (int kind = 0; kind < N_KINDS; kind++)
        if (kind_set_members(set) >> kind & 1) buffer_printf(&text, "%s%s", text.len ? ", " : "", kind_rows[kind].name);
    buffer_byte(&text, 0);
    const char *copy = arena_copy(arena, buffer_all(&text)).at;
    buffer_deinit(&text);
    return copy;
}

void read_custom(const struct rules_reading *reading, const json_t *value)
{
    read_per_kind(reading, value, CUSTOM_MAX, read_custom_of);
    for (unsigned set = 0; set < N_KIND_SETS; set++) {
        int n = kind_set_customs(reading->rules, set);
        if (n <= CUSTOM_SHARED_MAX) continue;
        problem_add(reading->at.problems, reading->at.where,
                    "%s declare %d attributes together, expected at most %d: they say facts in common",
                    kinds_text(set, reading->at.arena), n, CUSTOM_SHARED_MAX);
    }
}

/* "contact|account": are all of them attributes of the kind? Says which is not. */
static bool all_known(const struct rules *rules, int kind, const struct setting_reading *at, const char *text)
{
    for (;;) {
        struct span name = { text, strcspn(text, "|") };
        int attribute = attribute_find(name);
        bool builtin = attribute >= 0 && kind_rows[kind].attributes & UINT64_C(1) << attribute;
        if (!builtin && rules_custom(rules, kind, name) < 0) {
            struct suggestion suggestion = { .name = name };
            suggest_attribute(&suggestion, rules, kind);
            problem_add(at->problems, at->where, "found \"%.*s\", expected an attribute of %s or one declared under custom%s%s%s",
                        SPAN_ARG(name), kind_rows[kind].name, suggestion.best ? "; did you mean " : "",
                        suggestion.best ? suggestion.best : "", suggestion.best ? "?" : "");
            return false;
        }
        text += name.len;
        if (*text++ == '\0') return true;
    }
}

static void read_expected_of(const struct rules_reading *reading, const struct setting_reading *at, int kind,
                             const struct text_list *list)
{
    struct rules *rules = reading->rules;
    for (size_t i = 0; i < list->n; i++) {
        struct setting_reading nth = setting_nth(at, i);
        if (all_known(rules, kind, &nth, list->at[i])) rules->kind[kind].expected[rules->kind[kind].n_expected++] = list->at[i];
    }
}

void read_expected(const struct rules_reading *reading, const json_t *value)
{
    read_per_kind(reading, value, EXPECTED_MAX, read_expected_of);
}
