#include "daemon/demo/choice.h"

#include "daemon/demo/cast.h"
#include "daemon/demo/terminal.h"

enum {
    KEYS_COLUMNS = 128
};

const char *choice_keys(int columns)
{
    return columns >= KEYS_COLUMNS ? "tab tenant   ←→ or 1-9 report   g grouping   p period   ↑↓ rows   [ ] columns   "
                                     "space hold   h how to look inside   q quit"
                                   : "tab tenant  ←→ report  g grouping  p period  ↑↓ [ ]  h inside  q quit";
}

static void choose_report(struct choice *choice, const struct catalogue *catalogue, size_t report)
{
    choice->report = report % catalogue->n_reports;
    choice->section = choice->period = choice->first_row = choice->first_column = 0;
    const struct report *chosen = &catalogue->reports[choice->report];
    for (size_t i = 0; i < chosen->n_periods; i++)
        if (!strcmp(chosen->periods[i], "this_month")) choice->period = i;
}

void choice_init_for(struct choice *choice, const struct catalogue *catalogue, size_t report)
{
    *choice = (struct choice){ 0 };
    choose_report(choice, catalogue, report);
}

void choice_init(struct choice *choice, const struct catalogue *catalogue)
{
    const struct report *service = catalogue_report(catalogue, SPAN("service"));
    choice_init_for(choice, catalogue, service ? (size_t)(service - catalogue->reports) : 0);
}

static void step(size_t *at, size_t n, bool up)
{
    *at = n ? (*at + (up ? 1 : n - 1)) % n : 0;
}

static void scroll(size_t *at, bool up)
{
    if (up)
        ++*at;
    else if (*at)
        --*at;
}

/* Of the report at hand. */
static void choose_part(struct choice *choice, const struct report *report, int key)
{
    if (key == 'g' || key == 'G') step(&choice->section, report->n_sections, key == 'g');
    if (key == 'p' || key == 'P') step(&choice->period, report->n_periods, key == 'p');
    if (key == 'g' || key == 'G' || key == 'p' || key == 'P') choice->first_row = 0;
    if (key == KEY_UP || key == KEY_DOWN) scroll(&choice->first_row, key == KEY_DOWN);
    if (key == '[' || key == ']') scroll(&choice->first_column, key == ']');
}

bool choice_key(struct choice *choice, const struct catalogue *catalogue, int key)
{
    if (key == 'q' || key == 'Q' || key == KEY_CTRL_C) return false;
    if (key == '\t' || key == 't' || key == KEY_BACK_TAB) step(&choice->tenant, n_cast, key != KEY_BACK_TAB);
    if (key == KEY_RIGHT || key == KEY_LEFT)
        choose_report(choice, catalogue, choice->report + (key == KEY_RIGHT ? 1 : catalogue->n_reports - 1));
    if (key >= '1' && key <= '9' && (size_t)(key - '1') < catalogue->n_reports)
        choose_report(choice, catalogue, (size_t)(key - '1'));
    if (key == 'h' || key == '?') choice->help = !choice->help;
    if (key == ' ') choice->frozen = !choice->frozen;
    choose_part(choice, &catalogue->reports[choice->report], key);
    return true;
}
