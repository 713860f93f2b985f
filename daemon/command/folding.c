/* Days that a report shows one by one must not fold into their months while it shows them. */
#include "common/instant.h"
#include "common/period.h"
#include "daemon/command/effective.h"

enum {
    SAMPLE_DAY = 21184, /* 2028-01-01: how far a period reaches back is looked at on each day of a leap year and the next */
    SAMPLE_DAYS = 731,
    WEEK_DAYS = 7
};

static bool shows_days(const struct report_section *section)
{
    for (size_t b = 0; b < section->n_by; b++)
        if (section->by[b].type == BY_UNIT && (section->by[b].unit == UNIT_DAY || section->by[b].unit == UNIT_WEEK)) return true;
    return false;
}

/* How many days ago the first month begins that the period touches, at most; 0: it has no beginning. */
static int32_t reach_of(const struct rules *rules, const char *name)
{
    int32_t longest = 1;
    for (int32_t today = SAMPLE_DAY; today < SAMPLE_DAY + SAMPLE_DAYS; today++) {
        struct period period;
        if (!period_named(rules, span_of(name), today, &period)) return 1;
        if (period.from == PERIOD_BEGIN) return 0;
        int32_t reach = today - month_period(month_of_day(period.from - WEEK_DAYS)).from;
        if (reach > longest) longest = reach;
    }
    return longest;
}

static void check_report(const struct report *report, const struct rules *rules, const char *place, struct problems *problems)
{
    bool daily = false;
    for (size_t s = 0; s < report->n_sections; s++) daily = daily || shows_days(&report->sections[s]);
    for (size_t p = 0; daily && p < report->n_periods; p++) {
        int32_t reach = reach_of(rules, report->periods[p]);
        if (reach && reach <= rules->fold_after_days) continue;
        if (reach)
            problem_add(problems, place, "is %d, expected 0 or at least %d: the report \"%s\" shows days or weeks of %s",
                        rules->fold_after_days, reach, report->name, report->periods[p]);
        else
            problem_add(problems, place, "is %d, expected 0: the report \"%s\" shows days or weeks of %s", rules->fold_after_days,
                        report->name, report->periods[p]);
    }
}

static void check_tenant(const struct catalogue *catalogue, const struct rules *rules, const char *tenant,
                         struct problems *problems)
{
    struct buffer place = { 0 };
    buffer_printf(&place, "tenants.%s.fold_after", tenant);
    buffer_byte(&place, 0);
    for (size_t i = 0; rules->fold_after_days && i < catalogue->n_reports; i++)
        check_report(&catalogue->reports[i], rules, place.at, problems);
    buffer_deinit(&place);
}

void catalogue_check_folding(const struct catalogue *catalogue, const struct settings *settings, struct problems *problems)
{
    struct text_list tenants = settings_tenants(settings);
    check_tenant(catalogue, settings_rules(settings, NO_SPAN), "default", problems);
    for (size_t i = 0; i < tenants.n; i++)
        check_tenant(catalogue, settings_rules(settings, span_of(tenants.at[i])), tenants.at[i], problems);
}
