/* Values of dimensions and units of time: their order and their texts. */
#include "daemon/report/tally.h"
#include "daemon/report/text.h"

bool grouping_is_goal(const struct grouping *by)
{
    return by->type == BY_DIMENSION && by->dimension == DIM_GOAL;
}

name_id goal_of_row(const struct grouping *by, size_t n_by, const uint32_t *key)
{
    for (size_t i = 0; i < n_by; i++)
        if (grouping_is_goal(&by[i])) return key[i];
    return 0;
}

int grouping_compare(const struct grouping *by, const struct names *names, uint32_t a, uint32_t b)
{
    int32_t day = (int32_t)a, other = (int32_t)b;
    if (by->type == BY_UNIT) return (day > other) - (day < other);
    if (!a || !b) return !a - !b;
    return span_compare(names_text(names, a), names_text(names, b));
}

void grouping_write(const struct grouping *by, const struct rules *rules, const struct names *names, uint32_t value,
                    struct buffer *out)
{
    char label[LABEL_BYTES];
    if (by->type != BY_UNIT) {
        if (value) return text_write(names_text(names, value), out);
        return buffer_str(out, "null");
    }
    unit_label(rules, by->unit, (int32_t)value, label);
    text_write(span_of(label), out);
}
