#include "daemon/demo/three.h"

#include "daemon/demo/canvas.h"

enum {
    NUMBER_WIDTH = 6,
    GAP = 2,
    GROUP_GAP = 5
};

#define SAME_DAY(period)                                                                                                         \
    {                                                                                                                            \
        NULL, NULL, period, "cases_closed_same_day"                                                                              \
    }
#define CALLS(period)                                                                                                            \
    {                                                                                                                            \
        NULL, NULL, period, "sales_calls_per_opportunity"                                                                        \
    }
#define CONVERSION(row, period)                                                                                                  \
    {                                                                                                                            \
        "source", row, period, "conversion_rate"                                                                                 \
    }

/* clang-format off */
const struct three_column three_columns[] = {
    { "cases closed same day", "today", "service", SAME_DAY("today") },
    { NULL, "yesterday", "service", SAME_DAY("yesterday") },
    { NULL, "month", "service", SAME_DAY("this_month") },
    { "calls per opportunity", "month", "sales_activity", CALLS("this_month") },
    { NULL, "last month", "sales_activity", CALLS("last_month") },
    { "conversion rate of leads, in all and by source", "month", "conversion", CONVERSION(NULL, "this_month") },
    { NULL, "last month", "conversion", CONVERSION(NULL, "last_month") },
    { NULL, "web", "conversion", CONVERSION("web", "this_month") },
    { NULL, "fair", "conversion", CONVERSION("fair", "this_month") },
    { NULL, "referral", "conversion", CONVERSION("referral", "this_month") },
    { NULL, "partner", "conversion", CONVERSION("partner", "this_month") },
    { NULL, "cold call", "conversion", CONVERSION("cold_call", "this_month") },
};
/* clang-format on */
const size_t n_three_columns = sizeof three_columns / sizeof three_columns[0];

int three_width(size_t column)
{
    int title = text_columns(three_columns[column].title);
    return (title > NUMBER_WIDTH ? title : NUMBER_WIDTH) + (three_columns[column].group ? GROUP_GAP : GAP);
}

struct three_value three_value(struct wall *wall, size_t tenant, size_t column)
{
    struct three_value value;
    const char *unit = NULL;
    const struct three_column *at = &three_columns[column];
    const json_t *number = snapshot_number(wall_report(wall, tenant, at->report), at->place, &unit);
    number_format(number, unit, value.text);
    value.size = number_size(number);
    return value;
}
