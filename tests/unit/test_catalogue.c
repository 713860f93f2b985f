/* The catalogue: formulas that are understood, formulas and files that are refused with their place, and what is kept. */
#include "daemon/catalogue/catalogue.h"
#include "tests/unit/unit.h"

/* Loads the shipped file and (unless NULL) another one, with quotes written as '. Problems, one a line, in static memory. */
static struct catalogue *load(const char *more, const char **problems_text)
{
    static char text[1 << 16], report[1 << 14];
    struct problems problems = { 0 };
    size_t n = 0;
    if (more) snprintf(text, sizeof text, "%s", more);
    for (size_t i = 0; more && text[i]; i++)
        if (text[i] == '\'') text[i] = '"';
    struct catalogue_file files[2] = { catalogue_shipped(), { "mine.json", span_of(text) } };
    struct catalogue *catalogue = catalogue_load(files, more ? 2 : 1, &problems);
    report[0] = 0;
    for (size_t i = 0; i < problems.n; i++)
        n += (size_t)snprintf(report + n, sizeof report - n, "%s: %s\n", problems.at[i].where, problems.at[i].text);
    problems_deinit(&problems);
    *problems_text = report;
    return catalogue;
}

static struct catalogue *good(const char *more)
{
    const char *problems;
    struct catalogue *catalogue = load(more, &problems);
    if (!catalogue) fail_msg("%s: %s", more ? more : "the shipped one", problems);
    return catalogue;
}

static void refused(const char *more, const char *problem)
{
    const char *problems;
    struct catalogue *catalogue = load(more, &problems);
    if (catalogue || !strstr(problems, problem)) fail_msg("%s: \"%s\" is not said, but: %s", more, problem, problems);
}

static void formula_refused(const char *formula, const char *problem)
{
    char file[8192];
    snprintf(file, sizeof file, "{'metrics':{'m':'%s'}}", formula);
    refused(file, problem);
}

static void the_shipped_one(void **state)
{
    (void)state;
    struct catalogue *catalogue = good(NULL);
    assert_true(catalogue->n_metrics > 100);
    const struct metric *margin = catalogue_metric(catalogue, SPAN("margin"));
    assert_int_equal(margin->shape, SHAPE_RATIOS);
    assert_int_equal(margin->n_atoms, 3);
    assert_string_equal(margin->unit, "ratio");
    const struct metric *cycle = catalogue_metric(catalogue, SPAN("sales_cycle"));
    assert_int_equal(cycle->shape, SHAPE_SPREAD);
    assert_int_equal(cycle->scale, 86400000);
    assert_false(catalogue_metric(catalogue, SPAN("records"))->dated);
    assert_false(catalogue_metric(catalogue, SPAN("win_probability"))->dated);
    assert_true(catalogue_metric(catalogue, SPAN("forecast"))->dated);
    assert_true(catalogue_metric(catalogue, SPAN("service_calls_per_day"))->needs_days);
    assert_null(catalogue_metric(catalogue, SPAN("nothing")));
    assert_non_null(catalogue_report(catalogue, SPAN("service")));
    assert_null(catalogue_report(catalogue, SPAN("nothing")));
    catalogue_destroy(catalogue);
}

static void shapes_and_units(void **state)
{
    (void)state;
    struct catalogue *catalogue = good("{'units':['points'],'metrics':{"
                                       "'a':'(lead.count + referral.count) * 2 / lead.count',"
                                       "'b':{'unit':'hours','formula':'visit.seconds / visit.count'},"
                                       "'c':'deal_won.seconds / deal_lost.seconds',"
                                       "'d':'deal_won.amount * 0.5 - deal_won.cost',"
                                       "'e':'1 - deal_won.cost / deal_won.amount',"
                                       "'f':{'unit':'points','formula':'lead.count'},"
                                       "'g':'lead.count[source=web|\\\"two words\\\"|null,owner!=u1]'}}");
    static const struct {
        const char *name, *unit;
        enum shape shape;
        int64_t scale;
    } rows[] = {
        { "a", "ratio", SHAPE_NUMBER, 1 }, { "b", "hours", SHAPE_NUMBER, 3600000 }, { "c", "ratio", SHAPE_NUMBER, 1 },
        { "d", "money", SHAPE_MONEY, 1 },  { "e", "count", SHAPE_RATIOS, 1 },       { "f", "points", SHAPE_NUMBER, 1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct metric *metric = catalogue_metric(catalogue, span_of(rows[i].name));
        assert_string_equal(metric->unit, rows[i].unit);
        assert_int_equal(metric->shape, rows[i].shape);
        assert_int_equal(metric->scale, rows[i].scale);
    }
    const struct atom *filtered = catalogue_metric(catalogue, SPAN("g"))->atoms;
    assert_int_equal(filtered->n_filters, 2);
    assert_true(span_is(filtered->filters[0].values[1], "two words"));
    assert_int_equal(filtered->filters[0].values[2].len, 0);
    assert_true(filtered->filters[1].negated);
    catalogue_destroy(catalogue);
}

static void metrics_of_metrics_take_filters(void **state)
{
    (void)state;
    struct catalogue *catalogue =
        good("{'metrics':{'m':'close_rate[sale=renewal] / (1 + won_deals[custom.my-own.region=north])'}}");
    const struct metric *metric = catalogue_metric(catalogue, SPAN("m"));
    assert_int_equal(metric->n_atoms, 4);
    for (int i = 0; i < 4; i++) assert_int_equal(metric->atoms[i].n_filters, 1);
    assert_int_equal(metric->atoms[2].filters[0].dimension, DIM_SALE);
    assert_int_equal(metric->atoms[3].filters[0].dimension, -1);
    assert_true(span_is(metric->atoms[3].filters[0].custom, "my-own.region"));
    catalogue_destroy(catalogue);
}

static void levels_know_their_signs(void **state)
{
    (void)state;
    struct catalogue *catalogue = good("{'metrics':{'m':'level(lead.count - (referral.count - list_joined.count)) / days'}}");
    const struct metric *metric = catalogue_metric(catalogue, SPAN("m"));
    static const int signs[] = { 1, -1, 1 };
    for (int i = 0; i < 3; i++) {
        assert_int_equal(metric->atoms[i].sign, signs[i]);
        assert_int_equal(metric->atoms[i].group, metric->atoms[0].group);
        assert_int_equal(metric->atoms[i].window, WINDOW_LEVEL);
    }
    catalogue_destroy(catalogue);
}

static void formulas_that_are_none(void **state)
{
    (void)state;
    formula_refused("", "column 1: expected a fact, a metric or a number, found the end");
    formula_refused("laed.count", "column 1: no fact \"laed\", did you mean \"lead\"?");
    formula_refused("laed.count", "mine.json: metrics.m: ");
    formula_refused("lead.cuont", "lead has no measure \"cuont\", did you mean \"count\"?");
    formula_refused("lead.", "expected a measure");
    formula_refused("lead", "a fact needs a measure, such as lead.count");
    formula_refused("revenu", "no metric \"revenu\", did you mean \"revenue\"?");
    formula_refused("lead.count +", "found the end");
    formula_refused("lead.count lead.count", "expected an operator or the end, found \"l\"");
    formula_refused("(lead.count", "expected \")\"");
    formula_refused("lead.count)", "expected an operator or the end, found \")\"");
    formula_refused("lead.count $ 2", "found \"$\"");
    formula_refused("lead.count * 1.", "expected a number");
    formula_refused("lead.count * 1.2.3", "expected a number");
    formula_refused("2 * 3", "no fact in it");
    formula_refused("m", "is made of itself");
    formula_refused("lead.count[source]", "expected \"=\" or \"!=\"");
    formula_refused("lead.count[source=]", "expected a value");
    formula_refused("lead.count[source=web", "expected \"]\"");
    formula_refused("lead.count[sorce=web]", "no dimension \"sorce\", did you mean \"source\"?");
    formula_refused("lead.count[stage=x]", "lead has no stage");
    formula_refused("record.count[custom.region=x]", "record has no custom attributes");
    formula_refused("2[source=web] * lead.count", "nothing to filter");
    formula_refused("median(lead.count)", "no function \"median\"");
}

static void formulas_without_end(void **state)
{
    (void)state;
    char text[4096] = "lead.count";
    for (int i = 0; i < 300; i++) strcat(text, "+1");
    formula_refused(text, "more than 256 operands");
    memset(text, '(', 900);
    text[900] = 0;
    formula_refused(text, "more than 64 parentheses");
    text[0] = 0;
    for (int i = 0; i < 33; i++) strcat(text, i ? "+lead.count" : "lead.count");
    formula_refused(text, "more than 32 sums");
    snprintf(text, sizeof text, "{'metrics':{'m0':'lead.count'");
    for (int i = 1; i <= 16; i++) sprintf(text + strlen(text), ",'m%d':'m%d'", i, i - 1);
    strcat(text, "}}");
    refused(text, "more than 16 deep");
}

static void formulas_that_make_no_sense(void **state)
{
    (void)state;
    formula_refused("deal_won.amount + deal_won.count", "cannot add money and a number");
    formula_refused("deal_won.amount - deal_won.seconds", "cannot subtract money and a duration");
    formula_refused("deal_won.amount * deal_won.amount", "neither a number, nor money, nor a duration");
    formula_refused("lead.count / deal_won.amount", "neither a number, nor money, nor a duration");
    formula_refused("deal_won.seconds", "a duration needs a \"unit\"");
    formula_refused("sales_cycle * 2", "a distribution stands alone");
    formula_refused("distribution(lead.count)", "takes durations");
    formula_refused("level(lead.count * 2)", "level(…) takes");
    formula_refused("level(record.count)", "level(…) takes");
    formula_refused("level(deal_won.seconds)", "a level of durations");
    formula_refused("case_open.count", "write level(case_open.count)");
    formula_refused("customer_active.count", "write per(customer_active.count, month)");
    formula_refused("per(lead.count, month)", "kept per unit");
    formula_refused("per(customer_active.count)", "needs the units");
    formula_refused("per(customer_active.count, fortnight)", "expected day, week, month, quarter or year");
    formula_refused("before(lead.count)", "before(…) takes");
    formula_refused("ever(record.count)", "ever(…) takes");
    formula_refused("between(0, deal_won.amount, 1)", "takes a plain number");
    formula_refused("weighted(deal_won.count, win_probability)", "expected money");
    formula_refused("weighted(deal_expected.amount, win_probabilty)", "did you mean \"win_probability\"?");
    formula_refused("weighted(deal_expected.amount, close_rate)", "must name one or two");
    refused("{'metrics':{'m':'weighted(deal_expected.amount, w)','w':{'dimensions':['stage'],'formula':'proposal.count'}}}",
            "not all of its facts have stage");
    refused("{'metrics':{'m':'weighted(deal_expected.amount, w)','w':{'dimensions':['owner'],'formula':'proposal.count'}}}",
            "ever(…) only");
    formula_refused("weighted(lead_revenue.amount, win_probability)", "lacks its \"dimensions\"");
    refused("{'metrics':{'m':{'unit':'money','formula':'lead.count'}}}", "the result is a number, the \"unit\" says \"money\"");
    refused("{'metrics':{'m':{'unit':'days','formula':'deal_won.amount'}}}", "the result is money");
    refused("{'metrics':{'m':{'unit':'score','formula':'deal_won.seconds'}}}", "the result is a duration");
}

static void files_that_are_wrong(void **state)
{
    (void)state;
    refused("{'metrics':", "mine.json: line 1, column 12: not JSON");
    refused("[]", "must be a JSON object");
    refused("{'metrcs':{}}", "unknown key \"metrcs\", did you mean \"metrics\"?");
    refused("{'metrics':{'Bad Name':'lead.count'}}", "names are made of a-z");
    refused("{'metrics':{'m':7}}", "must be a formula");
    refused("{'metrics':{'m':{'unit':'count'}}}", "\"formula\" is missing");
    refused("{'metrics':{'m':{'formula':'lead.count','unti':'x'}}}", "did you mean \"unit\"?");
    refused("{'metrics':{'m':{'formula':'lead.count','unit':7}}}", "\"unit\" must be a text");
    refused("{'metrics':{'m':{'formula':'lead.count','dimensions':['onwer']}}}", "did you mean \"owner\"?");
    refused("{'reports':{'r':{'by':[['onwer']],'metrics':['leads'],'periods':['today']}}}", "did you mean \"owner\"?");
    refused("{'reports':{'r':{'by':[],'metrics':['leads'],'periods':['today']}}}", "\"by\" must be");
    refused("{'reports':{'r':{'by':[['owner']],'metrics':['laeds'],'periods':['today']}}}", "did you mean \"leads\"?");
    refused("{'reports':{'r':{'by':[['owner']],'metrics':['leads.p50'],'periods':['today']}}}", "leads is no distribution");
    refused("{'reports':{'r':{'by':[['owner']],'metrics':['share'],'periods':['today']}}}", "it cannot be it");
    refused("{'reports':{'r':{'by':[['owner']],'metrics':['leads'],'periods':['this_mont']}}}", "did you mean \"this_month\"?");
    refused("{'reports':{'r':{'by':[['owner']],'metrics':[],'periods':[]}}}", "\"periods\" must be");
    refused("{'reports':{'r':{'by':[['owner']],'metrics':[],'periods':[]}}}", "\"metrics\" must be");
    refused("{'only':{'metrics':['laeds']}}", "no metric \"laeds\", did you mean \"leads\"?");
    refused("{'only':{'reports':['servce']}}", "no report \"servce\", did you mean \"service\"?");
    refused("{'dimensions':['sorce']}", "no dimension \"sorce\", did you mean \"source\"?");
    refused("{'metrics':{'leads':null}}", "reports.conversion");
}

static void all_problems_at_once(void **state)
{
    (void)state;
    const char *problems;
    assert_null(load("{'metrics':{'a':'x','b':'lead.coun','c':'lead.count['},'reports':{'r':7}}", &problems));
    assert_non_null(strstr(problems, "metrics.a: "));
    assert_non_null(strstr(problems, "metrics.b: "));
    assert_non_null(strstr(problems, "metrics.c: "));
    assert_non_null(strstr(problems, "reports.r: "));
}

static void report_columns(void **state)
{
    (void)state;
    struct catalogue *catalogue = good("{'reports':{'r':{'by':[['month','custom.region'],['owner']],"
                                       "'metrics':['leads','share','sales_cycle','won_cycle.p95'],'periods':['today','all']}}}");
    const struct report *report = catalogue_report(catalogue, SPAN("r"));
    static const char *const names[] = { "leads",           "share",           "sales_cycle.average",
                                         "sales_cycle.p50", "sales_cycle.p90", "won_cycle.p95" };
    assert_int_equal(report->n_columns, 6);
    for (size_t i = 0; i < 6; i++) assert_string_equal(report->columns[i].name, names[i]);
    assert_int_equal(report->columns[5].stat, STAT_P95);
    assert_null(report->columns[1].metric);
    assert_int_equal(report->n_sections, 2);
    assert_int_equal(report->sections[0].by[0].type, BY_UNIT);
    assert_int_equal(report->sections[0].by[1].type, BY_CUSTOM);
    assert_string_equal(report->sections[0].by[1].name, "region");
    catalogue_destroy(catalogue);
}

static bool keeps_dimension(const struct kept *kept, enum fact fact, enum dimension dimension)
{
    return kept->fact[fact].dims >> fact_dimension(&fact_rows[fact], dimension) & 1;
}

static void what_the_shipped_one_keeps(void **state)
{
    (void)state;
    struct kept kept;
    struct catalogue *catalogue = good(NULL);
    catalogue_kept(catalogue, &kept);
    for (int i = 0; i < N_FACTS; i++)
        if (!kept.fact[i].on) fail_msg("%s is off", fact_rows[i].name);
    for (int kind = 0; kind < N_KINDS; kind++) assert_true(kept.kind[kind]);
    assert_true(keeps_dimension(&kept, FACT_DEAL_WON, DIM_LOSS_REASON));
    assert_true(keeps_dimension(&kept, FACT_CUSTOMER_ACTIVE, DIM_UNIT));
    assert_true(keeps_dimension(&kept, FACT_STAGE_ENTERED, DIM_EXPECTED_MONTH));
    assert_false(keeps_dimension(&kept, FACT_STAGE_OUTCOME, DIM_OWNER));
    assert_true(keeps_dimension(&kept, FACT_STAGE_OUTCOME, DIM_PIPELINE));
    catalogue_destroy(catalogue);
}

static void what_a_cut_one_keeps(void **state)
{
    (void)state;
    struct kept kept;
    struct catalogue *catalogue = good("{'only':{'metrics':['new_revenue','forecast'],'reports':['mine']},'dimensions':['owner'],"
                                       "'reports':{'mine':{'by':[['source']],'metrics':['leads'],'periods':['today']}}}");
    catalogue_kept(catalogue, &kept);
    assert_int_equal(catalogue->n_metrics, 3);
    assert_int_equal(catalogue->n_reports, 1);
    for (int i = 0; i < N_FACTS; i++) {
        bool needed = i == FACT_LEAD || i == FACT_DEAL_WON || i == FACT_DEAL_EXPECTED || i == FACT_STAGE_OUTCOME;
        if (kept.fact[i].on != needed) fail_msg("%s", fact_rows[i].name);
    }
    for (int kind = 0; kind < N_KINDS; kind++)
        assert_int_equal(kept.kind[kind], kind == KIND_CONTACT || kind == KIND_DEAL || kind == KIND_CALL);
    assert_int_equal(kept.fact[FACT_DEAL_WON].measures, 3);
    assert_true(keeps_dimension(&kept, FACT_DEAL_WON, DIM_OWNER));
    assert_true(keeps_dimension(&kept, FACT_DEAL_WON, DIM_SALE));
    assert_true(keeps_dimension(&kept, FACT_DEAL_WON, DIM_CURRENCY));
    assert_false(keeps_dimension(&kept, FACT_DEAL_WON, DIM_PIPELINE));
    assert_true(keeps_dimension(&kept, FACT_DEAL_EXPECTED, DIM_STAGE));
    assert_true(keeps_dimension(&kept, FACT_LEAD, DIM_SOURCE));
    assert_true(keeps_dimension(&kept, FACT_LEAD, DIM_OWNER));
    assert_false(keeps_dimension(&kept, FACT_LEAD, DIM_CAMPAIGN));
    assert_false(kept.fact[FACT_DEAL_WON].customs);
    assert_false(catalogue_metric(catalogue, SPAN("new_revenue"))->dims >> DIM_PIPELINE & 1);
    catalogue_destroy(catalogue);
}

/* The reports of the contract: how many sections and columns, whom they are for. */
static void all_reports_are_shipped(void **state)
{
    (void)state;
    static const struct {
        const char *name, *first_by, *view;
        size_t sections, columns;
        uint8_t lists;
    } rows[] = {
        { "pipeline", "pipeline", "business performance", 2, 8, 0 },
        { "profitability", "owner", "business performance", 4, 5, 0 },
        { "sales_cycle", "owner", "business performance", 4, 9, 0 },
        { "sales_performance", "owner", "business performance", 2, 10, 0 },
        { "forecast", "month", "business performance", 3, 6, 1u << SHOWS_OPEN_DEALS },
        { "conversion", "source", "business performance", 2, 9, 0 },
        { "goals", "goal", "business performance", 1, 5, 0 },
        { "leads", "source", "business performance", 4, 8, 0 },
        { "lost_deals", "loss_reason", "business performance", 4, 3, 0 },
        { "sales_activity", "owner", "user adoption", 2, 4, 0 },
        { "service", "owner", "customer perception", 4, 18, 0 },
        { "calls", "owner", "customer perception", 3, 11, 0 },
        { "campaigns", "campaign", "business performance", 2, 7, 0 },
        { "email", "campaign", "customer perception", 2, 13, 0 },
        { "web", "source", "customer perception", 2, 4, 0 },
        { "customers", "source", "customer perception", 2, 8, 0 },
        { "adoption", "user", "user adoption", 2, 4, 0 },
        { "audit", "kind", "user adoption", 3, 12, 1u << SHOWS_OFFENDERS },
    };
    struct catalogue *catalogue = good(NULL);
    assert_int_equal(catalogue->n_reports, sizeof rows / sizeof *rows);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct report *report = &catalogue->reports[i];
        assert_string_equal(report->name, rows[i].name);
        assert_string_equal(report->view, rows[i].view);
        assert_string_equal(report->sections[0].by[0].name, rows[i].first_by);
        assert_int_equal(report->n_sections, rows[i].sections);
        assert_int_equal(report->n_columns, rows[i].columns);
        assert_int_equal(report->lists, rows[i].lists);
        assert_non_null(report->question);
    }
    catalogue_destroy(catalogue);
}

static void fingerprints_tell_files_apart(void **state)
{
    (void)state;
    struct catalogue *a = good(NULL), *b = good("{}"), *c = good("{ }"), *d = good("{}");
    assert_true(a->fingerprint != b->fingerprint && b->fingerprint != c->fingerprint);
    assert_true(b->fingerprint == d->fingerprint);
    catalogue_destroy(a), catalogue_destroy(b), catalogue_destroy(c), catalogue_destroy(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_one),
        cmocka_unit_test(shapes_and_units),
        cmocka_unit_test(metrics_of_metrics_take_filters),
        cmocka_unit_test(levels_know_their_signs),
        cmocka_unit_test(formulas_that_are_none),
        cmocka_unit_test(formulas_without_end),
        cmocka_unit_test(formulas_that_make_no_sense),
        cmocka_unit_test(files_that_are_wrong),
        cmocka_unit_test(all_problems_at_once),
        cmocka_unit_test(report_columns),
        cmocka_unit_test(what_the_shipped_one_keeps),
        cmocka_unit_test(what_a_cut_one_keeps),
        cmocka_unit_test(all_reports_are_shipped),
        cmocka_unit_test(fingerprints_tell_files_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
